/** The register of edges. Heartbeats write it. */
import type { Presence } from '@imapfleet/protocol'
import { and, asc, eq, getTableColumns, inArray, isNotNull, isNull, ne, sql } from 'drizzle-orm'
import type { Database, Queries } from '../../platform/db/database.ts'
import { silenceColumns } from './hearing.ts'
import type { Claims } from '../desired/service.ts'
import { edges, type Counted } from './table.ts'

export type EdgeRow = Omit<typeof edges.$inferSelect, 'counted' | 'countedBefore'> & {
  /** True after three missed heartbeats. */
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

export async function selectEdges(queries: Queries): Promise<EdgeRow[]> {
  return await queries.select(columns).from(edges).where(inFleet).orderBy(asc(edges.region), asc(edges.id))
}

/** Includes forgotten edges. */
export async function listAllEdges(queries: Queries): Promise<EdgeRow[]> {
  return await queries.select(columns).from(edges).orderBy(asc(edges.region), asc(edges.id))
}

/** With the metrics, which are most of a row. Only for callers that need them. */
export type CountingEdgeRow = EdgeRow & Pick<typeof edges.$inferSelect, 'counted' | 'countedBefore'>

export async function listCountingEdges(queries: Queries): Promise<CountingEdgeRow[]> {
  return await queries
    .select({ ...columns, counted, countedBefore })
    .from(edges)
    .where(inFleet)
    .orderBy(asc(edges.region), asc(edges.id))
}

/** By region and id. `before` is the id of the last edge of the previous page, which may have been forgotten since. */
export async function pageOfEdges(
  queries: Queries,
  page: { limit: number; before?: string | undefined },
): Promise<EdgeRow[]> {
  const { before: last } = page
  return await queries
    .select(columns)
    .from(edges)
    .where(
      and(
        inFleet,
        last === undefined
          ? undefined
          : sql`(${edges.region}, ${edges.id}) > (select region, id from edges where id = ${last})`,
      ),
    )
    .orderBy(asc(edges.region), asc(edges.id))
    .limit(page.limit)
}

/** Includes forgotten edges. */
export async function findEdge(queries: Queries, id: string): Promise<EdgeRow | undefined> {
  const [row] = await queries.select(columns).from(edges).where(eq(edges.id, id))
  return row
}

const defaultHeartbeatMs = 5_000

export interface Arrival {
  id: string
  /** The edge is forgotten. */
  forgotten: boolean
}

/**
 * Writes heartbeats, at most one for each edge, each with its claims. An older heartbeat of the same boot changes nothing. Returns the
 * edges that are new, have restarted, have moved to another region, or were forgotten.
 */
export async function upsertPresence(
  db: Database,
  heard: readonly Presence[],
  claims: readonly Claims[],
): Promise<Arrival[]> {
  const column = <T>(read: (presence: Presence) => T) => heard.map(read)
  const claim = <T>(read: (claim: Claims) => T) => claims.map(read)
  const rows = await db.sql<Arrival[]>`
    with before as (select id, boot, region from edges where id = any(${column((p) => p.edge)}::text[])),
    written as (
      insert into edges (
        id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms, config_applied,
        config_rejected, config_rejected_reason, revocations_applied, desired_claimed, desired_version, config_versions,
        config_rejected_versions, gauges, degraded, listeners, counted)
      select id, region, boot, version, state, to_timestamp(started_at / 1000.0), now(), to_timestamp(sent_at / 1000.0),
        heartbeat_ms, config_applied, config_rejected, config_rejected_reason, revocations_applied, desired_claimed,
        desired_version, config_versions::jsonb, config_rejected_versions::jsonb, gauges::jsonb, degraded::jsonb, listeners::jsonb, counted::jsonb
      from unnest(
        ${column((p) => p.edge)}::text[], ${column((p) => p.region)}::text[], ${column((p) => p.boot)}::uuid[],
        ${column((p) => p.version)}::text[], ${column((p) => p.state)}::text[],
        ${column((p) => p.startedAt)}::float8[], ${column((p) => p.at)}::float8[],
        ${column((p) => p.heartbeatMs ?? defaultHeartbeatMs)}::int[], ${column((p) => p.config.applied)}::bigint[],
        ${column((p) => p.config.rejected?.revision ?? null)}::bigint[],
        ${column((p) => p.config.rejected?.reason ?? null)}::text[],
        ${claim((c) => c.revocationsApplied)}::bigint[], ${claim((c) => c.desiredClaimed)}::bigint[],
        ${claim((c) => c.desiredVersion)}::bigint[], ${claim((c) => jsonOrNull(c.configVersions))}::text[],
        ${claim((c) => jsonOrNull(c.configRejectedVersions))}::text[],
        ${column((p) => JSON.stringify(p.gauges))}::text[], ${column((p) => JSON.stringify(p.degraded))}::text[],
        ${column((p) => JSON.stringify(p.listeners))}::text[], ${column(countedIn)}::text[]
      ) as heard (
        id, region, boot, version, state, started_at, sent_at, heartbeat_ms, config_applied,
        config_rejected, config_rejected_reason, revocations_applied, desired_claimed, desired_version, config_versions,
        config_rejected_versions, gauges, degraded, listeners, counted)
      -- Every replica hears every heartbeat. Most are stored by another one already.
      where not exists (
        select from edges where edges.id = heard.id and edges.boot = heard.boot
          and edges.sent_at >= to_timestamp(heard.sent_at / 1000.0))
      -- In one order, so that replicas do not wait for each other in a circle.
      order by id
      on conflict (id) do update set
        region = excluded.region, boot = excluded.boot, version = excluded.version, state = excluded.state,
        started_at = excluded.started_at, last_seen_at = excluded.last_seen_at, sent_at = excluded.sent_at,
        heartbeat_ms = excluded.heartbeat_ms, config_applied = excluded.config_applied,
        config_rejected = excluded.config_rejected, config_rejected_reason = excluded.config_rejected_reason,
        -- A new boot has no old connections: what an earlier one has applied stays applied.
        revocations_applied = greatest(edges.revocations_applied, excluded.revocations_applied),
        desired_claimed = excluded.desired_claimed, desired_version = excluded.desired_version,
        config_versions = excluded.config_versions, config_rejected_versions = excluded.config_rejected_versions,
        gauges = excluded.gauges,
        degraded = excluded.degraded, listeners = excluded.listeners, counted = excluded.counted,
        counted_before = case when edges.boot = excluded.boot then edges.counted end
      where edges.boot <> excluded.boot or edges.sent_at < excluded.sent_at
      returning id, boot, region, forgotten_at is not null as forgotten)
    select written.id, written.forgotten from written left join before using (id)
    where before.boot is distinct from written.boot or before.region is distinct from written.region
      or written.forgotten`
  return [...rows]
}

const jsonOrNull = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

function countedIn({ at, counters, logins }: Presence): string | null {
  if (counters === undefined) return null
  return JSON.stringify({ at, counters, logins } satisfies Counted)
}

/** Returns those whose value changed. */
export async function setDrain(queries: Queries, ids: readonly string[], drain: boolean): Promise<string[]> {
  const changed = await queries
    .update(edges)
    .set({ drain, drainVersion: sql`desired_version_now()` })
    .where(and(inArray(edges.id, [...ids]), ne(edges.drain, drain)))
    .returning({ id: edges.id })
  return changed.map(({ id }) => id)
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

/** Returns those that were forgotten before. */
export async function rememberEdges(queries: Queries, ids: readonly string[]): Promise<string[]> {
  const remembered = await queries
    .update(edges)
    .set({ forgottenAt: null })
    .where(and(inArray(edges.id, [...ids]), isNotNull(edges.forgottenAt)))
    .returning({ id: edges.id })
  return remembered.map(({ id }) => id)
}
