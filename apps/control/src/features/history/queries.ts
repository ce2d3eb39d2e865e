/** Reads stored reports. */
import type { AccessLimits } from '@imapfleet/api'
import { instantSql, milliseconds, type Fragment, type Sql } from '../../platform/db/sql.ts'
import { spreadMaxMs, type Reading } from './increases.ts'
import { unpackCounters, unpackBucketLists } from './packed.ts'
import type { RequestedSeries } from './series.ts'

/** As packed.ts writes them. What was not requested is missing. */
export interface PackedFigures {
  counters?: Uint8Array
  gauges?: Uint8Array
  histograms?: Uint8Array
}

/** The requested columns, to follow other columns. */
export const figureColumns = (sql: Sql, { kinds }: RequestedSeries) => sql`
  ${kinds.has('counter') ? sql`, counters` : sql``} ${kinds.has('gauge') ? sql`, gauges` : sql``}
  ${kinds.has('histogram') ? sql`, histograms` : sql``}`

/** Above this limit the caller must request less, so that control need not hold all of it in memory. */
export class TooManyRows extends Error {}

export function bounded<T extends readonly unknown[]>(rows: T, rowsMax: number): T {
  if (rows.length > rowsMax) throw new TooManyRows(`more than ${rowsMax} rows`)
  return rows
}

export interface ReadingsFilter {
  limits: AccessLimits
  /** Milliseconds since 1970. `from` is included, `to` is not. */
  from: number
  to: number
  region?: string | undefined
  edge?: string | undefined
  edges?: readonly string[] | undefined
}

type ReportRow = Omit<Reading, 'counters' | 'gauges' | 'histograms'> & PackedFigures

const readingsMax = 200_000
/** How far from a report its neighbours are searched first, so that most partitions are not read. */
const nearMs = 86_400_000

/**
 * All readings within the time, and for each boot the one before it, which may be older, and the next one whose counts
 * reach back into it.
 */
export async function readReadings(
  sql: Sql,
  filter: ReadingsFilter,
  wanted: RequestedSeries,
): Promise<Reading[]> {
  const within = bounded(
    await sql<ReportRow[]>`
      select ${columns(sql, wanted)} from reports where ${chosen(sql, filter)} limit ${readingsMax + 1}`,
    readingsMax,
  )
  const after = await sql<ReportRow[]>`
    select distinct on (edge, boot) ${columns(sql, wanted)} from reports
    where ${chosen(sql, { ...filter, from: filter.to, to: filter.to + spreadMaxMs })}
    order by edge, boot, sequence`
  const readings = [...within, ...after].map((row) => readingOf(row, wanted))
  return [...readings, ...(await readBefore(sql, filter, readings, wanted))]
}

/**
 * The time up to which the chosen edges have reported: later counts are incomplete. An edge whose reports are a minute
 * older than those of another edge is ignored. Undefined: all edges are ignored, or no edge has reported within the last
 * hour.
 */
export async function readSettled(
  sql: Sql,
  { limits, region, edge }: Pick<ReadingsFilter, 'limits' | 'region' | 'edge'>,
  now: number,
): Promise<number | undefined> {
  for (const backMs of [2 * spreadMaxMs, 60 * spreadMaxMs]) {
    const [row] = await sql<{ newest: number | null; settled: number | null }[]>`
      with last as (
        select region, edge, max(at) as at from reports
        where ${chosen(sql, { limits, from: now - backMs, to: now + 1 })} group by region, edge),
      newest as (select max(at) as at from last)
      select ${milliseconds(sql, sql`(select at from newest)`)} as newest,
        ${milliseconds(sql, sql`min(at)`)} as settled
      from last where at >= (select at from newest) - ${spreadMaxMs} * interval '1 millisecond'
        ${region === undefined ? sql`` : sql`and region = ${region}`}
        ${edge === undefined ? sql`` : sql`and edge = ${edge}`}`
    // Otherwise an edge that is waited for may have reported before that time.
    const isCovered = typeof row?.newest === 'number' && row.newest - spreadMaxMs >= now - backMs
    if (isCovered) return row.settled ?? undefined
  }
  return undefined
}

/**
 * For each boot the first and the last reading within the time, and the one before: enough to compute what was
 * counted in it.
 */
