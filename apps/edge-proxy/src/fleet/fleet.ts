/**
 * This edge as a member of a fleet: it sends presence and reports, applies desired state and carries out orders. main.ts
 * adds it to a running edge, which serves mail without it as well.
 */
import { randomUUID } from 'node:crypto'
import type { EdgeConfig, Layer } from '@imapfleet/config'
import type { NatsHandles, NatsClient } from '@imapfleet/nats'
import { reasonOf } from '@imapfleet/observe'
import { decode, desiredChangedSchema, encode, subjects, wireVersion, type Report } from '@imapfleet/protocol'
import type { Edge } from '../edge/edge.ts'
import { snapshotOf } from '../edge/snapshot.ts'
import type { RejectedRevision } from '../edge/start.ts'
import { distrustAll, distrustUsers, withoutReuse } from '../ops/operations.ts'
import { DesiredState } from './desired-state.ts'
import { EvidenceFeed } from './evidence-feed.ts'
import { EvidenceSender } from './evidence-sender.ts'
import { fleetNatsClient, type Sender } from './nats.ts'
import { hearOrders } from './orders.ts'
import { Outbox } from './outbox.ts'
import { presenceOf } from './presence.ts'
import { FleetTraces } from './traces.ts'

/** How long a stop waits for the last report to be acknowledged, and for the connection to close. */
const lastReportMs = 2_000
const disconnectMs = 1_000

export interface FleetMemberOptions {
  /** The current content of the edge's own file. */
  document: () => Layer
  /** The revision with which the edge could not start, if any. */
  rejected: RejectedRevision | undefined
}

export class FleetMember {
  readonly #edge: Edge
  readonly #config: EdgeConfig['fleet']
  readonly #sender: Sender
  readonly #startedAt = Date.now()
  readonly #nats: NatsClient
  readonly #outbox: Outbox
  readonly #desired: DesiredState
  readonly #traces: FleetTraces
  readonly #evidenceSender: EvidenceSender
  readonly #evidenceFeed: EvidenceFeed
  readonly #timers: NodeJS.Timeout[] = []
  #sequence = 0

