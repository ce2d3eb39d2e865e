/** Revocations, kept for the longest lifetime of a server connection. */
import type { AccessLimits } from '@imapfleet/api'
import { and, asc, desc, eq, gt, lt, sql, type SQL } from 'drizzle-orm'
import { domainOf } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { withinDomains, withinRegions } from '../../platform/db/within.ts'
import { revocations } from './table.ts'

export type RevocationRow = typeof revocations.$inferSelect

/** The highest value of `pool.lifetimeMaxMs`: no older connection can exist. */
const keptFor = sql`interval '30 days'`

export async function insertRevocation(
  queries: Queries,
  revocation: Omit<typeof revocations.$inferInsert, 'domain'>,
): Promise<RevocationRow> {
  const domain = domainOf({ kind: revocation.kind, name: revocation.subject })
  const [row] = await queries
    .insert(revocations)
    .values({ ...revocation, domain })
    .returning()
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

export async function findRevocation(
  queries: Queries,
  limits: AccessLimits,
  sequence: number,
): Promise<RevocationRow | undefined> {
  const [row] = await queries
    .select()
    .from(revocations)
    .where(and(eq(revocations.sequence, sequence), within(limits)))
  return row
}

const within = (limits: AccessLimits): SQL | undefined =>
  and(withinRegions(limits, revocations.region), withinDomains(limits, revocations.domain))

/** Newest first. */
export async function selectRevocations(
  queries: Queries,
  limits: AccessLimits,
  page: { limit: number; before?: number | undefined },
): Promise<RevocationRow[]> {
  return await queries
    .select()
    .from(revocations)
    .where(and(within(limits), page.before === undefined ? undefined : lt(revocations.sequence, page.before)))
    .orderBy(desc(revocations.sequence))
    .limit(page.limit)
}