export async function readEnds(
  sql: Sql,
  filter: ReadingsFilter,
  wanted: RequestedSeries,
): Promise<Reading[]> {
  // Sorting whole rows would cost many times as much: a fleet of 1,000 edges sends 90,000 reports in 15 minutes.
  const rows = await sql<ReportRow[]>`
    with ends as (
      select edge as of_edge, boot as of_boot, min(sequence) as first, max(sequence) as last
      from reports where ${chosen(sql, filter)} group by edge, boot)
    select ${columns(sql, wanted)} from ends cross join lateral (
      select * from reports
      where edge = of_edge and boot = of_boot and sequence in (first, last) and ${chosen(sql, filter)}
    ) as reports order by sequence`
  const ends = rows.map((row) => readingOf(row, wanted))
  const firsts = new Map(ends.toReversed().map((reading) => [`${reading.edge}/${reading.boot}`, reading]))
  return [...ends, ...(await readBefore(sql, filter, [...firsts.values()], wanted))]
}

/** The readings before the given ones, except readings among the given ones. */
async function readBefore(
  sql: Sql,
  filter: ReadingsFilter,
  readings: readonly Reading[],
  wanted: RequestedSeries,
): Promise<Reading[]> {
  const bare = withoutNeighbour(readings, -1).filter(({ sequence }) => sequence > 1)
  if (bare.length === 0) return []
  const rows = await sql<ReportRow[]>`
    select ${columns(sql, wanted)}
    from ${known(sql, bare)} cross join lateral (
      ${neighbours(sql, filter, sql`sequence < of_sequence`, sql`sequence desc`)}
    ) as before`
  return rows.map((row) => readingOf(row, wanted))
}

/** Region and time of the readings after the given ones, except readings among the given ones. */
export async function readFollowers(
  sql: Sql,
  filter: ReadingsFilter,
  readings: readonly Reading[],
): Promise<{ region: string; at: number }[]> {
  const last = withoutNeighbour(readings, 1)
  if (last.length === 0) return []
  return await sql<{ region: string; at: number }[]>`
    select distinct region, ${milliseconds(sql, sql`date_bin('1 minute', at, 'epoch')`)} as at
    from ${known(sql, last)} cross join lateral (
      ${neighbours(sql, filter, sql`sequence > of_sequence`, sql`sequence`)}
    ) as after`
}

function withoutNeighbour(readings: readonly Reading[], distance: 1 | -1): Reading[] {
  const there = new Map<string, Set<number>>()
  for (const { boot, sequence } of readings) {
    const ofBoot = there.get(boot)
    if (ofBoot) ofBoot.add(sequence)
    else there.set(boot, new Set([sequence]))
  }
  return readings.filter(({ boot, sequence }) => !there.get(boot)?.has(sequence + distance))
}

const known = (sql: Sql, readings: readonly Reading[]) => sql`
  unnest(
    ${readings.map(({ edge }) => edge)}::text[], ${readings.map(({ boot }) => boot)}::uuid[],
    ${readings.map(({ sequence }) => sequence)}::bigint[]
  ) as known (of_edge, of_boot, of_sequence)`

/** The second half runs only if the first found nothing. */
const neighbours = (sql: Sql, { from, to }: ReadingsFilter, side: Fragment, order: Fragment) => {
  const ofBoot = sql`select * from reports where edge = of_edge and boot = of_boot and ${side}`
  const near = sql`at >= ${instantSql(sql, from - nearMs)} and at < ${instantSql(sql, to + nearMs)}`
  return sql`
    (${ofBoot} and ${near} order by ${order} limit 1) union all (${ofBoot} order by ${order} limit 1) limit 1`
}

/** The condition that a row is of a region within the limits, to follow another condition. */
export const withinLimits = (sql: Sql, { regions }: AccessLimits): Fragment =>
  regions === undefined ? sql`` : sql`and region = any(${regions}::text[])`

const chosen = (sql: Sql, { limits, from, to, region, edge, edges }: ReadingsFilter) => sql`
  at >= ${instantSql(sql, from)} and at < ${instantSql(sql, to)} ${withinLimits(sql, limits)}
  ${region === undefined ? sql`` : sql`and region = ${region}`}
  ${edge === undefined ? sql`` : sql`and edge = ${edge}`}
  ${edges === undefined ? sql`` : sql`and edge = any(${edges as string[]}::text[])`}`

const columns = (sql: Sql, wanted: RequestedSeries) => sql`
  edge, region, boot, sequence::float8 as sequence, ${milliseconds(sql, sql`at`)} as at,
  ${milliseconds(sql, sql`started_at`)} as "startedAt" ${figureColumns(sql, wanted)}`

const readingOf = (row: ReportRow, { keyOf }: RequestedSeries): Reading => ({
  ...row,
  counters: row.counters ? unpackCounters(row.counters, keyOf) : {},
  gauges: row.gauges ? unpackCounters(row.gauges, keyOf) : {},
  histograms: row.histograms ? unpackBucketLists(row.histograms, keyOf) : {},
})
