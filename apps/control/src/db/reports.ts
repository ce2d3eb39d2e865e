/** What edges reported, written in bulk. The same report twice is one row. */
import type { Report } from '@imapfleet/protocol'
import type { Database } from './database.ts'

export async function insertReports(db: Database, reports: readonly Report[]): Promise<void> {
  const column = <T>(read: (report: Report) => T) => reports.map(read)
  await db.sql`
    insert into reports (edge, boot, at, sequence, region, started_at, counters, gauges, histograms)
    select edge, boot, to_timestamp(at / 1000.0), sequence, region, to_timestamp(started_at / 1000.0),
      counters::jsonb, gauges::jsonb, histograms::jsonb
    from unnest(
      ${column((r) => r.edge)}::text[], ${column((r) => r.boot)}::uuid[], ${column((r) => r.at)}::float8[],
      ${column((r) => r.sequence)}::bigint[], ${column((r) => r.region)}::text[],
      ${column((r) => r.startedAt)}::float8[], ${column((r) => JSON.stringify(r.counters))}::text[],
      ${column((r) => JSON.stringify(r.gauges))}::text[], ${column((r) => JSON.stringify(r.histograms))}::text[]
    ) as received (edge, boot, at, sequence, region, started_at, counters, gauges, histograms)
    on conflict do nothing`
}
