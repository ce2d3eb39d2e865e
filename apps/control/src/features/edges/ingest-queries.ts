/** Writes heartbeats to the register of edges. */
import { wireVersion, type ForeignPresence, type Presence } from '@imapfleet/protocol'
import { and, eq, sql } from 'drizzle-orm'
import type { Database, Queries } from '../../platform/db/database.ts'
import type { Claims } from '../desired/service.ts'
import { defaultHeartbeatMs, type KnownBoot } from './boots.ts'
import { missedMax, silenceColumns } from './hearing.ts'
import { edges, type Counted, type ReplacedBoot } from './table.ts'

/** A heartbeat, and the time since it arrived in milliseconds. */
export interface Heard {
  presence: Presence
  ageMs: number
  /** If the heartbeat has no counters: an earlier heartbeat of this boot that has counters and is not stored yet. */
  counting?: Presence
}

/** The versions that the edge claims to run and that this database issued. */
export interface ClaimedHeard extends Heard {
  claims: Claims
}

/** A heartbeat to write over the row of its edge, if the row has this boot and region. */
export interface HeartbeatWrite extends ClaimedHeard {
  expected: { boot: string; region: string }
  /** Undefined: they stay. */
  otherBoots: readonly ReplacedBoot[] | undefined
}

export interface WrittenEdge {
  id: string
  boot: string
  /** The edge is forgotten. */
  forgotten: boolean
}

/** A measurement confirms the previous one if they differ by less than this. */
const skewToleranceMs = 2_000

/**
 * Writes heartbeats, at most one for each edge and boot. It does not write late heartbeats, and heartbeats of edges whose
 * row has changed. Every replica receives every heartbeat, so a row that another replica is writing is skipped. Returns the
 * written rows.
 */
export async function updatePresence(
  db: Database,
  writes: readonly HeartbeatWrite[],
): Promise<WrittenEdge[]> {
  const isNewer = db.sql`(
    edges.id = heard.id and edges.boot = heard.expected_boot and edges.region = heard.expected_region
    and (edges.boot <> heard.boot or edges.region <> heard.region or case
      when edges.sequence_boot = edges.boot and edges.sequence is not null and heard.sequence is not null
        then heard.sequence > edges.sequence
      -- An edge that does not number its heartbeats: much earlier is a clock that was put back.
      else heard.sent_at > edges.sent_at
        or heard.sent_at < edges.sent_at - heard.heartbeat_ms * ${missedMax} * interval '1 millisecond' end))`
  // Two heartbeats in quick succession are no base for a rate. Without the second condition, a base could stay for ever.
  const keepsBase = db.sql`(
    heard.counted_uptime_ms - edges.uptime_ms between 0 and heard.heartbeat_ms / 2 - 1
    and heard.counted_uptime_ms - edges.uptime_before_ms between 0 and heard.heartbeat_ms * ${missedMax}) is true`
  // This heartbeat only acknowledges the desired state, and has no counters. Another replica may have stored the counters
  // of the previous heartbeat.
  const hasNoCounters = db.sql`(edges.boot = heard.boot and (heard.counted is null
    or (edges.sequence_boot = edges.boot and heard.counted_sequence <= edges.sequence) is true))`
  // Postgres cannot estimate the rows of an array. Each row is therefore found by its key: a join of two such results would
  // compare every row with every other.
  const free = db.sql`select edges.id from edges where ${isNewer} for no key update of edges skip locked`
  const rows = await db.sql<WrittenEdge[]>`
    with heard as materialized (${heardIn(db, writes)})
    update edges set
      region = heard.region, boot = heard.boot, version = heard.version, state = heard.state,
      started_at = case when edges.boot = heard.boot then edges.started_at else heard.started_at end,
      last_seen_at = now(), sent_at = heard.sent_at, sequence = heard.sequence, sequence_boot = heard.boot,
      other_boots = coalesce(heard.other_boots, edges.other_boots), wire_version = ${wireVersion},
      clock_skew_ms = case
        when edges.boot = heard.boot and edges.clock_skew_ms is not null
          and abs(heard.skew_ms - edges.clock_skew_seen_ms) > ${skewToleranceMs} then edges.clock_skew_ms
        else heard.skew_ms end,
      clock_skew_seen_ms = heard.skew_ms,
      heartbeat_ms = heard.heartbeat_ms, config_applied = heard.config_applied,
      config_rejected = heard.config_rejected, config_rejected_reason = heard.config_rejected_reason,
      -- A new boot has no old connections: what an earlier one has applied stays applied.
      revocations_applied = greatest(edges.revocations_applied, heard.revocations_applied),
      desired_claimed = heard.desired_claimed, desired_version = heard.desired_version,
      config_versions = heard.config_versions, config_rejected_versions = heard.config_rejected_versions,
      gauges = heard.gauges, degraded = heard.degraded, unsaved = heard.unsaved, listeners = heard.listeners,
      counted = case when ${hasNoCounters} then edges.counted else heard.counted end,
      uptime_ms = case when ${hasNoCounters} then edges.uptime_ms else heard.counted_uptime_ms end,
      counted_before = case
        when edges.boot <> heard.boot then null
        when ${hasNoCounters} or ${keepsBase} then edges.counted_before else edges.counted end,
      uptime_before_ms = case
        when edges.boot <> heard.boot then null
        when ${hasNoCounters} or ${keepsBase} then edges.uptime_before_ms else edges.uptime_ms end
    from heard cross join lateral (${free}) as free where ${isNewer} and free.id = heard.id
    returning edges.id, edges.boot, edges.forgotten_at is not null as forgotten`
  return [...rows]
}

