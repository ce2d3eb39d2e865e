/**
 * One simulated edge with its own connection to NATS: heartbeats, reports, answers to orders, and desired state, with as
 * little work as possible. It reads what control sends without checking it, because control is what is measured.
 */
import { randomUUID } from 'node:crypto'
import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import {
  desiredEntry,
  encode,
  reportId,
  streams,
  subjects,
  wireVersion,
  type Desired,
  type EdgeAddress,
  type Order,
} from '@imapfleet/protocol'
import { figuresAt } from './figures.ts'

/** The defaults of the edge. */
const heartbeatMs = 5_000
const reportMs = 10_000
const reconcileMs = 45_000

export class HerdEdge {
  readonly address: EdgeAddress
  readonly nats: NatsConnection
  readonly #boot = randomUUID()
  readonly #startedAt = Date.now()
  readonly #timers: NodeJS.Timeout[] = []
  readonly #manager: JetStreamManager
  #sequence = 0
  #version = 0
  #applied = 0
  #revocations = 0
  /** Sends nothing and answers nothing. */
  dead = false

  private constructor(address: EdgeAddress, nats: NatsConnection, manager: JetStreamManager) {
    this.address = address
    this.nats = nats
    this.#manager = manager
  }

  static async join(address: EdgeAddress, nats: NatsConnection): Promise<HerdEdge> {
    const edge = new HerdEdge(address, nats, await jetstreamManager(nats, { checkAPI: false }))
    for (const subject of subjects.ordersFor(address))
      nats.subscribe(subject, { callback: (_, message) => edge.#obey(message) })
    nats.subscribe(subjects.desiredChanged, { callback: () => void edge.#follow() })
    await edge.#follow()
    edge.#every(heartbeatMs, () => edge.#beat())
    edge.#every(reportMs, () => void edge.report())
    edge.#every(reconcileMs, () => void edge.#follow())
    return edge
  }

  /** Sends the next report, and resolves when JetStream has stored it. */
  async report(): Promise<void> {
    if (this.dead) return
    this.#sequence += 1
    const sequence = this.#sequence
    const report = { ...this.#sender(), startedAt: this.#startedAt, sequence, ...figuresAt(sequence) }
    await jetstream(this.nats).publish(subjects.report(this.address), encode(report), {
      msgID: reportId(report),
      expect: { streamName: streams.reports },
    })
  }

  async leave(): Promise<void> {
    this.dead = true
    for (const timer of this.#timers) clearTimeout(timer)
    await this.nats.close()
  }

  /** Spread over the whole period, as in a fleet whose edges did not start together. */
  #every(ms: number, act: () => void): void {
    const first = setTimeout(() => {
      act()
      this.#timers.push(setInterval(act, ms))
    }, Math.random() * ms)
    this.#timers.push(first)
  }

  #obey(message: Msg): void {
    if (this.dead) return
    const { id } = message.json<Order>()
    const answer = { ...this.#sender(), order: id, ok: true, result: { version: 'simulated' }, more: false }
    this.nats.publish(subjects.answer(this.address, id), encode(answer))
  }

  async #follow(): Promise<void> {
    if (this.dead) return
    const { stream, subject } = desiredEntry(this.address)
    const message = await this.#manager.direct.getMessage(stream, { last_by_subj: subject }).catch(() => null)
    const desired = message?.json<Desired>()
    if (desired && desired.version > this.#version) {
      this.#version = desired.version
      this.#applied = desired.config.revision
      this.#revocations = Math.max(this.#revocations, ...desired.revocations.map(({ sequence }) => sequence))
    }
    this.#beat()
  }

  #beat(): void {
    if (this.dead) return
    const { counters, gauges, histograms } = figuresAt(this.#sequence + 1)
    const presence = {
      ...this.#sender(),
      version: 'simulated',
      startedAt: this.#startedAt,
      heartbeatMs,
      state: 'serving',
      config: { applied: this.#applied },
      revocations: this.#revocations,
      gauges,
      counters,
      logins: histograms['login_seconds'],
      degraded: [],
      listeners: ['127.0.0.1:143'],
    }
    this.nats.publish(subjects.presence(this.address), encode(presence))
  }

  #sender() {
    return { v: wireVersion, ...this.address, boot: this.#boot, at: Date.now() } as const
  }
}
