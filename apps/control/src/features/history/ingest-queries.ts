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

interface Packed {
  counters: string
  gauges: string
  histograms: string
}

/**
 * Stores reports, and marks the minutes that are due again. One statement. Each column is passed as one text, which
 * is faster than an array or one parameter for each element. Returns how many series were left out, by report.
 */
export async function insertReports(
  db: Database,
  series: Series,
  reports: readonly PlacedReport[],
): Promise<Map<PlacedReport, number>> {
  const { packed, leftOut } = await packAll(series, reports)
  const joined = (values: readonly (string | number | boolean)[]) => values.join(',')
  const column = (of: (report: PlacedReport) => string | number | boolean) => joined(reports.map(of))
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
        string_to_array(${joined(packed.map(({ counters }) => counters))}, ','),
        string_to_array(${joined(packed.map(({ gauges }) => gauges))}, ','),
        string_to_array(${joined(packed.map(({ histograms }) => histograms))}, ',')
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
  return leftOut
}

async function packAll(
  series: Series,
  reports: readonly PlacedReport[],
): Promise<{ packed: Packed[]; leftOut: Map<PlacedReport, number> }> {
  const unknown = new Map<string, Set<string>>()
  const leftOut = new Map<PlacedReport, number>()
  const pack = (report: PlacedReport): Packed => {
    let missing = 0
    const numberOf = (key: string) => {
      const number = series.numberOf(key)
      if (number !== undefined) return number
      missing++
      const ofEdge = unknown.get(report.edge)
      if (ofEdge) ofEdge.add(key)
      else unknown.set(report.edge, new Set([key]))
      return undefined
    }
    const packed = {
      counters: packCounters(report.counters, numberOf).toString('hex'),
      gauges: packCounters(report.gauges, numberOf).toString('hex'),
      histograms: packHistograms(report.histograms, numberOf).toString('hex'),
    }
    if (missing > 0) leftOut.set(report, missing)
    else leftOut.delete(report)
    return packed
  }
  await series.refresh()
  const packed = reports.map(pack)
  if (unknown.size === 0 || !(await series.learn(unknown))) return { packed, leftOut }
  return { packed: reports.map(pack), leftOut }
}
