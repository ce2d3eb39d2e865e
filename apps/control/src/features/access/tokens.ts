/** Tokens, by their hash. */
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { tokens } from './table.ts'

export type TokenRow = typeof tokens.$inferSelect

export async function insertToken(queries: Queries, token: typeof tokens.$inferInsert): Promise<TokenRow> {
  const [row] = await queries.insert(tokens).values(token).returning()
  if (!row) throw new Error('the token was not written')
  return row
}

/** Newest first, including revoked and expired ones. `before` is the id of the last token of the previous page. */
export async function selectTokens(
  queries: Queries,
  page: { limit: number; before?: string | undefined },
): Promise<TokenRow[]> {
  return await queries
    .select()
    .from(tokens)
    .where(page.before === undefined ? undefined : olderThan(page.before))
    .orderBy(desc(tokens.createdAt), desc(tokens.id))
    .limit(page.limit)
}

const olderThan = (id: string) =>
  sql`(${tokens.createdAt}, ${tokens.id}) < (select created_at, id from tokens where id = ${id})`

export async function findToken(queries: Queries, id: string): Promise<TokenRow | undefined> {
  const [row] = await queries.select().from(tokens).where(eq(tokens.id, id))
  return row
}

/** The row, if it was not revoked before. */
export async function markTokenRevoked(
  queries: Queries,
  id: string,
  at: Date,
): Promise<TokenRow | undefined> {
  const valid = and(eq(tokens.id, id), isNull(tokens.revokedAt))
  const [row] = await queries.update(tokens).set({ revokedAt: at }).where(valid).returning()
  return row
}

export async function findTokenByHash(queries: Queries, hash: string): Promise<TokenRow | undefined> {
  const [row] = await queries.select().from(tokens).where(eq(tokens.hash, hash))
  return row
}

/** Accurate to the minute, so that reading the API does not write each time. */
export async function touchToken(queries: Queries, { id, lastUsedAt }: TokenRow, now: Date): Promise<void> {
  if (lastUsedAt && now.getTime() - lastUsedAt.getTime() < 60_000) return
  await queries.update(tokens).set({ lastUsedAt: now }).where(eq(tokens.id, id))
}
