/** The register of edges. `ingest-queries.ts` writes heartbeats to it. */
import {
  and,
  asc,
  count,
  eq,
  getTableColumns,
  inArray,
  isNotNull,
  isNull,
  ne,
  sql,
  type SQL,
} from 'drizzle-orm'
import type { FleetTarget, AccessLimits } from '@imapfleet/api'
import type { Queries } from '../../platform/db/database.ts'
import { withinRegions } from '../../platform/db/within.ts'
import { silenceColumns } from './hearing.ts'
import { edges } from './table.ts'

export type EdgeRow = Omit<typeof edges.$inferSelect, 'counted' | 'countedBefore'> & {
  /** True after three missed heartbeats. */
  missing: boolean
  /** True if it is missing, or if control cannot read its heartbeats. */
  silent: boolean
  /** Time since the last heartbeat within which control could hear it. */
  silentMs: number
}

const { counted, countedBefore, ...small } = getTableColumns(edges)
const columns = {
  ...small,
  ...silenceColumns,
}

/** Edges that are in the fleet: not forgotten. */
const inFleet = isNull(edges.forgottenAt)

/** All of the fleet. */
export async function selectEdges(queries: Queries, limits: AccessLimits): Promise<EdgeRow[]> {
  return await queries
    .select(columns)
    .from(edges)
    .where(and(inFleet, withinRegions(limits, edges.region)))
    .orderBy(asc(edges.region), asc(edges.id))
}

/** The columns that select the edges of an order. An order reads them for the whole fleet, so other columns are omitted. */
const addressed = {
  id: edges.id,
  region: edges.region,
  wireVersion: edges.wireVersion,
  boot: edges.boot,
  otherBoots: edges.otherBoots,
  heartbeatMs: edges.heartbeatMs,
  lastSeenAt: edges.lastSeenAt,
  missing: silenceColumns.missing,
  silent: silenceColumns.silent,
}
export type AddressedEdge = Pick<EdgeRow, keyof typeof addressed>

/** All edges of the fleet, the edges of a region, or one edge. */
export async function selectAddressedEdges(
  queries: Queries,
  limits: AccessLimits,
  target: FleetTarget,
): Promise<AddressedEdge[]> {
  return await queries
    .select(addressed)
    .from(edges)
    .where(and(inFleet, withinRegions(limits, edges.region), oneOf(target)))
    .orderBy(asc(edges.region), asc(edges.id))
}

/** How many edges of the fleet each region has. */
export async function countEdgesByRegion(
  queries: Queries,
  limits: AccessLimits,
): Promise<{ region: string; total: number }[]> {
  return await queries
    .select({ region: edges.region, total: count() })
    .from(edges)
    .where(and(inFleet, withinRegions(limits, edges.region)))
    .groupBy(edges.region)
    .orderBy(asc(edges.region))
}

export type EdgeStart = Pick<typeof edges.$inferSelect, 'id' | 'version' | 'startedAt'>

/** When the edges of a target were started. */
export async function selectStarts(
  queries: Queries,
  limits: AccessLimits,
  target: FleetTarget,
): Promise<EdgeStart[]> {
  return await queries
    .select({ id: edges.id, version: edges.version, startedAt: edges.startedAt })
    .from(edges)
    .where(and(inFleet, withinRegions(limits, edges.region), oneOf(target)))
    .orderBy(asc(edges.region), asc(edges.id))
}

/** Some edges of the fleet. */
export type SomeEdges = FleetTarget | { kind: 'edges'; ids: readonly string[] }

function oneOf(some: SomeEdges): SQL | undefined {
  if (some.kind === 'all') return undefined
  if (some.kind === 'edges') return sql`${edges.id} = any(${sql.param([...some.ids])}::text[])`
  return eq(some.kind === 'region' ? edges.region : edges.id, some.name)
}

/**
 * The columns that determine the desired state of an edge. A change reads them for the whole fleet, so other columns are
 * omitted.
 */
const decisive = {
  id: edges.id,
  region: edges.region,
  drain: edges.drain,
  drainVersion: edges.drainVersion,
  revocationsApplied: edges.revocationsApplied,
  desiredClaimed: edges.desiredClaimed,
  desiredVersion: edges.desiredVersion,
}

/** Includes forgotten edges. */
export async function selectDesiredEdges(queries: Queries, some: SomeEdges) {
  return await queries
    .select(decisive)
    .from(edges)
    .where(oneOf(some))
    .orderBy(asc(edges.region), asc(edges.id))
}

