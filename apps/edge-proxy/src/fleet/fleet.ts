/**
 * The edge's part in the fleet: presence, reports, desired state, orders. Built over the edge by main.ts; with all of it
 * gone the edge serves mail as before.
 */
import { randomUUID } from 'node:crypto'
import type { EdgeConfig, Layer } from '@imapfleet/config'
import {
  decode,
  desiredChangedSchema,
  encode,
  reportId,
  streams,
  subjects,
  wireVersion,
  type Presence,
  type Report,
} from '@imapfleet/protocol'
import type { Edge } from '../edge/edge.ts'
import { version } from '../edge/version.ts'
import { DesiredState } from './desired-state.ts'
import type { Unstartable } from './last-config.ts'
import { LastGood } from './last-good.ts'
import type { NatsLink } from '@imapfleet/nats'
import { fleetLink, type Fleet } from './link.ts'
import { hearOrders } from './orders.ts'
import { Outbox } from './outbox.ts'
import { TraceFeed } from './trace-feed.ts'

const farewellMs = 2_000
const ackMs = 5_000

export interface StartFacts {
  /** The edge's own file, as it is now. */
  document: () => Layer
  unstartable: Unstartable | undefined
}

export class FleetMember {
  readonly #edge: Edge
  readonly #config: EdgeConfig
  readonly #boot = randomUUID()
  readonly #startedAt = Date.now()
  readonly #link: NatsLink
  readonly #outbox: Outbox
  readonly #desired: DesiredState
  readonly #traces: TraceFeed
  readonly #timers: NodeJS.Timeout[] = []
  #sequence = 0
  #sending: Promise<void> | undefined

  constructor(edge: Edge, config: EdgeConfig, { document, unstartable }: StartFacts) {
    this.#edge = edge
    this.#config = config
    const { stateDir, outboxMax } = config.fleet
    const address = { edge: config.edge.id, region: config.edge.region }
    this.#outbox = new Outbox(stateDir, outboxMax, edge.metrics.counters.reports_dropped_total)
    this.#link = fleetLink(config, edge.log, {
      opened: (fleet) => this.#subscribe(fleet),
      up: (fleet) => this.#onUp(fleet),
    })
    this.#traces = new TraceFeed(edge, address, this.#boot, () => this.#link.connected)
    this.#desired = new DesiredState({
      edge,
      address,
      document,
      unstartable,
      lastGood: new LastGood(stateDir, edge.log),
      traces: this.#traces,
    })
    edge.metrics.gauge('outbox_reports', () => this.#outbox.size)
    edge.metrics.gauge('config_revision', () => this.#desired.applied)
  }

  /** Why the fleet is out of reach; undefined while it is not. */
  get trouble(): string | undefined {
    return this.#link.downReason
  }

  get boot(): string {
    return this.#boot
  }

  start(): void {
    const { heartbeatMs, reportIntervalMs, reconcileMs } = this.#config.fleet
    this.#outbox.load()
    this.#desired.restore()
    this.#link.start()
    this.#timers.push(
      setInterval(() => this.#beat(), heartbeatMs),
      setInterval(() => this.#report(), reportIntervalMs),
      // Jitter, so that a fleet that was started together does not ask together for ever.
      setInterval(() => this.#reconcile(), reconcileMs * (0.75 + Math.random() / 2)),
    )
  }

  /** The file has been read again: the fleet's layer is laid over it anew. */
  relay(): void {
    this.#desired.relay()
    this.#beat()
  }

  /** Tells the last figures, if the fleet can be reached in time, and keeps them for the next run if not. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#traces.flush()
    this.#report()
    this.#beat()
    if (this.#link.connected) {
      const late = new Promise((resolve) => setTimeout(resolve, farewellMs).unref())
      await Promise.race([Promise.all([this.#sending, this.#traces.send()]), late])
    }
    try {
      this.#outbox.save()
    } catch (error) {
      this.#edge.log.error('reports_lost', { count: this.#outbox.size, reason: (error as Error).message })
    }
    await this.#link.stop()
  }

  #subscribe(fleet: Fleet): void {
    fleet.nats.subscribe(subjects.desiredChanged, {
      callback: (error, message) => {
        if (!error && decode(desiredChangedSchema, message.data).ok) void this.#fetch(fleet)
      },
    })
    hearOrders(fleet, this.#edge, { ...this.#address, boot: this.#boot })
  }

  /** Whatever was revoked while the link was down is applied before a warm connection is handed out again. */
  async #onUp(fleet: Fleet): Promise<void> {
    const { pool } = this.#edge
    pool.reuseIsSuspended = true
    try {
      await this.#desired.fetch(fleet)
    } finally {
      pool.reuseIsSuspended = false
    }
    this.#beat()
    void this.#send()
    void this.#traces.send()
  }

  async #fetch(fleet: Fleet): Promise<void> {
    await this.#desired.fetch(fleet)
    this.#beat()
  }

  #reconcile(): void {
    if (this.#link.connected) void this.#fetch(this.#link.connected)
  }

  #beat(): void {
    this.#link.connected?.nats.publish(subjects.presence(this.#address), encode(this.#presence()))
  }

  #presence(): Presence {
    const edge = this.#edge
    const { gauges, counters, histograms } = edge.metrics.snapshot()
    const troubles = [...edge.servers.values()].filter((server) => server.trouble !== undefined)
    return {
      v: wireVersion,
      ...this.#address,
      boot: this.#boot,
      at: Date.now(),
      version,
      startedAt: this.#startedAt,
      heartbeatMs: this.#config.fleet.heartbeatMs,
      state: edge.state === 'starting' ? 'serving' : edge.state,
      config: {
        applied: this.#desired.applied,
        ...(this.#desired.rejected && { rejected: this.#desired.rejected }),
      },
      revocations: this.#desired.revocations,
      gauges,
      counters,
      logins: histograms.login_seconds,
      degraded: [
        ...troubles.map((server) => `upstream ${server.name}: ${server.trouble}`),
        ...this.#lateKeys(),
      ].map((text) => text.slice(0, 500)),
      listeners: edge.listeners.map(
        ({ address, port }) => `${address.includes(':') ? `[${address}]` : address}:${port}`,
      ),
    }
  }

  /** What is in force as far as it can be, and not yet wholly. */
  #lateKeys(): string[] {
    const late = this.#edge.awaitingRestart
    return late.length === 0 ? [] : [`restart it for ${late.join(', ')}`]
  }

  #report(): void {
    const report: Report = {
      v: wireVersion,
      ...this.#address,
      boot: this.#boot,
      at: Date.now(),
      startedAt: this.#startedAt,
      sequence: ++this.#sequence,
      ...this.#edge.metrics.snapshot(),
    }
    this.#outbox.add(report)
    void this.#send()
  }

  /** Sends the outbox in order; each report leaves it when JetStream has it. Never rejects. */
  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined))
    return this.#sending
  }

  async #sendAll(): Promise<void> {
    try {
      for (let report = this.#outbox.first(); report && this.#link.connected; report = this.#outbox.first()) {
        await this.#link.connected.jetstream.publish(subjects.report(report), encode(report), {
          msgID: reportId(report),
          expect: { streamName: streams.reports },
          timeout: ackMs,
        })
        this.#outbox.remove(report)
      }
    } catch (error) {
      this.#edge.log.debug('report_unsent', { waiting: this.#outbox.size, reason: (error as Error).message })
    }
  }

  get #address() {
    return { edge: this.#config.edge.id, region: this.#config.edge.region }
  }
}
