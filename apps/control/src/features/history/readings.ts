/** Reads stored reports. */
import type { Reading } from './reading.ts'
import { bounded, figureColumns, type PackedFigures } from './figures.ts'
import { unpackCounters, unpackHistograms } from './packed.ts'
import type { WantedSeries } from './series.ts'
import { instantSql, milliseconds, type Fragment, type Sql } from '../../platform/db/sql.ts'

export interface ReadingsFilter {
  /** Milliseconds since 1970. `from` is included, `to` is not. */
  from: number
  to: number
  region?: string | undefined
  edge?: string | undefined
  edges?: readonly string[] | undefined
}

type ReportRow = Omit<Reading, 'counters' | 'gauges' | 'histograms'> & PackedFigures

const readingsMax = 100_000
/** How far from a report its neighbours are searched first, so that most partitions are not read. */
const nearMs = 86_400_000

/** All readings within the time, and for each boot the one before it, which may be older. */
export async function readReadings(
  sql: Sql,
  filter: ReadingsFilter,
  wanted: WantedSeries,
): Promise<Reading[]> {
  const rows = bounded(
    await sql<ReportRow[]>`
      select ${columns(sql, wanted)} from reports where ${chosen(sql, filter)} limit ${readingsMax + 1}`,
    readingsMax,
  )
  const readings = rows.map((row) => readingOf(row, wanted))
  return [...readings, ...(await readBefore(sql, filter, readings, wanted))]
}

/**
 * For each boot the first and the last reading within the time, and the one before: enough to compute what was
 * counted in it.
 */
export async function readEnds(sql: Sql, filter: ReadingsFilter, wanted: WantedSeries): Promise<Reading[]> {
  const end = async (order: Fragment) => {
    const rows = await sql<ReportRow[]>`
      select distinct on (edge, boot) ${columns(sql, wanted)} from reports
      where ${chosen(sql, filter)} order by edge, boot, ${order}`
    return rows.map((row) => readingOf(row, wanted))
  }
  const firsts = await end(sql`sequence`)
  const lasts = await end(sql`sequence desc`)
  return [...firsts, ...lasts, ...(await readBefore(sql, filter, firsts, wanted))]
}

/** The readings before the given ones, except those that are among them. */
async function readBefore(
  sql: Sql,
  filter: ReadingsFilter,
  readings: readonly Reading[],
  wanted: WantedSeries,
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

/** Region and time of the readings after the given ones, except those that are among them. */
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
  const there = new Set(readings.map(({ boot, sequence }) => `${boot}/${sequence}`))
  return readings.filter(({ boot, sequence }) => !there.has(`${boot}/${sequence + distance}`))
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

const chosen = (sql: Sql, { from, to, region, edge, edges }: ReadingsFilter) => sql`
  at >= ${instantSql(sql, from)} and at < ${instantSql(sql, to)}
  ${region === undefined ? sql`` : sql`and region = ${region}`}
  ${edge === undefined ? sql`` : sql`and edge = ${edge}`}
  ${edges === undefined ? sql`` : sql`and edge = any(${edges as string[]}::text[])`}`

const columns = (sql: Sql, wanted: WantedSeries) => sql`
  edge, region, boot, sequence::float8 as sequence, ${milliseconds(sql, sql`at`)} as at,
  ${milliseconds(sql, sql`started_at`)} as "startedAt" ${figureColumns(sql, wanted)}`

const readingOf = (row: ReportRow, { keyOf }: WantedSeries): Reading => ({
  ...row,
  counters: row.counters ? unpackCounters(row.counters, keyOf) : {},
  gauges: row.gauges ? unpackCounters(row.gauges, keyOf) : {},
  histograms: row.histograms ? unpackHistograms(row.histograms, keyOf) : {},
})
