/**
 * Reads reports back for a history. Of cumulative values the last report of each boot and step is enough, so an answer
 * has as many rows as it has points, not as there are reports.
 */
import type { GaugeStep } from '../history/history-of.ts'
import type { Reading } from '../history/increases.ts'
import type { Window } from '../history/window.ts'
import type { Database } from './database.ts'

export interface HistoryFilter {
  window: Window
  /** Names of metrics, without labels. */
  names: string[]
  region?: string | undefined
  edge?: string | undefined
  edges?: string[] | undefined
}

/** Beyond it the answer is refused rather than held in memory. */
export const historyRowsMax = 500_000

/** Of each boot: the last reading before the window, the first in it, and the last of each step. */
export async function readReadings(db: Database, filter: HistoryFilter): Promise<Reading[]> {
  const { sql } = db
  const { from, to, stepMs } = filter.window
  return await sql<Reading[]>`
    with within as (
      select edge, boot, at, sequence, floor((extract(epoch from at) * 1000 - ${from}::bigint) / ${stepMs}::bigint) as step
      from reports
      where at >= to_timestamp(${from}::float8 / 1000) and at < to_timestamp(${to}::float8 / 1000)
        ${filter.region === undefined ? sql`` : sql`and region = ${filter.region}`}
        ${filter.edge === undefined ? sql`` : sql`and edge = ${filter.edge}`}
        ${filter.edges === undefined ? sql`` : sql`and edge = any(${filter.edges}::text[])`}
    ),
    taken as (
      (select distinct on (edge, boot, step) edge, boot, at, sequence from within
        order by edge, boot, step, sequence desc limit ${historyRowsMax + 1})
      union
      (select distinct on (edge, boot) edge, boot, at, sequence from within
        order by edge, boot, sequence limit ${historyRowsMax + 1})
    ),
    earlier as (
      select boots.edge, boots.boot, last.at, last.sequence
      from (select distinct edge, boot from taken) as boots
      cross join lateral (
        select at, sequence from reports
        where edge = boots.edge and boot = boots.boot and at < to_timestamp(${from}::float8 / 1000)
        order by at desc, sequence desc limit 1
      ) as last
    )
    select edge, region, boot, sequence::float8 as sequence,
      round(extract(epoch from at) * 1000)::float8 as at,
      round(extract(epoch from started_at) * 1000)::float8 as "startedAt",
      ${picked(db, 'counters', filter.names)} as counters, ${picked(db, 'histograms', filter.names)} as histograms
    from (select * from taken union all select * from earlier) as chosen
    join reports using (edge, boot, at, sequence)`
}

/** Every gauge asked for, by edge and step. */
export async function readGauges(db: Database, filter: HistoryFilter): Promise<GaugeStep[]> {
  const { sql } = db
  const { from, to, stepMs } = filter.window
  return await sql<GaugeStep[]>`
    select edge, max(region) as region, step, key, avg(value) as average, max(value) as max, min(value) as min,
      (array_agg(value order by at desc, sequence desc))[1] as last
    from (
      select edge, region, at, sequence, series.key, series.value::float8 as value,
        floor((extract(epoch from at) * 1000 - ${from}::bigint) / ${stepMs}::bigint)::int as step
      from reports cross join lateral jsonb_each_text(gauges) as series
      where at >= to_timestamp(${from}::float8 / 1000) and at < to_timestamp(${to}::float8 / 1000)
        and split_part(series.key, '{', 1) = any(${filter.names}::text[])
        ${filter.region === undefined ? sql`` : sql`and region = ${filter.region}`}
        ${filter.edge === undefined ? sql`` : sql`and edge = ${filter.edge}`}
    ) as within
    group by edge, step, key
    limit ${historyRowsMax + 1}`
}

/** Only the series that were asked for. */
const picked = ({ sql }: Database, column: 'counters' | 'histograms', names: string[]) => sql`(
  select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(${sql(column)})
  where split_part(key, '{', 1) = any(${names}::text[]))`