  constructor(edge: Edge, config: EdgeConfig, { document, rejected }: FleetMemberOptions) {
    const { stateDir, outboxMax } = config.fleet
    const { log, metrics } = edge.context
    this.#edge = edge
    this.#config = config.fleet
    this.#sender = { edge: config.edge.id, region: config.edge.region, boot: randomUUID() }
    this.#nats = fleetNatsClient(config, log, {
      opened: (fleet) => this.#subscribe(fleet),
      up: (fleet) => this.#onUp(fleet),
    })
    const fleet = () => this.#nats.handles
    const dropped = metrics.counters.reports_dropped_total
    this.#outbox = new Outbox({ stateDir, max: outboxMax, dropped, fleet, log })
    this.#traces = new FleetTraces(edge, this.#sender, fleet)
    this.#desired = new DesiredState({
      edge,
      address: this.#sender,
      document,
      rejected,
      stateDir,
      traces: this.#traces,
    })
    // All edges can read it. The edge's own boot is part of the ids of its reports: another edge could use up these ids.
    const evidenceSender = { ...this.#sender, boot: randomUUID() }
    this.#evidenceSender = new EvidenceSender({
      sender: evidenceSender,
      stateDir,
      fleet,
      sent: metrics.counters.evidence_sent_total,
      overflowed: metrics.counters.evidence_overflows_total,
      log,
    })
    this.#evidenceFeed = new EvidenceFeed({
      boot: evidenceSender.boot,
      fleet,
      now: () => performance.now(),
      distrust: (users) => distrustUsers(edge.context, users),
      distrustAll: () => void distrustAll(edge.context),
      received: metrics.counters.evidence_received_total,
      missed: metrics.counters.evidence_missed_total,
      log,
    })
    edge.context.pool.evidence.onChange = (change) => this.#evidenceSender.add(change)
    metrics.gauge('evidence_waiting', () => this.#evidenceSender.size)
    metrics.gauge('outbox_reports', () => this.#outbox.size)
    metrics.gauge('config_revision', () => this.#desired.applied)
  }

  /** Why NATS is down; undefined while it is up. */
  get downReason(): string | undefined {
    return this.#nats.downReason
  }

  start(): void {
    const { heartbeatMs, reportIntervalMs, reconcileMs } = this.#config
    this.#outbox.load()
    this.#evidenceSender.load()
    this.#desired.restore()
    this.#nats.start()
    this.#timers.push(
      setInterval(() => this.#sendPresence(), heartbeatMs),
      setInterval(() => this.#report(), reportIntervalMs),
      // With jitter, so that edges that started together do not all read at the same moment.
      setInterval(() => this.#reconcile(), reconcileMs * (0.75 + Math.random() / 2)),
    )
  }

  /** To be called after the edge's own file was read again. */
  fileChanged(): void {
    this.#desired.reapply()
    this.#sendPresence()
  }

  /**
   * Sends the last report. If the fleet does not acknowledge it in time, it is saved for the next run.
   * @param hurry ends the waiting
   */
  async stop(hurry: AbortSignal): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#traces.flush()
    this.#report()
    this.#sendPresence()
    const sent = [this.#outbox.send(), this.#traces.send(), this.#evidenceSender.flush()]
    await within(lastReportMs, hurry, Promise.all(sent))
    this.#evidenceFeed.stop()
    try {
      this.#evidenceSender.save()
      this.#outbox.save()
    } catch (error) {
      this.#edge.context.log.error('reports_lost', { count: this.#outbox.size, reason: reasonOf(error) })
    }
    // An attempt to connect may be under way.
    await within(disconnectMs, hurry, this.#nats.stop())
  }

  #subscribe(fleet: NatsHandles): void {
    fleet.nats.subscribe(subjects.desiredChanged, {
      callback: (error, message) => {
        if (!error && decode(desiredChangedSchema, message.data).ok) void this.#fetch(fleet)
      },
    })
    this.#evidenceFeed.subscribe(fleet)
    hearOrders(fleet, this.#edge, this.#sender)
  }

  /** Applies revocations and evidence from the time while NATS was down, before an idle connection is leased again. */
  async #onUp(fleet: NatsHandles): Promise<void> {
    await withoutReuse(this.#edge.context, async () => {
      await Promise.all([this.#desired.fetch(fleet), this.#evidenceFeed.connected()])
    })
    this.#sendPresence()
    void this.#outbox.send()
    void this.#traces.send()
    void this.#evidenceSender.send()
  }

  async #fetch(fleet: NatsHandles): Promise<void> {
    await this.#desired.fetch(fleet)
    this.#sendPresence()
  }

  #reconcile(): void {
    if (!this.#nats.handles) return
    void this.#fetch(this.#nats.handles)
    // A lost message is detected only when the next one arrives.
    void this.#evidenceFeed.catchUp()
  }

  #sendPresence(): void {
    const nats = this.#nats.handles?.nats
    if (!nats) return
    const facts = { ...this.#sender, startedAt: this.#startedAt, heartbeatMs: this.#config.heartbeatMs }
    const presence = presenceOf(snapshotOf(this.#edge), this.#desired, facts)
    nats.publish(subjects.presence(this.#sender), encode(presence))
  }

  #report(): void {
    const report: Report = {
      v: wireVersion,
      ...this.#sender,
      at: Date.now(),
      startedAt: this.#startedAt,
      sequence: ++this.#sequence,
      ...this.#edge.context.metrics.snapshot(),
    }
    this.#outbox.add(report)
    void this.#outbox.send()
  }
}

/** Waits for the work, but not longer than this time, and not after the signal. */
async function within(ms: number, signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await Promise.race([work, promise])
  clearTimeout(timer)
}
