/** Traces: user, creator and expiry. The lines are never stored in Postgres. */
import type { AccessLimits } from '@imapfleet/api'
import { and, count, desc, eq, gt, isNull, sql, type SQL } from 'drizzle-orm'
import { domainOf } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { withinDomains, withinRegions } from '../../platform/db/within.ts'
import { traces } from './table.ts'

export type TraceRow = typeof traces.$inferSelect

const running = and(isNull(traces.endedAt), gt(traces.expiresAt, sql`now()`))

export async function insertTrace(
  queries: Queries,
  trace: Omit<typeof traces.$inferInsert, 'domain'>,
): Promise<TraceRow> {
  const domain = domainOf({ kind: 'user', name: trace.user })
  const [row] = await queries
    .insert(traces)
    .values({ ...trace, domain })
    .returning()
  if (!row) throw new Error('the trace was not written')
  return row
}

export async function countRunningTraces(queries: Queries): Promise<number> {
  const [row] = await queries.select({ running: count() }).from(traces).where(running)
  return row?.running ?? 0
}

export async function runningTraces(queries: Queries): Promise<TraceRow[]> {
  return await queries.select().from(traces).where(running).orderBy(traces.createdAt, traces.id)
}

const olderThan = (id: string) =>
  sql`(${traces.createdAt}, ${traces.id}) < (select created_at, id from traces where id = ${id})`

/** Newest first. `before` is the id of the last trace of the previous page. */
export async function selectTraces(
  queries: Queries,
  limits: AccessLimits,
  page: { limit: number; before?: string | undefined },
): Promise<TraceRow[]> {
  return await queries
    .select()
    .from(traces)
    .where(and(within(limits), page.before === undefined ? undefined : olderThan(page.before)))
    .orderBy(desc(traces.createdAt), desc(traces.id))
    .limit(page.limit)
}

export async function findTrace(
  queries: Queries,
  limits: AccessLimits,
  id: string,
): Promise<TraceRow | undefined> {
  const [row] = await queries
    .select()
    .from(traces)
    .where(and(eq(traces.id, id), within(limits)))
  return row
}

const within = (limits: AccessLimits): SQL | undefined =>
  and(withinRegions(limits, traces.region), withinDomains(limits, traces.domain))

/** Ends a trace that is still running. Returns the row. */
export async function markTraceEnded(queries: Queries, id: string, at: Date): Promise<TraceRow | undefined> {
  const [row] = await queries
    .update(traces)
    .set({ endedAt: at })
    .where(and(eq(traces.id, id), running))
    .returning()
  return row
}