/** Adds edges. Returns the edges that did not exist. */
export async function insertEdges(db: Database, heard: readonly ClaimedHeard[]): Promise<WrittenEdge[]> {
  const writes = heard.map((each) => ({ ...each, expected: each.presence, otherBoots: [] }))
  const rows = await db.sql<WrittenEdge[]>`
    insert into edges (
      id, region, boot, version, state, started_at, last_seen_at, sent_at, sequence, sequence_boot, other_boots,
      wire_version, clock_skew_ms, clock_skew_seen_ms, heartbeat_ms, config_applied, config_rejected,
      config_rejected_reason, revocations_applied, desired_claimed, desired_version, config_versions,
      config_rejected_versions, gauges, degraded, unsaved, listeners, counted, uptime_ms)
    select id, region, boot, version, state, started_at, now(), sent_at, sequence, boot, other_boots,
      ${wireVersion}, skew_ms, skew_ms, heartbeat_ms, config_applied, config_rejected,
      config_rejected_reason, revocations_applied, desired_claimed, desired_version, config_versions,
      config_rejected_versions, gauges, degraded, unsaved, listeners, counted, counted_uptime_ms
    from (${heardIn(db, writes)}) as heard
    -- In one order, so that replicas do not wait for each other in a circle.
    order by id
    on conflict (id) do nothing
    returning id, boot, false as forgotten`
  return [...rows]
}

/**
 * Heartbeats as rows. All of them are one JSON text, which is faster than an array for each column. Times of the edge
 * become times of the database where they are shown.
 */
function heardIn({ sql: query }: Database, writes: readonly HeartbeatWrite[]) {
  return query`
    select *,
      to_timestamp(sent_ms / 1000.0) as sent_at,
      now() - (age_ms + uptime_ms) * interval '1 millisecond' as started_at,
      round(sent_ms - extract(epoch from now()) * 1000 + age_ms)::bigint as skew_ms
    from json_to_recordset(${JSON.stringify(writes.map(rowOf))}::text::json) as heard (
      id text, region text, boot uuid, version text, state text, sequence bigint, heartbeat_ms int,
      config_applied bigint, config_rejected bigint, config_rejected_reason text, revocations_applied bigint,
      desired_claimed bigint, desired_version bigint, config_versions jsonb, config_rejected_versions jsonb,
      gauges json, degraded jsonb, unsaved text, listeners jsonb, counted json, counted_sequence bigint,
      counted_uptime_ms bigint, uptime_ms bigint, sent_ms float8, age_ms float8, expected_boot uuid, expected_region text, other_boots jsonb)`
}

/** By column. What is undefined is null in Postgres. */
const rowOf = ({ presence, ageMs, counting = presence, claims, expected, otherBoots }: HeartbeatWrite) => ({
  id: presence.edge,
  region: presence.region,
  boot: presence.boot,
  version: presence.version,
  state: presence.state,
  sequence: presence.sequence,
  heartbeat_ms: presence.heartbeatMs ?? defaultHeartbeatMs,
  config_applied: presence.config.applied,
  config_rejected: presence.config.rejected?.revision,
  config_rejected_reason: presence.config.rejected?.reason,
  revocations_applied: claims.revocationsApplied,
  desired_claimed: claims.desiredClaimed,
  desired_version: claims.desiredVersion,
  config_versions: claims.configVersions,
  config_rejected_versions: claims.configRejectedVersions,
  gauges: presence.gauges,
  degraded: presence.degraded,
  unsaved: presence.unsaved,
  listeners: presence.listeners,
  counted: countedIn(counting),
  counted_sequence: counting.sequence,
  counted_uptime_ms: uptimeOf(counting),
  uptime_ms: uptimeOf(presence),
  sent_ms: presence.at,
  age_ms: ageMs,
  expected_boot: expected.boot,
  expected_region: expected.region,
  other_boots: otherBoots,
})

