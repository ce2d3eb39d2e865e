/**
 * The protocol of chosen users: any number at once, each with an expiry and a byte limit. Literals (message bodies) are
 * replaced by their length unless asked for; logins never get here, because a trace begins behind them.
 */
import type { Counter } from '@imapfleet/observe'
import type { Tap } from '../splice/context.ts'
import { LiteralMask } from './literal-mask.ts'

export type TraceEnd = 'expired' | 'stopped' | 'byte-limit' | 'edge-stopped'

export interface TraceOrder {
  id: string
  user: string
  /** Milliseconds since 1970. */
  expiresAt: number
  bytesMax: number
  bodies: boolean
}

export interface TracedLine {
  at: number
  session: string
  from: 'C' | 'S' | '*'
  text: string
}

/** Where lines go: a file, the fleet. */
export interface TraceSink {
  line(trace: TraceOrder, line: TracedLine): void
  ended(trace: TraceOrder, why: TraceEnd): void
}

/** One session that may be traced. */
export interface TraceableSession {
  readonly id: string
  readonly user: string
  setTap(tap: Tap | undefined): void
  /** Bytes of a literal that are still to come from either side. */
  literalsLeft(): { C: number; S: number }
}

interface Running {
  order: TraceOrder
  sink: TraceSink
  bytes: number
  /** Where each session stands in this trace. */
  masks: WeakMap<TraceableSession, { C: LiteralMask; S: LiteralMask }>
}

export class Tracer {
  readonly #running = new Map<string, Running>()
  readonly #sessions = new Set<TraceableSession>()
  readonly #now: () => number
  readonly #lines: Counter

  /** @param now milliseconds since 1970; a fine clock, since each line is stamped with it */
  constructor(lines: Counter, now: () => number = Date.now) {
    this.#lines = lines
    this.#now = now
  }

  get active(): number {
    return this.#running.size
  }

  /** Begins a trace, also of sessions that are already there. Idempotent by id. */
  start(order: TraceOrder, sink: TraceSink): void {
    if (this.#running.has(order.id)) return
    this.#running.set(order.id, { order, sink, bytes: 0, masks: new WeakMap() })
    for (const session of this.#sessions) {
      if (session.user !== order.user) continue
      this.#tap(session)
      this.#say(session, 'traced from here on')
    }
  }

  stop(id: string, why: TraceEnd): void {
    const running = this.#running.get(id)
    if (!running) return
    this.#running.delete(id)
    running.sink.ended(running.order, why)
    for (const session of this.#sessions) if (session.user === running.order.user) this.#tap(session)
  }

  /** Ids of traces under way, optionally of one user. */
  ids(user?: string): string[] {
    return [...this.#running.values()]
      .filter(({ order }) => user === undefined || order.user === user)
      .map(({ order }) => order.id)
  }

  /** Ends what has expired; call it each second. */
  sweep(): void {
    for (const { order } of [...this.#running.values()])
      if (order.expiresAt <= this.#now()) this.stop(order.id, 'expired')
  }

  add(session: TraceableSession, remark: string): void {
    this.#sessions.add(session)
    if (this.#running.size === 0) return
    this.#tap(session)
    this.#say(session, remark)
  }

  remove(session: TraceableSession, remark: string): void {
    if (!this.#sessions.delete(session) || this.#running.size === 0) return
    this.#say(session, remark)
  }

  #of(user: string): Running[] {
    return [...this.#running.values()].filter(({ order }) => order.user === user)
  }

  #tap(session: TraceableSession): void {
    if (this.#of(session.user).length === 0) return session.setTap(undefined)
    const pass = (from: 'C' | 'S', bytes: Buffer) => {
      for (const running of this.#of(session.user))
        for (const text of running.masks.get(session)?.[from].lines(bytes) ?? [])
          this.#emit(running, { at: this.#now(), session: session.id, from, text })
    }
    for (const { masks, order } of this.#of(session.user)) {
      if (masks.has(session)) continue
      const left = session.literalsLeft()
      masks.set(session, {
        C: new LiteralMask('C', order.bodies, left.C),
        S: new LiteralMask('S', order.bodies, left.S),
      })
    }
    session.setTap({ fromClient: (bytes) => pass('C', bytes), fromServer: (bytes) => pass('S', bytes) })
  }

  #say(session: TraceableSession, text: string): void {
    for (const running of this.#of(session.user))
      this.#emit(running, { at: this.#now(), session: session.id, from: '*', text })
  }

  #emit(running: Running, line: TracedLine): void {
    if (this.#running.get(running.order.id) !== running) return
    running.bytes += line.text.length
    this.#lines.value++
    running.sink.line(running.order, line)
    if (running.bytes > running.order.bytesMax) this.stop(running.order.id, 'byte-limit')
  }
}
