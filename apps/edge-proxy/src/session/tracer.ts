/**
 * Traces of selected users: any number at the same time, each with an expiry and a byte limit. Traces contain no credentials,
 * because they begin after the login. Mail is replaced by its length unless the trace includes bodies.
 */
import type { Counter } from '@imapfleet/observe'
import { AskedCommands } from '../observe/asked-commands.ts'
import { TraceMask } from '../observe/trace-mask.ts'
import type { TracedLine, TraceEnd, TraceOrder, TraceSink } from '../observe/trace.ts'
import { runtime } from '../runtime.ts'
import type { ActiveSession, Sessions } from './sessions.ts'

interface Running {
  order: TraceOrder
  /** When the trace expires, by the clock for ages. */
  endsAt: number
  sink: TraceSink
  bytes: number
  /** The state of both streams of each session in this trace. */
  masks: WeakMap<ActiveSession, { C: TraceMask; S: TraceMask }>
}

export class Tracer {
  readonly #running = new Map<string, Running>()
  readonly #sessions: Sessions
  readonly #lines: Counter
  readonly #now: () => number
  readonly #age: () => number

  /**
   * @param lines counts traced lines
   * @param now milliseconds since 1970, from a fine clock, for the time of each line
   * @param age a monotonic clock, so that changes of the system time do not affect the duration of a trace
   */
  constructor(
    sessions: Sessions,
    lines: Counter,
    now: () => number = () => runtime.wall(),
    age: () => number = () => runtime.now(),
  ) {
    this.#sessions = sessions
    this.#lines = lines
    this.#now = now
    this.#age = age
  }

  get active(): number {
    return this.#running.size
  }

  /** Begins a trace, also of active sessions. If the trace is running already, only its expiry is updated. */
  start(order: TraceOrder, sink: TraceSink): void {
    const endsAt = this.#age() + order.expiresAt - this.#now()
    const running = this.#running.get(order.id)
    if (running) {
      running.endsAt = endsAt
      return
    }
    this.#running.set(order.id, { order, endsAt, sink, bytes: 0, masks: new WeakMap() })
    for (const session of this.#sessions.of(order.user)) {
      this.#tap(session, false)
      this.#remark(session, 'traced from here on')
    }
  }

  stop(id: string, why: TraceEnd): void {
    const running = this.#running.get(id)
    if (!running) return
    this.#running.delete(id)
    running.sink.ended(running.order, why)
    for (const session of this.#sessions.of(running.order.user)) this.#tap(session, false)
  }

  /** Ids of the running traces, of one user or of all users. */
  ids(user?: string): string[] {
    return [...this.#running.values()]
      .filter(({ order }) => user === undefined || order.user === user)
      .map(({ order }) => order.id)
  }

  /** Ends expired traces. Call it each second. */
  sweep(): void {
    for (const { order, endsAt } of [...this.#running.values()])
      if (endsAt <= this.#age()) this.stop(order.id, 'expired')
  }

  /** A session has started. */
  begin(session: ActiveSession, remark: string): void {
    if (this.#running.size === 0) return
    this.#tap(session, true)
    this.#remark(session, remark)
  }

  /** A session has ended. */
  end(session: ActiveSession, remark: string): void {
    if (this.#running.size > 0) this.#remark(session, remark)
  }

  #of(user: string): Running[] {
    return [...this.#running.values()].filter(({ order }) => order.user === user)
  }

  /** @param isNew whether the session has sent no command yet */
  #tap(session: ActiveSession, isNew: boolean): void {
    if (this.#of(session.user).length === 0) {
      session.splice.tap = undefined
      return
    }
    const pass = (from: 'C' | 'S', bytes: Buffer, startsCommand?: boolean) => {
      for (const running of this.#of(session.user))
        for (const text of running.masks.get(session)?.[from].lines(bytes, startsCommand) ?? [])
          this.#emit(running, { at: this.#now(), session: session.id, from, text })
    }
    for (const { masks, order } of this.#of(session.user)) {
      if (masks.has(session)) continue
      const positions = session.splice.positions()
      const asked = order.bodies ? undefined : new AskedCommands(isNew)
      masks.set(session, {
        C: new TraceMask('C', asked, positions.C),
        S: new TraceMask('S', asked, positions.S),
      })
    }
    session.splice.tap = {
      fromClient: (bytes, startsCommand) => pass('C', bytes, startsCommand),
      fromServer: (bytes) => pass('S', bytes),
      remark: (text) => this.#remark(session, text),
    }
  }

  #remark(session: ActiveSession, text: string): void {
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
