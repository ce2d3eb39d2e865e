/**
 * This edge as a member of a fleet: sends presence and reports, applies desired state and carries out orders. run.ts
 * adds it to a running edge, which also serves mail without it.
 */
import type { EdgeConfig, Layer } from '@imapfleet/config'
import type { NatsHandles, NatsClient, SendRefusal } from '@imapfleet/nats'
import { reasonOf } from '@imapfleet/observe'
import {
  decode,
  desiredChangedSchema,
  isConcerned,
  encode,
  storedReportsSchema,
  subjects,
  wireVersion,
  type DesiredChanged,
  type Report,
} from '@imapfleet/protocol'
import type { Edge } from '../edge/edge.ts'
import { snapshotOf } from '../edge/snapshot.ts'
import type { RejectedRevision } from '../edge/start.ts'
import { distrustAll, distrustUsers, withoutReuse } from '../ops/operations.ts'
import { runtime, type Timer } from '../runtime.ts'
import { ControlClock } from './control-clock.ts'
import { DesiredState } from './desired-state.ts'
import { EvidenceFeed } from './evidence-feed.ts'
import { EvidenceSender } from './evidence-sender.ts'
import { isFromControl } from './from-control.ts'
import { fleetNatsClient, type Sender } from './nats.ts'
import { confirmMs, Orders } from './orders.ts'
import { Outbox } from './outbox.ts'
import { presenceOf, timesOf } from './presence.ts'
import { refusalProblems, type StreamKind } from './refusals.ts'
import { StateDirectory } from './state-directory.ts'
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
  /** From runtime.now(), because the system clock may be set. */
  readonly #startedAt = runtime.now()
  readonly #controlClock = new ControlClock()
  readonly #stateDirectory: StateDirectory
  readonly #orders: Orders
  readonly #nats: NatsClient
  readonly #outbox: Outbox
  readonly #desired: DesiredState
  readonly #traces: FleetTraces
  readonly #evidenceSender: EvidenceSender
  readonly #evidenceFeed: EvidenceFeed
  readonly #timers: Timer[] = []
  #reports = 0
  #heartbeats = 0

  constructor(edge: Edge, config: EdgeConfig, { document, rejected }: FleetMemberOptions) {
    const { stateDir, outboxMax } = config.fleet
    const { log, metrics } = edge.context
    this.#edge = edge
    this.#config = config.fleet
    this.#sender = { edge: config.edge.id, region: config.edge.region, boot: runtime.randomUuid() }
    this.#nats = fleetNatsClient(config, log, {
      opened: (fleet) => this.#subscribe(fleet),
      up: (fleet) => this.#onUp(fleet),
      expires: (at) => metrics.gauge('credential_expiry_seconds', () => at.getTime() / 1000),
    })
    const fleet = () => this.#nats.handles
    const dropped = metrics.counters.reports_dropped_total
    const resent = metrics.counters.reports_resent_total
    const refused = (sent_as: StreamKind) => (reason: SendRefusal) =>
      metrics.counters.fleet_refusals_total({ sent_as, reason }).value++
    this.#outbox = new Outbox({
      stateDir,
      max: outboxMax,
      dropped,
      resent,
      refused: refused('report'),
      fleet,
      log,
    })
    this.#stateDirectory = new StateDirectory(stateDir, log)
    this.#orders = new Orders(edge, this.#sender)
    this.#traces = new FleetTraces({
      edge,
      sender: this.#sender,
      fleet,
      controlNow: () => this.#controlClock.now(),
      lost: metrics.counters.trace_lines_lost_total,
      refused: refused('trace'),
    })
    this.#desired = new DesiredState({
      edge,
      address: this.#sender,
      document,
      rejected,
      stateDirectory: this.#stateDirectory,
      traces: this.#traces,
    })
    // All edges can read evidence, so it has a separate boot: another edge could use the ids of this edge's reports.
    const evidenceSender = { ...this.#sender, boot: runtime.randomUuid() }
    this.#evidenceSender = new EvidenceSender({
      sender: evidenceSender,
      stateDir,
      fleet,
      sent: metrics.counters.evidence_sent_total,
      overflowed: metrics.counters.evidence_overflows_total,
      refused: refused('evidence'),
      log,
    })
    this.#evidenceFeed = new EvidenceFeed({
      boot: evidenceSender.boot,
      fleet,
      now: () => runtime.now(),
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

  /** Why NATS is down. Undefined while it is up. */
  get downReason(): string | undefined {
    return this.#nats.downReason
  }

  /** Why the desired state would be lost at a restart. Undefined: it is saved. */
  get unsaved(): string | undefined {
    return this.#stateDirectory.problem
  }

  /** Messages of this edge that NATS refuses, as sentences. */
  get refused(): string[] {
    return refusalProblems([
      ['report', this.#outbox.refusal],
      ['trace', this.#traces.refusal],
      ['evidence', this.#evidenceSender.refusal],
    ])
  }

  start(): void {
    const { heartbeatMs, reportIntervalMs, reconcileMs } = this.#config
    this.#outbox.load()
    this.#evidenceSender.load()
    this.#desired.restore()
    this.#stateDirectory.check()
    this.#nats.start()
    this.#timers.push(
      runtime.every(heartbeatMs, () => this.#beat()),
      runtime.every(confirmMs, () => this.#confirm()),
      runtime.every(reportIntervalMs, () => this.#report()),
      // With jitter, so that edges that started together do not all read at the same time.
      runtime.every(reconcileMs * (0.75 + runtime.jitter() / 2), () => this.#reconcile()),
    )
  }

  /** Call it after the edge's own file was read again. */
  fileChanged(): void {
    this.#desired.reapply()
    this.#sendPresence()
  }

  /**
   * A new process of this edge takes over. This process sends its last heartbeat and no more answers, and no
   * longer writes files. Its reports and evidence continue until `stop`. Resolves when NATS has the heartbeat.
   */
  async retire(hurry: AbortSignal): Promise<void> {
    this.#stateDirectory.leave()
    this.#outbox.leave(this.#sender.boot)
    this.#evidenceSender.leave()
    this.#orders.leaveAnswers()
    this.#sendPresence()
    const nats = this.#nats.handles?.nats
    if (nats)
      await within(
        disconnectMs,
        hurry,
        nats.flush().catch(() => {}),
      )
  }

  /**
   * Sends the last report. If the fleet does not acknowledge it in time, it is saved for the next run.
   * @param hurry ends the wait
   */
  async stop(hurry: AbortSignal): Promise<void> {
    for (const timer of this.#timers) runtime.cancel(timer)
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
    // An attempt to connect may be in progress.
    await within(disconnectMs, hurry, this.#nats.stop())
  }

  #subscribe(fleet: NatsHandles): void {
    const { log, metrics } = this.#edge.context
    const forgeries = { log, forged: metrics.counters.forged_messages_total }
    fleet.nats.subscribe(subjects.desiredChanged, {
      callback: (error, message) => {
        if (error || !isFromControl(message, forgeries)) return
        const decoded = decode(desiredChangedSchema, message.data)
        if (decoded.ok) this.#onDesiredChanged(fleet, decoded.value)
      },
    })
    fleet.nats.subscribe(subjects.storedReports(this.#sender), {
      callback: (error, message) => {
        if (error || !isFromControl(message, forgeries)) return
        const decoded = decode(storedReportsSchema, message.data)
        if (decoded.ok) this.#outbox.confirm(this.#sender.edge, decoded.value)
      },
    })
    this.#evidenceFeed.subscribe(fleet)
    this.#orders.subscribe(fleet)
  }

  #onDesiredChanged(fleet: NatsHandles, changed: DesiredChanged): void {
    if (changed.at !== undefined && this.#controlClock.note(changed.at)) this.#traces.follow()
    if (isConcerned(changed, this.#sender)) void this.#fetch(fleet)
  }

  /** Applies revocations and evidence from the time while NATS was down, before an idle connection is leased again. */
  async #onUp(fleet: NatsHandles): Promise<void> {
    this.#orders.connected()
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
    this.#sendPresence({ isRegular: false })
  }

  #beat(): void {
    if (this.unsaved !== undefined) this.#stateDirectory.check()
    // Refused lines wait in the queue, and without new lines nothing else would send them again.
    if (this.#traces.refusal !== undefined) void this.#traces.send()
    this.#sendPresence()
  }

  #confirm(): void {
    if (this.#nats.handles) void this.#orders.confirm(this.#nats.handles)
  }

  #reconcile(): void {
    this.#stateDirectory.check()
    if (!this.#nats.handles) return
    void this.#fetch(this.#nats.handles)
    // A lost message is detected only when the next one arrives.
    void this.#evidenceFeed.catchUp()
  }

  #sendPresence({ isRegular = true } = {}): void {
    const nats = this.#nats.handles?.nats
    if (!nats) return
    const facts = {
      ...this.#sender,
      sequence: ++this.#heartbeats,
      uptimeMs: runtime.now() - this.#startedAt,
      heartbeatMs: this.#config.heartbeatMs,
      unsaved: this.unsaved,
      refused: this.refused,
      isRegular,
    }
    const presence = presenceOf(snapshotOf(this.#edge), this.#desired, facts)
    nats.publish(subjects.presence(this.#sender), encode(presence))
  }

  #report(): void {
    const report: Report = {
      v: wireVersion,
      ...this.#sender,
      ...timesOf(runtime.now() - this.#startedAt),
      sequence: ++this.#reports,
      ...this.#edge.context.metrics.snapshot(),
    }
    this.#outbox.add(report)
    void this.#outbox.send()
  }
}

/** Waits for the work, at most for this time, and only until the signal is aborted. */
async function within(ms: number, signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = runtime.after(ms, resolve)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await Promise.race([work, promise])
  runtime.cancel(timer)
}
