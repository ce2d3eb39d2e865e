/** Revocations, kept for the longest lifetime of a server connection. */
import { and, asc, desc, eq, gt, lt, sql } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { revocations } from './table.ts'

export type RevocationRow = typeof revocations.$inferSelect

/** The highest value of `pool.lifetimeMaxMs`: no older connection can exist. */
const keptFor = sql`interval '30 days'`

export async function insertRevocation(
  queries: Queries,
  revocation: typeof revocations.$inferInsert,
): Promise<RevocationRow> {
  const [row] = await queries.insert(revocations).values(revocation).returning()
  if (!row) throw new Error('the revocation was not written')
  return row
}

/** Revocations that can still affect a connection, oldest first. */
export async function recentRevocations(queries: Queries): Promise<RevocationRow[]> {
  return await queries
    .select()
    .from(revocations)
    .where(gt(revocations.at, sql`now() - ${keptFor}`))
    .orderBy(asc(revocations.sequence))
}

/** The row of one region, if the operation has reached it. */
export async function revocationOfStage(
  queries: Queries,
  operation: string,
  region: string,
): Promise<RevocationRow | undefined> {
  const [row] = await queries
    .select()
    .from(revocations)
    .where(and(eq(revocations.operation, operation), eq(revocations.region, region)))
  return row
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
