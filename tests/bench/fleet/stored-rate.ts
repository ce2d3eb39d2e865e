/** How many reports were stored in a second, by the clock of Postgres. Questions of the benchmark may be answered late. */
import type postgres from 'postgres'
import { BenchError } from '../problem.ts'

/** With fewer batches, the first and the last say too much. */
const batchesMin = 8
/** What was waiting; the reports that arrive meanwhile come in small batches afterwards. */
const shareMeasured = 0.95

/** A mark before the first batch. */
export async function postgresTime(sql: postgres.Sql): Promise<string> {
  const [row] = await sql`select clock_timestamp()::text as now`
  return String(row?.['now'])
}

/**
 * From the start of the first batch to the start of the last one, without the reports of the last. NaN if there were too
 * few batches to tell.
 */
export async function storedPerSecond(
  sql: postgres.Sql,
  table: 'reports' | 'bench_reports',
  since: string,
  reports: number,
): Promise<number> {
  // A batch is one transaction, at whose start all its reports are dated.
  const batches = await sql<{ at: number; rows: number }[]>`
    select extract(epoch from received_at)::float8 as at, count(*)::int as rows
    from ${sql(table)} where received_at > ${since}::text::timestamptz group by received_at order by received_at`
  const measured: { at: number; rows: number }[] = []
  let total = 0
  for (const batch of batches) {
    measured.push(batch)
    total += batch.rows
    if (total >= reports * shareMeasured) break
  }
  const [first, last] = [measured[0], measured.at(-1)]
  if (!first || !last || total < reports * shareMeasured)
    throw new BenchError(`${total} of ${reports} reports were stored in ${table}`)
  if (measured.length < batchesMin) return NaN
  return (total - last.rows) / (last.at - first.at)
}
