/**
 * Fills a history of many edges over many days. The edges report one hour, which control stores and rolls up as usual. The
 * other hours are copies of it, with a different boot id for each report.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream, type JetStreamClient } from '@nats-io/jetstream'
import { encode, reportId, subjects, wireVersion, type Report } from '@imapfleet/protocol'
import { connectNats } from '../../support/simulated-edge.ts'
import { figuresAt } from '../fleet/herd/figures.ts'
import type { BenchPlane } from '../fleet/plane.ts'
import { BenchError } from '../problem.ts'
import type { HistoryBenchOptions } from './options.ts'
import { Progress } from './progress.ts'

export const regions = ['ap', 'eu', 'sa', 'us'] as const
const reportMs = 10_000
const hourMs = 3_600_000
const reportsAnHour = hourMs / reportMs
/** Limit of reports in flight. */
const underWayMax = 500
const patienceMs = 1_200_000

interface Filled {
  /** Start of the hour that was reported. Milliseconds since 1970. */
  from: number
}

export async function fill(plane: BenchPlane, { edges, days }: HistoryBenchOptions): Promise<Filled> {
  // Control rolls an hour up only some time after its end.
  const from = Math.floor((Date.now() - 2 * hourMs) / hourMs) * hourMs
  await plane.sql`update fleet set reports_since = ${new Date(from - days * 24 * hourMs).toISOString()}`
  await reportHour(plane, edges, from)
  await followed('reports stored', edges * reportsAnHour, () => count(plane, 'reports'))
  const due = await count(plane, 'history_due')
  await followed('hour rolled up', due, async () => due - (await count(plane, 'history_due')))
  await copyReports(plane, from)
  await copyRollups(plane, from, days)
  const vacuum = new Progress('tables vacuumed', 1)
  await plane.sql.unsafe('vacuum analyze')
  vacuum.end()
  return { from }
}

/** Waits until `read` has reached the total. */
async function followed(title: string, total: number, read: () => Promise<number>): Promise<void> {
  const progress = new Progress(title, total)
  const deadline = performance.now() + patienceMs
  for (let done = await read(); done < total; done = await read()) {
    if (performance.now() > deadline) throw new BenchError(`${title}: only ${done} of ${total} in 20 minutes`)
    progress.at(done)
    await sleep(1_000)
  }
  progress.end()
}

async function count({ sql }: BenchPlane, table: string): Promise<number> {
  const [row] = await sql`select count(*)::int as count from ${sql(table)}`
  return Number(row?.['count'])
}

async function reportHour(plane: BenchPlane, edges: number, from: number): Promise<void> {
  const connection = await connectNats(plane.nats)
  const client = jetstream(connection, { timeout: 20_000 })
  const senders = Array.from({ length: edges }, (_, index) => ({
    edge: `edge-${String(index).padStart(4, '0')}`,
    region: regions[index % regions.length]!,
    boot: randomUUID(),
  }))
  const underWay = new Set<Promise<void>>()
  const progress = new Progress(`an hour of ${edges} edges reported`, reportsAnHour)
  for (let sequence = 1; sequence <= reportsAnHour; sequence++) {
    progress.at(sequence - 1)
    for (const sender of senders) {
      const report: Report = {
        v: wireVersion,
        ...sender,
        at: from + (sequence - 1) * reportMs,
        startedAt: from - reportMs,
        sequence,
        ...figuresAt(sequence),
      }
      const sent: Promise<void> = send(client, report).finally(() => underWay.delete(sent))
      underWay.add(sent)
      if (underWay.size >= underWayMax) await Promise.race(underWay)
    }
  }
  await Promise.all(underWay)
  progress.end()
  await connection.close()
}

/** Retries until the stream, which has a limit, accepts the report. */
async function send(client: JetStreamClient, report: Report): Promise<void> {
  for (;;)
    try {
      await client.publish(subjects.report(report), encode(report), { msgID: reportId(report) })
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
}

/** Makes a whole day of reports that ends with the hour that was reported. */
async function copyReports({ sql }: BenchPlane, from: number): Promise<void> {
  const progress = new Progress('reports copied to a day', 23)
  for (let hour = 1; hour < 24; hour++) {
    progress.at(hour - 1)
    const back = `${hour} hours`
    await sql`
      insert into reports (edge, boot, at, sequence, region, started_at, received_at, counters, gauges, histograms)
      select edge, md5(boot::text || ${back})::uuid, at - ${back}::interval, sequence, region,
        started_at - ${back}::interval, received_at - ${back}::interval, counters, gauges, histograms
      from reports where at >= ${iso(from)} and at < ${iso(from + hourMs)}`
    await sql`
      insert into history_10s (edge, at, region, counters, gauges, histograms)
      select edge, at - ${back}::interval, region, counters, gauges, histograms
      from history_10s where at >= ${iso(from)} and at < ${iso(from + hourMs)}`
  }
  progress.end()
}

async function copyRollups({ sql }: BenchPlane, from: number, days: number): Promise<void> {
  await makeDays(sql, from, days)
  const progress = new Progress(`rollups copied to ${days} days`, days)
  for (let day = 0; day < days; day++) {
    progress.at(day)
    for (const table of ['history_1m', 'history_1h'])
      await sql`
        insert into ${sql(table)} (edge, at, region, counters, gauges, histograms)
        select edge, at - hour * interval '1 hour', region, counters, gauges, histograms
        from ${sql(table)} cross join generate_series(${day * 24}::int, ${day * 24 + 23}::int) as hour
        where at >= ${iso(from)} and at < ${iso(from + hourMs)}
        on conflict do nothing`
  }
  progress.end()
}

/** Partitions of the past; control makes the partitions of the coming days. */
async function makeDays(sql: BenchPlane['sql'], from: number, days: number): Promise<void> {
  const spans = (length: 'day' | 'month', step: number) =>
    Array.from({ length: days + 2 }, (_, index) => new Date(from - index * step)).map((date) => {
      const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
      const begin = Date.UTC(year, month, length === 'day' ? day : 1)
      const end = length === 'day' ? begin + 24 * hourMs : Date.UTC(year, month + 1, 1)
      return {
        begin,
        end,
        name: iso(begin)
          .slice(0, length === 'day' ? 10 : 7)
          .replaceAll('-', ''),
      }
    })
  for (const [table, all] of [
    ['history_1m', spans('day', 24 * hourMs)],
    ['history_1h', spans('month', 24 * hourMs)],
  ] as const)
    for (const { begin, end, name } of all)
      await sql.unsafe(
        `create table if not exists ${table}_${name} partition of ${table} for values from ('${iso(begin)}') to ('${iso(end)}')`,
      )
}

const iso = (ms: number): string => new Date(ms).toISOString()
