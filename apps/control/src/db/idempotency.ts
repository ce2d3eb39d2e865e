/** Answers to writes that carried an idempotency key, for as long as somebody may ask again. */
import { and, eq, lt, sql } from 'drizzle-orm'
import type { Queries } from './database.ts'
import { idempotency } from './schema.ts'

export type KeptAnswer = typeof idempotency.$inferSelect

/** True if nobody has used the key before. */
export async function claimKey(
  queries: Queries,
  claim: Pick<KeptAnswer, 'token' | 'key' | 'request'>,
): Promise<boolean> {
  const rows = await queries
    .insert(idempotency)
    .values(claim)
    .onConflictDoNothing()
    .returning({ key: idempotency.key })
  return rows.length > 0
}

export async function findAnswer(
  queries: Queries,
  token: string,
  key: string,
): Promise<KeptAnswer | undefined> {
  const [row] = await queries.select().from(idempotency).where(isKey(token, key))
  return row
}

export async function keepAnswer(
  queries: Queries,
  { token, key, ...answer }: { token: string; key: string; status: number; body: string },
): Promise<void> {
  await queries.update(idempotency).set(answer).where(isKey(token, key))
}

/** After a failure of ours, or one that was about the moment: the key is free again. */
export async function freeKey(queries: Queries, token: string, key: string): Promise<void> {
  await queries.delete(idempotency).where(isKey(token, key))
}

export async function forgetOldAnswers(queries: Queries): Promise<void> {
  await queries.delete(idempotency).where(lt(idempotency.at, sql`now() - interval '1 day'`))
}

const isKey = (token: string, key: string) => and(eq(idempotency.token, token), eq(idempotency.key, key))