const uptimeOf = ({ at, startedAt }: Presence): number => Math.max(0, at - startedAt)

function countedIn(presence: Presence): Counted | undefined {
  const { at, counters, logins } = presence
  return counters && { at, uptimeMs: uptimeOf(presence), counters, logins }
}

/** The heartbeats whose edge has no row, or one of another boot or region. */
export async function ofOtherBoots<T extends Heard>(
  { sql: query }: Database,
  heard: readonly T[],
): Promise<T[]> {
  if (heard.length === 0) return []
  const ids = heard.map(({ presence }) => presence.edge)
  const rows = await query<{ id: string; boot: string; region: string }[]>`
    select id, boot, region from edges where id = any(${ids}::text[])`
  const known = new Map(rows.map((row) => [row.id, row]))
  return heard.filter(({ presence: { edge, boot, region } }) => {
    const row = known.get(edge)
    return row?.boot !== boot || row.region !== region
  })
}

/** What is needed to place a heartbeat of another boot. */
export async function knownBoots(
  queries: Queries,
  ids: readonly string[],
): Promise<Map<string, KnownBoot & { now: number }>> {
  const rows = await queries
    .select({
      id: edges.id,
      boot: edges.boot,
      region: edges.region,
      sequence: sql<
        number | null
      >`case when ${edges.sequenceBoot} = ${edges.boot} then ${edges.sequence}::float8 end`,
      state: edges.state,
      silent: silenceColumns.silent,
      lastSeenAt: edges.lastSeenAt,
      otherBoots: edges.otherBoots,
      now: sql<number>`(extract(epoch from now()) * 1000)::float8`,
    })
    .from(edges)
    .where(sql`${edges.id} = any(${sql.param([...ids])}::text[])`)
  return new Map(rows.map(({ id, ...known }) => [id, known]))
}

/** Notes a heartbeat of a replaced boot. False: another replica has written the row meanwhile. */
export async function noteOtherBoots(
  queries: Queries,
  { id, known, otherBoots }: { id: string; known: KnownBoot; otherBoots: ReplacedBoot[] },
): Promise<boolean> {
  const noted = await queries
    .update(edges)
    .set({ otherBoots })
    .where(
      and(
        eq(edges.id, id),
        eq(edges.boot, known.boot),
        sql`${edges.otherBoots} = ${JSON.stringify(known.otherBoots)}::jsonb`,
      ),
    )
    .returning({ id: edges.id })
  return noted.length > 0
}

const unknownBoot = '00000000-0000-0000-0000-000000000000'

/** Notes edges that speak another wire version. Their metrics and problems are unknown. Returns the forgotten ones. */
export async function noteForeign(db: Database, heard: readonly ForeignPresence[]): Promise<WrittenEdge[]> {
  const column = <T>(read: (presence: ForeignPresence) => T) => heard.map(read)
  const rows = await db.sql<WrittenEdge[]>`
    insert into edges (
      id, region, boot, version, state, started_at, last_seen_at, sent_at, wire_version, heartbeat_ms, config_applied,
      revocations_applied, gauges, degraded, listeners)
    select id, region, coalesce(boot, ${unknownBoot}), coalesce(version, 'unknown'), 'serving', now(), now(), now(),
      wire_version, heartbeat_ms, 0, 0, '{}', '[]', '[]'
    from unnest(
      ${column((p) => p.edge)}::text[], ${column((p) => p.region)}::text[], ${column((p) => p.boot ?? null)}::uuid[],
      ${column((p) => p.version ?? null)}::text[], ${column((p) => p.v)}::int[],
      ${column((p) => p.heartbeatMs ?? defaultHeartbeatMs)}::int[]
    ) as heard (id, region, boot, version, wire_version, heartbeat_ms)
    order by id
    on conflict (id) do update set
      region = excluded.region, version = excluded.version, last_seen_at = now(),
      wire_version = excluded.wire_version, heartbeat_ms = excluded.heartbeat_ms, gauges = '{}', degraded = '[]',
      unsaved = null, clock_skew_ms = null, counted = null, counted_before = null
    returning id, boot, forgotten_at is not null as forgotten`
  return [...rows]
}
