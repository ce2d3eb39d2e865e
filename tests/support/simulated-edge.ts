/**
 * An edge without mail. It uses the protocol of the fleet over real NATS and does exactly what a test tells it, including
 * what a real edge does only by chance.
 */
import { randomUUID } from 'node:crypto'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import {
  decode,
  desiredEntry,
  desiredSchema,
  encode,
  reportId,
  rightsVersion,
  subjects,
  wireVersion,
  type Desired,
  type EdgeAddress,
  type OrderAnswer,
  type Presence,
  type Report,
  type TraceBatch,
  type TraceLine,
} from '@imapfleet/protocol'
import { connectOptions, readAccess } from '@imapfleet/nats'
import type { Nats } from '@imapfleet/local'

export type ReportCounts = Pick<Report, 'counters' | 'gauges' | 'histograms'>

/** A connection with the credential of an edge or with the shared token. It reconnects after every outage. */
export async function connectNats(
  { url, tokenFile }: Pick<Nats, 'url' | 'tokenFile'>,
  { address, credentialsFile }: { address?: EdgeAddress; credentialsFile?: string | undefined } = {},
): Promise<NatsConnection> {
  const read = readAccess(url.split(','), { tokenFile, credentialsFile }, (key) => key)
  if (!read.ok) throw new Error(read.reason)
  return await connect({
    ...connectOptions(read.access, 'imapfleet tests'),
    reconnectTimeWait: 100,
    waitOnFirstConnect: true,
    ...(address && { inboxPrefix: subjects.inbox(address) }),
  })
}

export class SimulatedEdge {
  readonly address: EdgeAddress
  boot: string = randomUUID()
  startedAt = Date.now()
  readonly nats: NatsConnection
  #reports = 0
  #batches = 0

  constructor(nats: NatsConnection, region: string, edge: string) {
    this.nats = nats
    this.address = { region, edge }
  }

  /** As after a restart: a new boot id, and counters from zero. */
  restart(startedAt = Date.now()): void {
    this.boot = randomUUID()
    this.startedAt = startedAt
    this.#reports = 0
    this.#batches = 0
  }

  beat(said: Partial<Presence> = {}): void {
    const presence: Presence = {
      ...this.#sender(),
      version: 'simulated',
      rights: rightsVersion,
      startedAt: this.startedAt,
      state: 'serving',
      config: { applied: 0 },
      revocations: 0,
      gauges: {},
      degraded: [],
      listeners: [],
      ...said,
    }
    this.nats.publish(subjects.presence(this.address), encode(presence))
  }

  /** The next report of this boot. `send` sends it. */
  report(counted: Partial<ReportCounts>, at = Date.now()): Report {
    this.#reports += 1
    const sender = { ...this.#sender(), at, startedAt: this.startedAt, sequence: this.#reports }
    return { ...sender, counters: {}, gauges: {}, histograms: {}, ...counted }
  }

  /** Retries until JetStream has stored it. */
  async send(report: Report): Promise<void> {
    for (;;) {
      try {
        await jetstream(this.nats, { timeout: 500 }).publish(subjects.report(this.address), encode(report), {
          msgID: reportId(report),
        })
        return
      } catch (error) {
        if (this.nats.isClosed()) throw error
      }
    }
  }

  async trace(trace: string, user: string, lines: TraceLine[], ended?: TraceBatch['ended']): Promise<void> {
    this.#batches += 1
    const batch: TraceBatch = {
      ...this.#sender(),
      trace,
      user,
      sequence: this.#batches,
      lines,
      ...(ended && { ended }),
    }
    await jetstream(this.nats).publish(subjects.trace(this.address), encode(batch))
  }

  /** One message of an answer to this order. */
  answer(order: string, said: Partial<OrderAnswer> = {}): void {
    const answer: OrderAnswer = {
      ...this.#sender(),
      order,
      ok: true,
      more: false,
      result: null,
      ...said,
    }
    this.nats.publish(subjects.answer(this.address, order), encode(answer))
  }

  /** The desired state of this edge in the bucket. */
  async desired(): Promise<Desired | undefined> {
    const manager = await jetstreamManager(this.nats, { checkAPI: false, timeout: 500 })
    const { stream, subject } = desiredEntry(this.address)
    const entry = await manager.direct.getMessage(stream, { last_by_subj: subject })
    if (!entry) return undefined
    const decoded = decode(desiredSchema, entry.data)
    if (!decoded.ok) throw new Error(`the entry of ${this.address.edge} is not understood: ${decoded.reason}`)
    return decoded.value
  }

  #sender() {
    return { v: wireVersion as 1, ...this.address, boot: this.boot, at: Date.now() }
  }
}
