/**
 * The process that is the floor of ingest. It uses no code of control: batches of 1,000 reports, two in progress, written
 * by one statement each, acknowledged after the commit.
 */
import { jetstream, type JsMsg } from '@nats-io/jetstream'
import postgres from 'postgres'
import { connectNats } from '../../../support/simulated-edge.ts'
import { reportsFloorReply, type ReportsFloorTask } from './reports.ts'
import { floorConsumer, floorStreams } from './subjects.ts'

const batchMax = 1_000
const together = 2

interface ReportRow {
  edge: string
  region: string
  boot: string
  at: number
  startedAt: number
  sequence: number
}

process.once('message', (task: ReportsFloorTask) => {
  run(task).then(
    () => process.send?.(reportsFloorReply),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit(0))

async function run({ natsUrl, tokenFile, databaseUrl, reports }: ReportsFloorTask): Promise<void> {
  const nats = await connectNats({ url: natsUrl, tokenFile })
  const sql = postgres(databaseUrl, { max: together, onnotice: () => {} })
  const [figures] = await sql<{ counters: string; gauges: string; histograms: string }[]>`
    select encode(counters, 'hex') as counters, encode(gauges, 'hex') as gauges, encode(histograms, 'hex') as histograms
    from reports limit 1`
  const consumer = await jetstream(nats).consumers.get(floorStreams.reports, floorConsumer)
  const messages = await consumer.consume({ max_messages: 4_000 })
  const working = new Set<Promise<void>>()
  let batch: JsMsg[] = []
  let taken = 0
  const seen = new Set<number>()
  for await (const message of messages) {
    // On a busy machine NATS may deliver a report again.
    if (seen.has(message.seq)) continue
    seen.add(message.seq)
    batch.push(message)
    taken += 1
    if (batch.length < batchMax && taken < reports) continue
    const work: Promise<void> = write(batch).finally(() => working.delete(work))
    working.add(work)
    batch = []
    if (taken === reports) break
    if (working.size >= together) await Promise.race(working)
  }
  await Promise.all(working)
  await nats.flush()
  await nats.close()
  await sql.end()

  async function write(received: readonly JsMsg[]): Promise<void> {
    const rows = received.map((message) => message.json<ReportRow>())
    const column = (of: (row: ReportRow) => string | number) => rows.map(of).join(',')
    await sql`
      insert into bench_reports (edge, boot, sequence, at, region, started_at, counters, gauges, histograms)
      select edge, boot::uuid, sequence::bigint, to_timestamp(at::float8 / 1000), region,
        to_timestamp(started_at::float8 / 1000),
        decode(counters, 'hex'), decode(gauges, 'hex'), decode(histograms, 'hex')
      from unnest(
        string_to_array(${column(({ edge }) => edge)}, ','), string_to_array(${column(({ boot }) => boot)}, ','),
        string_to_array(${column(({ sequence }) => sequence)}, ','), string_to_array(${column(({ at }) => at)}, ','),
        string_to_array(${column(({ region }) => region)}, ','),
        string_to_array(${column(({ startedAt }) => startedAt)}, ','),
        string_to_array(${column(() => figures?.counters ?? '')}, ','),
        string_to_array(${column(() => figures?.gauges ?? '')}, ','),
        string_to_array(${column(() => figures?.histograms ?? '')}, ',')
      ) as report (edge, boot, sequence, at, region, started_at, counters, gauges, histograms)`
    for (const message of received) message.ack()
  }
}
