/** Tokens, by their hash. */
import { and, eq, isNull, lt, or, sql } from 'drizzle-orm'
import type { Queries } from './database.ts'
import { tokens } from './schema.ts'

export type TokenRow = typeof tokens.$inferSelect

export async function insertToken(queries: Queries, token: typeof tokens.$inferInsert): Promise<void> {
  await queries.insert(tokens).values(token)
}

export async function findTokenByHash(queries: Queries, hash: string): Promise<TokenRow | undefined> {
  const [row] = await queries.select().from(tokens).where(eq(tokens.hash, hash))
  return row
}

/** Notes the last use, at most once a minute, so that reading the API does not write each time. */
export async function touchToken(queries: Queries, id: string): Promise<void> {
  const stale = or(isNull(tokens.lastUsedAt), lt(tokens.lastUsedAt, sql`now() - interval '1 minute'`))
  await queries
    .update(tokens)
    .set({ lastUsedAt: sql`now()` })
    .where(and(eq(tokens.id, id), stale))
}
