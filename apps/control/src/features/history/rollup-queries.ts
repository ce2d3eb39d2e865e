/** Rollups: counts within 10 s, a minute or an hour, by edge and by region, and which of them are due. */
import type { AccessLimits } from '@imapfleet/api'
import { parseSeriesKey } from '@imapfleet/observe'
import {
  packCounters,
  packGauges,
  packHistograms,
  unpackCounters,
  unpackGauges,
  unpackHistograms,
  type NumberOf,
} from './packed.ts'
import type { HistoryRow } from './rows.ts'
import { bounded, figureColumns, withinLimits, type PackedFigures } from './queries.ts'
import type { RequestedSeries } from './series.ts'
import { instantSql, milliseconds, type Sql } from '../../platform/db/sql.ts'

const rowsMax = 400_000

type Rollup = '10s' | '1m' | '1h'

export interface RollupFilter {
  limits: AccessLimits
  from: number
  to: number
  /** Single edges, or whole regions. */
  by: 'edge' | 'region'
  region?: string | undefined
  edge?: string | undefined
}

export async function readRollups(
  sql: Sql,
  resolution: Rollup,
  { limits, from, to, by, region, edge }: RollupFilter,
  wanted: RequestedSeries,
): Promise<HistoryRow[]> {
  const edges = by === 'region' ? sql`edge = ''` : edge === undefined ? sql`edge <> ''` : sql`edge = ${edge}`
  const rows = await sql<(Pick<HistoryRow, 'edge' | 'region' | 'at'> & PackedFigures)[]>`
    select edge, region, ${milliseconds(sql, sql`at`)} as at ${figureColumns(sql, wanted)}
    from ${sql(`history_${resolution}`)}
    where at >= ${instantSql(sql, from)} and at < ${instantSql(sql, to)} and ${edges} ${withinLimits(sql, limits)}
      ${region === undefined ? sql`` : sql`and region = ${region}`}
    limit ${rowsMax + 1}`
  return bounded(rows, rowsMax).map((row) => ({
    ...row,
    counters: row.counters ? unpackCounters(row.counters, wanted.keyOf) : {},
    gauges: row.gauges ? unpackGauges(row.gauges, wanted.keyOf) : {},
    histograms: row.histograms ? unpackHistograms(row.histograms, wanted.keyOf) : {},
  }))
}

/** Replaces the existing rows: a rollup is always made as a whole. */
export async function writeRollups(
  sql: Sql,
  resolution: Rollup,
  rows: readonly HistoryRow[],
  numberOf: NumberOf,
): Promise<void> {
  if (rows.length === 0) return
  const hex = (pack: (row: HistoryRow) => Buffer) => rows.map((row) => pack(row).toString('hex'))
  await sql`
    insert into ${sql(`history_${resolution}`)} (edge, at, region, counters, gauges, histograms)
    select edge, to_timestamp(at / 1000), region,
      decode(counters, 'hex'), decode(gauges, 'hex'), decode(histograms, 'hex')
    from unnest(
      ${rows.map(({ edge }) => edge)}::text[], ${rows.map(({ at }) => at)}::float8[],
      ${rows.map(({ region }) => region)}::text[],
      ${hex(({ counters }) => packCounters(told(counters), numberOf))}::text[],
      ${hex(({ gauges }) => packGauges(gauges, numberOf))}::text[],
      ${hex(({ histograms }) => packHistograms(told(histograms), numberOf))}::text[]
    ) as rollup (edge, at, region, counters, gauges, histograms)
    on conflict (edge, at, region) do update set
      counters = excluded.counters, gauges = excluded.gauges, histograms = excluded.histograms`
}

/**
 * Leaves out zero counts: the row itself says that the edge reported. For a single upstream they are kept, because
 * zero and unknown must differ.
 */
function told<T extends number | HistoryRow['histograms'][string]>(
  series: Readonly<Record<string, T>>,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(series).filter(
      ([key, value]) =>
        (typeof value === 'number' ? value !== 0 : Object.keys(value.counts).length > 0) ||
        'upstream' in parseSeriesKey(key).labels,
    ),
  )
}

export interface Due {
  resolution: '1m' | '1h'
  region: string
  at: number
}

export async function readDue(sql: Sql, from: number, to: number): Promise<Due[]> {
  return await sql<Due[]>`
    select distinct resolution, region, ${milliseconds(sql, sql`at`)} as at from history_due
    where at >= ${instantSql(sql, from)} and at < ${instantSql(sql, to)}`
}

/** The newest one that is due and begins within this time: late reports of one edge do not delay the present. */
export async function nextDue(
  sql: Sql,
  resolution: Due['resolution'],
  from: number,
  until: number,
): Promise<Due | undefined> {
  const [due] = await sql<Due[]>`
    select resolution, region, ${milliseconds(sql, sql`at`)} as at from history_due
    where resolution = ${resolution} and at >= ${instantSql(sql, from)} and at < ${instantSql(sql, until)}
    order by history_due.at desc, region limit 1`
  return due
}

/** Whether any of the marks was set because reports arrived. Undefined: there are no marks. */
export async function takeDue(sql: Sql, { resolution, region, at }: Due): Promise<boolean> {
  const marks = await sql<{ spreads: boolean }[]>`
    delete from history_due
    where resolution = ${resolution} and region = ${region} and at = ${instantSql(sql, at)} returning spreads`
  return marks.some(({ spreads }) => spreads)
}

export async function addDue(sql: Sql, due: readonly Due[]): Promise<void> {
  if (due.length === 0) return
  await sql`
    insert into history_due (resolution, region, at, spreads)
    select resolution, region, to_timestamp(at / 1000), false from unnest(
      ${due.map(({ resolution }) => resolution)}::text[], ${due.map(({ region }) => region)}::text[],
      ${due.map(({ at }) => at)}::float8[]
    ) as due (resolution, region, at)`
}

/** The time since which reports are kept. Earlier intervals may be incomplete. */
export async function readReportsSince(sql: Sql): Promise<number> {
  const [row] = await sql<{ at: number }[]>`select ${milliseconds(sql, sql`reports_since`)} as at from fleet`
  if (!row) throw new Error('the table fleet is empty')
  return row.at
}
