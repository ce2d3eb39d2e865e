/** Sessions of the console, by the hash of their cookie. */
import { eq, lt } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { sessions, tokens } from './table.ts'
import type { TokenRow } from './tokens.ts'

export async function insertSession(queries: Queries, session: typeof sessions.$inferInsert): Promise<void> {
  await queries.insert(sessions).values(session)
}

export async function findSession(
  queries: Queries,
  hash: string,
): Promise<{ expiresAt: Date; token: TokenRow } | undefined> {
  const [row] = await queries
    .select({ expiresAt: sessions.expiresAt, token: tokens })
    .from(sessions)
    .innerJoin(tokens, eq(tokens.id, sessions.token))
    .where(eq(sessions.hash, hash))
  return row
}

export async function deleteSession(queries: Queries, hash: string): Promise<void> {
  await queries.delete(sessions).where(eq(sessions.hash, hash))
}

export async function forgetOldSessions(queries: Queries): Promise<void> {
  await queries.delete(sessions).where(lt(sessions.expiresAt, new Date()))
}
