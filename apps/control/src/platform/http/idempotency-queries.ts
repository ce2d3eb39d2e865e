/** Answers to writes with an idempotency key, for as long as clients may repeat the request. */
import { and, eq, lt, sql } from 'drizzle-orm'
import type { Queries } from '../db/database.ts'
import { idempotency } from './idempotency-table.ts'

export type KeptAnswer = typeof idempotency.$inferSelect

/** True if the key is new. */
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

/** The key can be used again. */
export async function freeKey(queries: Queries, token: string, key: string): Promise<void> {
  await queries.delete(idempotency).where(isKey(token, key))
}

export async function forgetOldAnswers(queries: Queries): Promise<void> {
  await queries.delete(idempotency).where(lt(idempotency.at, sql`now() - interval '1 day'`))
}

const isKey = (token: string, key: string) => and(eq(idempotency.token, token), eq(idempotency.key, key))
