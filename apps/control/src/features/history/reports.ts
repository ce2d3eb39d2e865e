/** Writes reports in bulk. The same report twice is one row. */
import type { Report } from '@imapfleet/protocol'
import { packCounters, packHistograms } from './packed.ts'
import type { Database } from '../../platform/db/database.ts'

interface Packed {
  counters: string
  gauges: string
  histograms: string
}

/**
 * Stores reports, and marks the minutes that are due again. One statement. Each column is passed as one text, which
 * is faster than an array or one parameter for each element.
 */
export async function insertReports(db: Database, reports: readonly Report[]): Promise<void> {
  const packed = await packAll(db, reports)
  const joined = (values: readonly (string | number)[]) => values.join(',')
  const column = (of: (report: Report) => string | number) => joined(reports.map(of))
  await db.sql`
    with received as (
      select * from unnest(
        string_to_array(${column(({ edge }) => edge)}, ','),
        string_to_array(${column(({ boot }) => boot)}, ','),
        string_to_array(${column(({ sequence }) => sequence)}, ','),
        string_to_array(${column(({ at }) => at)}, ','),
        string_to_array(${column(({ region }) => region)}, ','),
        string_to_array(${column(({ startedAt }) => startedAt)}, ','),
        string_to_array(${joined(packed.map(({ counters }) => counters))}, ','),
        string_to_array(${joined(packed.map(({ gauges }) => gauges))}, ','),
        string_to_array(${joined(packed.map(({ histograms }) => histograms))}, ',')
      ) as report (edge, boot, sequence, at, region, started_at, counters, gauges, histograms)
    ),
    stored as (
      insert into reports (edge, boot, sequence, at, region, started_at, counters, gauges, histograms)
      select edge, boot::uuid, sequence::bigint, to_timestamp(at::float8 / 1000), region,
        to_timestamp(started_at::float8 / 1000),
        decode(counters, 'hex'), decode(gauges, 'hex'), decode(histograms, 'hex')
      from received
      on conflict do nothing
      returning region, at
    )
    insert into history_due (resolution, region, at, spreads)
    select distinct '1m', region, date_bin('1 minute', at, 'epoch'), true from stored`
}

async function packAll(db: Database, reports: readonly Report[]): Promise<Packed[]> {
  const strange = new Set<string>()
  const numberOf = (key: string) => {
    const number = db.series.numberOf(key)
    if (number === undefined) strange.add(key)
    return number
  }
  const pack = (report: Report): Packed => ({
    counters: packCounters(report.counters, numberOf).toString('hex'),
    gauges: packCounters(report.gauges, numberOf).toString('hex'),
    histograms: packHistograms(report.histograms, numberOf).toString('hex'),
  })
  const packed = reports.map(pack)
  if (strange.size === 0) return packed
  await db.series.learn(db.sql, strange)
  return reports.map(pack)
}
