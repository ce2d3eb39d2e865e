/**
 * Reports from JetStream to Postgres, through the durable consumer that all replicas share. A report is acknowledged
 * after the commit that stores it. If a process dies in between, JetStream delivers the report again, and a second
 * delivery adds no row.
 */
import { reasonOf } from '@imapfleet/observe'
import { consumers, reportSchema, streams, subjects, type Report } from '@imapfleet/protocol'
import { Backoff } from '@imapfleet/retry'
import type { Deps } from '../../deps.ts'
import { troubleOf } from '../../platform/db/trouble.ts'
import { checkPostgres } from '../../platform/http/health.ts'
import { KeptValue } from '../../platform/kept-value.ts'
import { Batches } from '../../platform/nats/batches.ts'
import type { Bus } from '../../platform/nats/bus.ts'
import { recognise } from '../../platform/nats/recognise.ts'
import { Outage } from '../../platform/outage.ts'
import { largeSkews } from '../edges/service.ts'
import { Confirmations } from './confirmations.ts'
import { insertReports, packReport, type PackedReport } from './ingest-queries.ts'
import { ReportReader } from './report-reader.ts'
import { Series } from './series.ts'
import { keptSince } from './window.ts'

const retryMs = 1000
/** A report beyond the budget of its edge waits in the stream. There it counts against the limit of the edge. */
const postponedMs = 5_000
/** History is shown in steps of seconds, and one statement for each report costs more than all other work. */
const gatherMs = 200
/** Batches in progress at the same time. */
const together = 2
/** Size of the messages in one statement. A batch of large reports is written in parts. */
const statementBytesMax = 16_777_216
/** A clock that is ahead by more than this is wrong: the report gets the time at which NATS stored it. */
const aheadMaxMs = 5_000
const skewsKeptMs = 5_000

/** A message with a report. Exactly one of the three functions must be called. */
interface Delivery {
  subject: string
  data: Uint8Array
  /** When JetStream stored it, by the clock of NATS. The same in every delivery. */
  storedAt: number
  /** The report was stored: it is removed from the stream. */
  done: () => void
  /** The report cannot be stored now: it is delivered again after this time. */
  again: (afterMs: number) => void
  /** The report can never be stored: it is removed from the stream. */
  refuse: () => void
}

interface Received {
  delivery: Delivery
  report: PackedReport
}

/** What is kept between batches. */
interface Known {
  series: Series
  reader: ReportReader
  /** The edges whose clocks are wrong. */
  skews: KeptValue<ReadonlyMap<string, number>>
  confirmations: Confirmations
  backlog: Backlog
}

/** Undefined until it is known. */
interface Backlog {
  /** How long the newest report of the last batch waited. */
  lagMs: number | undefined
  /** Reports in the stream. */
  waiting: number | undefined
}

const backlogReadMs = 10_000

function showBacklog({ bus, metrics }: Deps, backlog: Backlog, signal: AbortSignal): void {
  metrics.gauge('control_report_lag_seconds', () => (backlog.lagMs ?? 0) / 1000)
  metrics.gauge('control_reports_waiting', () => backlog.waiting ?? 0)
  const read = async (): Promise<void> => {
    const { manager } = bus.link()
    backlog.waiting = (await manager.streams.info(streams.reports)).state.messages
  }
  // If NATS is down, the last number stays, and another metric says why.
  const timer = setInterval(() => void read().catch(() => {}), backlogReadMs)
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
}

/** Runs until the signal is aborted. */
export async function ingestReports(deps: Deps, signal: AbortSignal): Promise<void> {
  const outage = new Outage(deps.log, 'reports cannot be stored', 'reports are stored again')
  const known: Known = {
    series: new Series(deps.db),
    reader: new ReportReader(),
    skews: new KeptValue(async () => await largeSkews(deps), skewsKeptMs),
    confirmations: new Confirmations(deps.bus),
    backlog: { lagMs: undefined, waiting: undefined },
  }
  showBacklog(deps, known.backlog, signal)
  while (!signal.aborted) {
    try {
      await ingestAll(deps, known, signal, outage)
    } catch (error) {
      if (!signal.aborted) outage.began(error)
    }
    await untilPossible(deps, signal)
  }
  known.confirmations.send()
}

