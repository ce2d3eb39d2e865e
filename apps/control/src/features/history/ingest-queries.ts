/** Writes reports in bulk. The same report twice is one row. */
import type { Report } from '@imapfleet/protocol'
import type { Database } from '../../platform/db/database.ts'
import { packCounters, packHistograms } from './packed.ts'
import { spreadMaxMs } from './increases.ts'
import type { Series } from './series.ts'

/** A report whose time is that of control. */
export interface PlacedReport extends Report {
  /** Its own time was wrong. A second delivery could have another time. */
  isMoved: boolean
}

interface Figures {
  counters: string
  gauges: string
  histograms: string
}

/** A report as it is written. Its series are numbers, so that what was decoded need not be kept. */
export interface PackedReport
  extends
    Figures,
    Pick<PlacedReport, 'edge' | 'region' | 'boot' | 'sequence' | 'at' | 'startedAt' | 'isMoved'> {
  /** Set if it has series without a number: those, and the report to pack again when they have one. */
  unknown: { keys: ReadonlySet<string>; report: PlacedReport } | undefined
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
  return {
    edge,
    region,
    boot,
    sequence,
    at,
    startedAt,
    isMoved,
    counters: packCounters(report.counters, numberOf).toString('hex'),
    gauges: packCounters(report.gauges, numberOf).toString('hex'),
    histograms: packHistograms(report.histograms, numberOf).toString('hex'),
    unknown: keys.size > 0 ? { keys, report } : undefined,
  }
}

/**
 * Stores reports, and marks the minutes that are due again. One statement. Each column is passed as one text, which
 * is faster than an array or one parameter for each element. Returns the reports with series that have no number; these
 * series were left out.
 */
export async function insertReports(
  db: Database,
  series: Series,
  packed: readonly PackedReport[],
): Promise<PackedReport[]> {
  const reports = await withNewSeries(series, packed)
  const column = (of: (report: PackedReport) => string | number | boolean) => reports.map(of).join(',')
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
        string_to_array(${column(({ counters }) => counters)}, ','),
        string_to_array(${column(({ gauges }) => gauges)}, ','),
        string_to_array(${column(({ histograms }) => histograms)}, ',')
      ) as report (edge, boot, sequence, at, region, started_at, is_moved, counters, gauges, histograms)
    ),
    stored as (
      insert into reports (edge, boot, sequence, at, region, started_at, counters, gauges, histograms)
      select edge, boot::uuid, sequence::bigint, to_timestamp(at::float8 / 1000), region,
        to_timestamp(started_at::float8 / 1000),
        decode(counters, 'hex'), decode(gauges, 'hex'), decode(histograms, 'hex')
      from received
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
