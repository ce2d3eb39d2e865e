/**
 * Measures how many reports one ingest process stores in a second. The reports are put into the stream while ingest is
 * stopped, so that ingest is the bottleneck.
 */
import { streams } from '@imapfleet/protocol'
import { BenchError } from '../problem.ts'
import { prepareReportsFloor, storeReportsBare } from './floor/reports.ts'
import { floorStreams } from './floor/subjects.ts'
import type { Herd } from './herd/herd.ts'
import type { BenchPlane } from './plane.ts'
import { postgresTime, storedPerSecond } from './stored-rate.ts'
import { usageOf, type PlaneUsage } from './usage.ts'

export interface IngestFigures {
  reports: number
  reportBytes: number
  /** Of each repeat. */
  perSecond: number[]
  /** Of the floor, in between. */
  floorPerSecond: number[]
  /** In the last repeat. */
  usage: PlaneUsage
}

export async function measureIngest(
  plane: BenchPlane,
  herd: Herd,
  { each, repeats }: { each: number; repeats: number },
): Promise<IngestFigures> {
  const rounds: (IngestRound & { floorPerSecond: number })[] = []
  for (let round = 0; round < repeats; round++) {
    const bare = async () => await storeBare(plane, herd, each)
    const own = async () => {
      if (round > 0) await untilRolledUp(plane)
      return await ingestOnce(plane, herd, each)
    }
    // Each goes first in turn, because the tables grow.
    const before = round % 2 === 0 ? undefined : await bare()
    const ingested = await own()
    rounds.push({ ...ingested, floorPerSecond: before ?? (await bare()) })
  }
  const last = rounds.at(-1)
  if (!last) throw new BenchError('no repeat of the ingest')
  return {
    reports: last.reports,
    reportBytes: last.reportBytes,
    perSecond: rounds.map(({ perSecond }) => perSecond),
    floorPerSecond: rounds.map(({ floorPerSecond }) => floorPerSecond),
    usage: last.usage,
  }
}

const rolledUpMs = 300_000

/**
 * Waits until all minutes until now are rolled up. A round has ten times the reports of a minute of the fleet, and ingest would
 * make the roll-ups of one round during the next.
 */
async function untilRolledUp({ sql }: BenchPlane): Promise<void> {
  const until = await postgresTime(sql)
  const end = performance.now() + rolledUpMs
  for (;;) {
    const [row] = await sql`
      select count(*)::int as count from history_due where resolution = '1m' and at <= ${until}::text::timestamptz`
    if (row?.['count'] === 0) return
    if (performance.now() > end) throw new BenchError('roll-ups are still due after five minutes')
    await sql`select pg_sleep(0.5)`
  }
}

/** Control stores nothing meanwhile. */
async function storeBare(plane: BenchPlane, herd: Herd, each: number): Promise<number> {
  const [known] = await plane.sql`select to_regclass('bench_reports') is not null as there`
  if (known?.['there'] !== true) await prepareReportsFloor(plane)
  await plane.ingest.process.stop()
  await herd.report(each, 'floor')
  const { messages } = (await plane.streams.streams.info(floorStreams.reports)).state
  const perSecond = await storeReportsBare(plane, messages)
  await startIngest(plane)
  return perSecond
}

/** On a busy machine a start can take longer than the limit. */
async function startIngest({ ingest }: BenchPlane): Promise<void> {
  await ingest.process.start().catch(async () => await ingest.process.start())
}

interface IngestRound {
  reports: number
  reportBytes: number
  perSecond: number
  usage: PlaneUsage
}

export async function ingestOnce(plane: BenchPlane, herd: Herd, each: number): Promise<IngestRound> {
  await plane.ingest.process.stop()
  await herd.report(each)
  const waiting = await stateOf(plane)
  const stored = await countReports(plane)
  const since = await postgresTime(plane.sql)
  await startIngest(plane)
  // Starts with its first report, so that the start of the process does not count.
  let left = waiting.messages
  while (left === waiting.messages) left = (await stateOf(plane)).messages
  const watch = usageOf(plane, herd)
  while (left > 0) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    left = (await stateOf(plane)).messages
  }
  const usage = watch()
  const arrived = (await countReports(plane)) - stored
  if (arrived < waiting.messages)
    throw new BenchError(`${waiting.messages} reports were in the stream, ${arrived} are in Postgres`)
  return {
    reports: waiting.messages,
    reportBytes: waiting.bytes / waiting.messages,
    perSecond: await storedPerSecond(plane.sql, 'reports', since, waiting.messages),
    usage,
  }
}

async function stateOf(plane: BenchPlane): Promise<{ messages: number; bytes: number }> {
  return (await plane.streams.streams.info(streams.reports)).state
}

async function countReports({ sql }: BenchPlane): Promise<number> {
  const [row] = await sql`select count(*)::int as count from reports`
  return Number(row?.['count'])
}
