/** What edges reported, written in bulk. The same report twice is one row. */
import type { Database } from './database.ts'

const utf8 = new TextDecoder()

/**
 * `reports`: messages that have been recognised, as they came. Postgres parses them once more, which is cheaper than
 * taking them apart here and putting every part into an array for it.
 */
export async function insertReports(db: Database, reports: readonly Uint8Array[]): Promise<void> {
  const all = `[${reports.map((report) => utf8.decode(report)).join(',')}]`
  await db.sql`
    insert into reports (edge, boot, at, sequence, region, started_at, counters, gauges, histograms)
    select report ->> 'edge', (report ->> 'boot')::uuid, to_timestamp((report ->> 'at')::float8 / 1000),
      (report ->> 'sequence')::numeric, report ->> 'region', to_timestamp((report ->> 'startedAt')::float8 / 1000),
      report -> 'counters', report -> 'gauges', report -> 'histograms'
    from jsonb_array_elements(${all}::text::jsonb) as received (report)
    on conflict do nothing`
}