/** Includes forgotten edges. */
export async function countEdges(queries: Queries): Promise<number> {
  const [row] = await queries.select({ total: count() }).from(edges)
  return row?.total ?? 0
}

const applied = {
  id: edges.id,
  region: edges.region,
  desiredClaimed: edges.desiredClaimed,
  revocationsApplied: edges.revocationsApplied,
  configApplied: edges.configApplied,
  configVersions: edges.configVersions,
  configRejected: edges.configRejected,
  configRejectedReason: edges.configRejectedReason,
  configRejectedVersions: edges.configRejectedVersions,
  silent: silenceColumns.silent,
}

/** What these edges say to have applied. */
export async function readApplied(queries: Queries, limits: AccessLimits, some: SomeEdges) {
  return await queries
    .select(applied)
    .from(edges)
    .where(and(inFleet, withinRegions(limits, edges.region), oneOf(some)))
    .orderBy(asc(edges.region), asc(edges.id))
}

/** Includes forgotten edges. */
export async function listAllEdges(queries: Queries): Promise<EdgeRow[]> {
  return await queries.select(columns).from(edges).orderBy(asc(edges.region), asc(edges.id))
}

/** With the metrics, which are most of a row. Only for callers that need them. */
export type CountingEdgeRow = EdgeRow & Pick<typeof edges.$inferSelect, 'counted' | 'countedBefore'>

export async function listCountingEdges(queries: Queries, limits: AccessLimits): Promise<CountingEdgeRow[]> {
  return await queries
    .select({ ...columns, counted, countedBefore })
    .from(edges)
    .where(and(inFleet, withinRegions(limits, edges.region)))
    .orderBy(asc(edges.region), asc(edges.id))
}

/** By region and id. `before` is the id of the last edge of the previous page, which may have been forgotten since. */
export async function pageOfEdges(
  queries: Queries,
  limits: AccessLimits,
  page: { limit: number; before?: string | undefined },
): Promise<EdgeRow[]> {
  const { before: last } = page
  return await queries
    .select(columns)
    .from(edges)
    .where(
      and(
        inFleet,
        withinRegions(limits, edges.region),
        last === undefined
          ? undefined
          : sql`(${edges.region}, ${edges.id}) > (select region, id from edges where id = ${last})`,
      ),
    )
    .orderBy(asc(edges.region), asc(edges.id))
    .limit(page.limit)
}

/** Includes forgotten edges. */
export async function findEdge(
  queries: Queries,
  limits: AccessLimits,
  id: string,
): Promise<EdgeRow | undefined> {
  const [row] = await queries
    .select(columns)
    .from(edges)
    .where(and(eq(edges.id, id), withinRegions(limits, edges.region)))
  return row
}

/** Edges whose clocks differ from the clock of the database. */
export async function selectSkews(queries: Queries): Promise<{ id: string; skewMs: number | null }[]> {
  return await queries
    .select({ id: edges.id, skewMs: edges.clockSkewMs })
    .from(edges)
    .where(ne(edges.clockSkewMs, 0))
}

/** Returns those whose value changed. */
export async function setDrain(queries: Queries, ids: readonly string[], drain: boolean): Promise<string[]> {
  const changed = await queries
    .update(edges)
    .set({ drain, drainVersion: sql`desired_version_now()` })
    .where(and(inArray(edges.id, [...ids]), ne(edges.drain, drain)))
    .returning({ id: edges.id })
  return changed.map(({ id }) => id).toSorted()
}

/** Forgets an edge if it is in the fleet and silent. Safe if a heartbeat arrives at the same time. */
export async function markEdgeForgotten(queries: Queries, id: string): Promise<boolean> {
  const forgotten = await queries
    .update(edges)
    .set({ forgottenAt: sql`now()` })
    .where(and(eq(edges.id, id), inFleet, columns.silent))
    .returning({ id: edges.id })
  return forgotten.length > 0
}

/** Returns the edges that were forgotten before. */
export async function rememberEdges(queries: Queries, ids: readonly string[]): Promise<string[]> {
  const remembered = await queries
    .update(edges)
    .set({ forgottenAt: null })
    .where(and(inArray(edges.id, [...ids]), isNotNull(edges.forgottenAt)))
    .returning({ id: edges.id })
  return remembered.map(({ id }) => id)
}
