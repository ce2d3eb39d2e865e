/**
 * One simulated edge: heartbeats, reports, answers to orders, and desired state, with as little work as possible. It reads
 * what control sends without checking it, because control is what is measured. It is a client of the floors too.
 */
import { randomUUID } from 'node:crypto'
import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import {
  desiredEntry,
  encode,
  isConcerned,
  reportId,
  rightsVersion,
  streams,
  subjects,
  wireVersion,
  type Desired,
  type DesiredChanged,
  type EdgeAddress,
  type Order,
} from '@imapfleet/protocol'
import { floorStreams, floorSubjects } from '../floor/subjects.ts'
import { figuresAt } from './figures.ts'
import type { HerdPattern, ReportsGoTo } from './messages.ts'

export class HerdEdge {
  readonly address: EdgeAddress
  readonly nats: NatsConnection
  readonly #boot = randomUUID()
  readonly #startedAt = Date.now()
  readonly #timers: NodeJS.Timeout[] = []
  readonly #manager: JetStreamManager
  readonly #heartbeatMs: number
  #sequence = 0
  #version = 0
  #config: Desired['config'] | undefined
  #beats = 0
  #figures: (ReturnType<typeof figuresAt> & { sequence: number }) | undefined
  #revocations = 0
  /** Sends nothing and answers nothing. */
  dead = false

  private constructor(
    address: EdgeAddress,
    nats: NatsConnection,
    manager: JetStreamManager,
    heartbeatMs: number,
  ) {
    this.address = address
    this.nats = nats
    this.#manager = manager
    this.#heartbeatMs = heartbeatMs
  }

  static async join(address: EdgeAddress, nats: NatsConnection, pattern: HerdPattern): Promise<HerdEdge> {
    const { heartbeatMs, reportMs, reconcileMs } = pattern
    const edge = new HerdEdge(address, nats, await jetstreamManager(nats, { checkAPI: false }), heartbeatMs)
    for (const subject of subjects.ordersFor(address))
      nats.subscribe(subject, { callback: (_, message) => edge.#obey(message) })
    nats.subscribe(subjects.desiredChanged, { callback: (_, message) => edge.#hear(message) })
    nats.subscribe(floorSubjects.ask, { callback: (_, message) => edge.#answerFloor(message) })
    nats.subscribe(floorSubjects.changed, { callback: (_, message) => void edge.#followFloor(message) })
    await edge.#follow()
    edge.#beat()
    edge.#every(heartbeatMs, () => edge.#beat())
    // A report that is not stored, for example because the edge leaves, is not repeated.
    edge.#every(reportMs, () => void edge.report().catch(() => {}))
    edge.#every(reconcileMs, () => void edge.#follow())
    return edge
  }

  /** Sends the next report, and resolves when JetStream has stored it. */
  async report(to: ReportsGoTo = 'control'): Promise<void> {
    if (this.dead) return
    this.#sequence += 1
    const sequence = this.#sequence
    const report = { ...this.#sender(), startedAt: this.#startedAt, sequence, ...figuresAt(sequence) }
    const isFloor = to === 'floor'
    const subject = isFloor ? floorSubjects.report(this.address) : subjects.report(this.address)
    await jetstream(this.nats, { timeout: 20_000 }).publish(subject, encode(report), {
      msgID: reportId(report),
      expect: { streamName: isFloor ? floorStreams.reports : streams.reports },
    })
  }

  async leave(): Promise<void> {
    this.dead = true
    for (const timer of this.#timers) clearTimeout(timer)
    if (!this.nats.isClosed()) await this.nats.close()
  }

  /** Spread over the whole period, as in a fleet whose edges did not start together. */
  #every(ms: number, act: () => void): void {
    const first = setTimeout(() => {
      act()
      this.#timers.push(setInterval(act, ms))
    }, Math.random() * ms)
    this.#timers.push(first)
  }

  /** As much work as `#obey`. */
  #answerFloor(message: Msg): void {
    const { id } = message.json<{ id: string }>()
    const answer = { ...this.#sender(), order: id, ok: true, result: { version: 'simulated' }, more: false }
    this.nats.publish(floorSubjects.answer(this.address, id), encode(answer))
  }

  /** Reads its own entry or the shared one, and acknowledges it. */
  async #followFloor(message: Msg): Promise<void> {
    const { round, isShared } = message.json<{ round: number; isShared: boolean }>()
    const last_by_subj = isShared ? floorSubjects.sharedEntry : floorSubjects.entry(this.address)
    const entry = await this.#manager.direct
      .getMessage(floorStreams.entries, { last_by_subj })
      .catch(() => null)
    if (entry?.json<{ version: number }>().version === round)
      this.nats.publish(floorSubjects.acknowledged(this.address, round))
  }

  #obey(message: Msg): void {
    if (this.dead) return
    const { id } = message.json<Order>()
    const answer = { ...this.#sender(), order: id, ok: true, result: { version: 'simulated' }, more: false }
    this.nats.publish(subjects.answer(this.address, id), encode(answer))
  }

  #hear(message: Msg): void {
    if (isConcerned(message.json<DesiredChanged>(), this.address)) void this.#follow()
  }

  async #follow(): Promise<void> {
    if (this.dead) return
    const { stream, subject } = desiredEntry(this.address)
    const message = await this.#manager.direct.getMessage(stream, { last_by_subj: subject }).catch(() => null)
    const desired = message?.json<Desired>()
    if (desired && desired.version > this.#version) {
      this.#version = desired.version
      this.#config = desired.config
      this.#revocations = Math.max(this.#revocations, ...desired.revocations.map(({ sequence }) => sequence))
    }
    this.#beat({ isRegular: false })
  }

  #beat({ isRegular = true } = {}): void {
    if (this.dead) return
    const { counters, gauges, histograms } = this.#nextFigures()
    const presence = {
      ...this.#sender(),
      version: 'simulated',
      rights: rightsVersion,
      startedAt: this.#startedAt,
      heartbeatMs: this.#heartbeatMs,
      state: 'serving',
      sequence: ++this.#beats,
      desired: { version: this.#version },
      config: { applied: this.#config?.revision ?? 0, versions: this.#config?.versions },
      revocations: this.#revocations,
      gauges,
      ...(isRegular && { counters, logins: histograms['login_seconds'] }),
      degraded: [],
      listeners: ['127.0.0.1:143'],
    }
    this.nats.publish(subjects.presence(this.address), encode(presence))
  }

  /** Of the next report. Between two reports they do not change. */
  #nextFigures(): ReturnType<typeof figuresAt> {
    const sequence = this.#sequence + 1
    if (this.#figures?.sequence !== sequence) this.#figures = { sequence, ...figuresAt(sequence) }
    return this.#figures
  }

  #sender() {
    return { v: wireVersion, ...this.address, boot: this.#boot, at: Date.now() } as const
  }
}
