/**
 * Measures how many reports one ingest process stores in a second. The reports are put into the stream while ingest is
 * stopped. The time is from its start until the stream is empty, so that ingest is the bottleneck.
 */
import { streams } from '@imapfleet/protocol'
import { BenchError } from '../problem.ts'
import type { Herd } from './herd/herd.ts'
import type { BenchPlane } from './plane.ts'
import { usageOf, type PlaneUsage } from './usage.ts'

export interface IngestFigures {
  reports: number
  reportBytes: number
  perSecond: number
  usage: PlaneUsage
}

export async function measureIngest(plane: BenchPlane, herd: Herd, each: number): Promise<IngestFigures> {
  await plane.ingest.process.stop()
  await herd.report(each)
  const waiting = await stateOf(plane)
  const stored = await countReports(plane)
  await plane.ingest.process.start()
  // Starts with its first report, so that the start of the process does not count.
  let left = waiting.messages
  while (left === waiting.messages) left = (await stateOf(plane)).messages
  const watch = usageOf(plane, herd)
  const began = performance.now()
  const first = left
  while (left > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    left = (await stateOf(plane)).messages
  }
  const seconds = (performance.now() - began) / 1000
  const usage = watch()
  const arrived = (await countReports(plane)) - stored
  if (arrived < waiting.messages)
    throw new BenchError(`${waiting.messages} reports were in the stream, ${arrived} are in Postgres`)
  return {
    reports: waiting.messages,
    reportBytes: waiting.bytes / waiting.messages,
    perSecond: first / seconds,
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
