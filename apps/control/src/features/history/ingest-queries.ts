/** Writes reports in bulk. The same report twice is one row. */
import type { Report } from '@imapfleet/protocol'
import type { Database } from '../../platform/db/database.ts'
import { packFigures } from './packed.ts'
import { spreadMaxMs } from './increases.ts'
import type { ReadReport } from './report-reader.ts'
import type { Series } from './series.ts'

/** A report with its time by the clock of control. */
export interface PlacedReport extends Report {
  /** Its own time was wrong. A second delivery could have another time. */
  isMoved: boolean
}

/** A report as it is written. Its series are numbers, so that the decoded report need not be kept. */
export interface PackedReport extends ReadReport, Pick<PlacedReport, 'isMoved'> {
  /** Set if it has series without a number: those, and the report to pack again when they have one. */
  unknown?: { keys: ReadonlySet<string>; report: PlacedReport } | undefined
}

/** Packs the figures. `series` must have been refreshed since the last statement. */
export function packReport(series: Series, report: PlacedReport): PackedReport {
  const { edge, region, boot, sequence, at, startedAt, isMoved } = report
  const keys = new Set<string>()
  const numberOf = (key: string) => {
    const number = series.numberOf(key)
    if (number === undefined) keys.add(key)
    return number
  }
  const figures = packFigures(report, numberOf)
  const unknown = keys.size > 0 ? { keys, report } : undefined
  return { edge, region, boot, sequence, at, startedAt, isMoved, figures, unknown }
}

/**
 * Stores reports, and marks the minutes that are due again. One statement. Each column is passed as one text, which is faster
 * than an array or one parameter for each element. The figures of all reports are one text. Returns the reports with series
 * that have no number; these series were left out.
 */
export async function insertReports(
  db: Database,
  series: Series,
  packed: readonly PackedReport[],
): Promise<PackedReport[]> {
  const reports = await withNewSeries(series, packed)
  const column = (of: (report: PackedReport) => string | number | boolean) => reports.map(of).join(',')
  const figures = Buffer.concat(reports.map((report) => report.figures.bytes)).toString('hex')
  await db.sql`
    with received as (
      select * from unnest(
        string_to_array(${column(({ edge }) => edge)}, ','),
        string_to_array(${column(({ boot }) => boot)}, ','),
        string_to_array(${column(({ sequence }) => sequence)}, ','),
        string_to_array(${column(({ at }) => at)}, ','),
        string_to_array(${column(({ region }) => region)}, ','),
        string_to_array(${column(({ startedAt }) => startedAt)}, ','),
        string_to_array(${column(({ isMoved }) => isMoved)}, ','),
        string_to_array(${column(placeInAll())}, ',')::int[],
        string_to_array(${column((report) => report.figures.counters)}, ',')::int[],
        string_to_array(${column((report) => report.figures.gauges)}, ',')::int[],
        string_to_array(${column((report) => report.figures.histograms)}, ',')::int[]
      ) as report (edge, boot, sequence, at, region, started_at, is_moved, place, counters, gauges, histograms)
    ),
    figures as materialized (select decode(${figures}, 'hex') as bytes),
    stored as (
      insert into reports (edge, boot, sequence, at, region, started_at, counters, gauges, histograms)
      select edge, boot::uuid, sequence::bigint, to_timestamp(at::float8 / 1000), region,
        to_timestamp(started_at::float8 / 1000),
        substr(bytes, place, counters), substr(bytes, place + counters, gauges),
        substr(bytes, place + counters + gauges, histograms)
      from received, figures
      -- The time is part of the key, so the key alone does not find a report that was moved before.
      where not is_moved::boolean or not exists (
        select from reports where reports.edge = received.edge and reports.boot = received.boot::uuid
          and reports.sequence = received.sequence::bigint)
      on conflict do nothing
      returning region, at
    )
    insert into history_due (resolution, region, at, spreads)
    select '1m', region, date_bin('1 minute', minute.at, 'epoch') as at, bool_or(minute.spreads)
    from stored cross join lateral (
      -- Its counts reach back into the minute before.
      values (stored.at, true), (stored.at - ${spreadMaxMs} * interval '1 millisecond', false)
    ) as minute (at, spreads)
    group by region, date_bin('1 minute', minute.at, 'epoch')`
  return reports.filter(({ unknown }) => unknown !== undefined)
}

/** The places of the figures, from 1, if they follow each other in the order of the calls. */
function placeInAll(): (report: PackedReport) => number {
  let next = 1
  return ({ figures }) => {
    const place = next
    next += figures.bytes.length
    return place
  }
}

/** Gives numbers to series that have none, and packs the reports with them again. */
async function withNewSeries(
  series: Series,
  packed: readonly PackedReport[],
): Promise<readonly PackedReport[]> {
  const keysOfEdges = new Map<string, Set<string>>()
  for (const { edge, unknown } of packed) {
    if (!unknown) continue
    const ofEdge = keysOfEdges.get(edge)
    if (ofEdge) for (const key of unknown.keys) ofEdge.add(key)
    else keysOfEdges.set(edge, new Set(unknown.keys))
  }
  if (keysOfEdges.size === 0 || !(await series.learn(keysOfEdges))) return packed
  return packed.map((each) => (each.unknown ? packReport(series, each.unknown.report) : each))
}
