/** The floor of ingest: a process that reads the same reports from a stream and writes the same rows with one unnest. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { BenchError } from '../../problem.ts'
import type { BenchPlane } from '../plane.ts'
import { postgresTime, storedPerSecond } from '../stored-rate.ts'

/** What the process gets. */
export interface ReportsFloorTask {
  natsUrl: string
  tokenFile: string | undefined
  databaseUrl: string
  reports: number
}

/** What it says when all rows are committed and all reports acknowledged. */
export const reportsFloorReply = 'stored'

/** The table has the columns and the keys of `reports`, and each row has the figures of a stored report. */
export async function prepareReportsFloor({ sql }: BenchPlane): Promise<void> {
  await sql`drop table if exists bench_reports`
  await sql`create table bench_reports (like reports including all) partition by range (at)`
  await sql`create table bench_reports_default partition of bench_reports default`
}

/** Reports in a second. They must be in the stream. */
export async function storeReportsBare(plane: BenchPlane, reports: number): Promise<number> {
  const { nats, postgres, sql } = plane
  const [before] = await sql`select count(*)::int as count from bench_reports`
  const since = await postgresTime(sql)
  const child = fork(join(import.meta.dirname, 'store-reports.ts'))
  const ended = once(child, 'exit')
  const task: ReportsFloorTask = {
    natsUrl: nats.url,
    tokenFile: nats.tokenFile,
    databaseUrl: postgres.url,
    reports,
  }
  child.send(task)
  await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new BenchError('the process of the floor has ended'))),
  ])
  child.disconnect()
  await ended
  const [after] = await sql`select count(*)::int as count from bench_reports`
  const stored = Number(after?.['count']) - Number(before?.['count'])
  if (stored !== reports) throw new BenchError(`the floor stored ${stored} of ${reports} reports`)
  return await storedPerSecond(sql, 'bench_reports', since, reports)
}