/** Reads one batch while the previous one is written. Throws as soon as a batch could not be written. */
async function ingestAll(deps: Deps, known: Known, signal: AbortSignal, outage: Outage): Promise<void> {
  const working = new Set<Promise<void>>()
  const failures: unknown[] = []
  try {
    for await (const batch of takeReports(deps.bus, signal)) {
      const work: Promise<void> = ingestBatch(deps, known, batch)
        .then(() => outage.over())
        .catch((error: unknown) => void failures.push(error))
        .finally(() => working.delete(work))
      working.add(work)
      if (working.size >= together) await Promise.race(working)
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(working)
  }
  if (failures.length > 0) throw failures[0]
}

/**
 * Throws if NATS ended the consumer. When the iteration ends early, the reports that were not seen are returned, so that
 * another replica gets them immediately.
 */
async function* takeReports(bus: Bus, signal: AbortSignal): AsyncGenerator<Delivery[], void> {
  const { jetstream } = await bus.whenUp(signal)
  const consumer = await jetstream.consumers.get(streams.reports, consumers.ingest)
  const batches = new Batches<Delivery>({ sizeMax: 1_000, gatherMs })
  const messages = await consumer.consume({
    // Not a number of messages: nats-server closes a connection on which 64 MB wait, and a report can have a quarter of one.
    max_bytes: 16 << 20,
    // If NATS has lost its store, the caller must create the stream again.
    abort_on_missing_resource: true,
    expires: 5_000,
    callback: (message) =>
      batches.push({
        subject: message.subject,
        data: message.data,
        storedAt: Number(message.timestampNanos / 1_000_000n),
        done: () => message.ack(),
        again: (afterMs) => message.nak(afterMs),
        refuse: () => message.term(),
      }),
  })
  const stop = () => messages.stop()
  signal.addEventListener('abort', stop, { once: true })
  void messages.closed().then((error) => batches.end(error instanceof Error ? error : undefined))
  try {
    yield* batches
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
    for (const delivery of batches.rest()) delivery.again(0)
  }
}

async function ingestBatch(deps: Deps, known: Known, batch: readonly Delivery[]): Promise<void> {
  const { series, skews, confirmations, backlog } = known
  let received: Received[] = []
  try {
    const wrong = await skews.get()
    await series.refresh()
    // Packed one by one: a thousand decoded reports in memory cost more to collect than to decode.
    received = batch.flatMap((delivery) => {
      const report = admit(deps, known, wrong, delivery)
      return report ? [{ delivery, report }] : []
    })
    const refused = await storeReports(deps, series, received)
    for (const { delivery } of received) if (!refused.has(delivery)) delivery.done()
    for (const { report } of received) confirmations.add(report)
    // The newest, because reports over the budget of their edge wait longer.
    const newest = Math.max(...received.map(({ delivery }) => delivery.storedAt))
    if (received.length > 0) backlog.lagMs = Math.max(0, deps.now() - newest)
  } catch (error) {
    // Without the skews of clocks, nothing was admitted yet.
    for (const delivery of received.length > 0 ? received.map((each) => each.delivery) : batch)
      delivery.again(retryMs)
    throw error
  }
}

/** Undefined: it was refused, or must wait. */
function admit(
  { intake, kept, now }: Deps,
  { series, reader, confirmations }: Known,
  skews: ReadonlyMap<string, number>,
  delivery: Delivery,
): PackedReport | undefined {
  const refusal = intake.refuses('report', delivery)
  if (refusal === 'too-many') {
    delivery.again(postponedMs)
    return undefined
  }
  const report = refusal
    ? undefined
    : (reader.read(delivery, series) ?? decodeReport(intake, reader, delivery))
  if (!report) {
    delivery.refuse()
    return undefined
  }
  const placed = inOurTime(report, delivery.storedAt, skews.get(report.edge))
  if (placed.at < keptSince(kept, now()).reports) {
    intake.note('report', delivery.subject, 'malformed', 'its time is before the reports that are kept')
    delivery.refuse()
    confirmations.add(report)
    return undefined
  }
  return 'figures' in placed ? placed : packReport(series, placed)
}

function decodeReport(intake: Deps['intake'], reader: ReportReader, delivery: Delivery): Report | undefined {
  const recognised = recognise(reportSchema, delivery, subjects.report)
  const report = intake.accepted('report', delivery.subject, recognised)
  if (report) reader.learn(delivery, report)
  return report
}

/**
 * Places a report in the time of control. `skewMs`: how far the clock of the edge is ahead, if that is known and large. No
 * report is placed after its arrival.
 */
export function inOurTime<R extends Pick<Report, 'at' | 'startedAt'>>(
  report: R,
  storedAt: number,
  skewMs = 0,
): R & { isMoved: boolean } {
  const at = report.at - skewMs
  if (skewMs === 0 && at <= storedAt + aheadMaxMs) return { ...report, isMoved: false }
  const moved = skewMs + Math.max(0, at - storedAt)
  return { ...report, at: report.at - moved, startedAt: Math.max(0, report.startedAt - moved), isMoved: true }
}

/**
 * Returns the deliveries whose report can never be stored, and refuses them; all others are stored. Splits a batch that
 * is too large, or that Postgres refuses, until the bad reports are found. Throws if Postgres is unavailable.
 */
async function storeReports(
  deps: Deps,
  series: Series,
  received: readonly Received[],
): Promise<Set<Delivery>> {
  const [first] = received
  if (!first) return new Set()
  const size = received.reduce((sum, { delivery }) => sum + delivery.data.length, 0)
  if (size > statementBytesMax && received.length > 1) return await storeHalves(deps, series, received)
  try {
    const beyond = await insertReports(
      deps.db,
      series,
      received.map(({ report }) => report),
    )
    for (const { edge, region, unknown } of beyond)
      deps.intake.note(
        'report',
        subjects.report({ edge, region }),
        'series-limit',
        seriesLimit,
        unknown?.keys.size,
      )
    deps.metrics.counters.control_reports_total.value += received.length
    return new Set()
  } catch (error) {
    if (troubleOf(error) !== 'unstorable') throw error
    if (received.length > 1) return await storeHalves(deps, series, received)
    deps.intake.note('report', first.delivery.subject, 'malformed', reasonOf(error))
    first.delivery.refuse()
    return new Set([first.delivery])
  }
}

const seriesLimit = 'more series than one edge may have'

async function storeHalves(
  deps: Deps,
  series: Series,
  received: readonly Received[],
): Promise<Set<Delivery>> {
  const middle = Math.ceil(received.length / 2)
  const first = await storeReports(deps, series, received.slice(0, middle))
  return new Set([...first, ...(await storeReports(deps, series, received.slice(middle)))])
}

/** Pauses while Postgres is unavailable. Creates the stream if NATS has lost it. */
async function untilPossible(deps: Deps, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff({ firstMs: retryMs, lastMs: 5 * retryMs })
  do {
    await backoff.pause(signal)
    await deps.bus.repair().catch(() => {})
  } while (!signal.aborted && (await checkPostgres(deps)) !== 'ok')
}
