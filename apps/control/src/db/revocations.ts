/** Revocations, for as long as a warm connection may live. */
import { asc, desc, eq, gt, lt, sql } from 'drizzle-orm'
import type { Queries } from './database.ts'
import { revocations } from './schema.ts'

export type RevocationRow = typeof revocations.$inferSelect

/** The longest that `pool.lifetimeMaxMs` can be: whatever is older has no connection left to drop. */
const keptFor = sql`interval '30 days'`

export async function insertRevocation(
  queries: Queries,
  revocation: typeof revocations.$inferInsert,
): Promise<RevocationRow> {
  const [row] = await queries.insert(revocations).values(revocation).returning()
  if (!row) throw new Error('the revocation was not written')
  return row
}

/** Those that may still have a connection to drop, oldest first. */
export async function recentRevocations(queries: Queries): Promise<RevocationRow[]> {
  return await queries
    .select()
    .from(revocations)
    .where(gt(revocations.at, sql`now() - ${keptFor}`))
    .orderBy(asc(revocations.sequence))
}

export async function findRevocation(queries: Queries, sequence: number): Promise<RevocationRow | undefined> {
  const [row] = await queries.select().from(revocations).where(eq(revocations.sequence, sequence))
  return row
}

/** Newest first. */
export async function selectRevocations(
  queries: Queries,
  page: { limit: number; before?: number | undefined },
): Promise<RevocationRow[]> {
  return await queries
    .select()
    .from(revocations)
    .where(page.before === undefined ? undefined : lt(revocations.sequence, page.before))
    .orderBy(desc(revocations.sequence))
    .limit(page.limit)
}
