/** The sessions of this edge: each client from accept to goodbye, who it is, and what the sweeper must end. */
import { randomBytes } from 'node:crypto'
import type { Client } from '../client/client.ts'
import type { TraceableSession } from '../observe/tracer.ts'
import type { Tap } from '../splice/context.ts'
import type { Splice } from '../splice/splice.ts'

const start = randomBytes(3).toString('hex')
let last = 0

/** A logged-in session. */
export class ActiveSession implements TraceableSession {
  readonly #number = ++last
  readonly user: string
  readonly client: Client
  readonly splice: Splice
  /** Milliseconds since 1970, by the coarse clock. */
  readonly since: number
  /** By performance.now(), for the session's duration. */
  readonly startedAt = performance.now()

  constructor(user: string, client: Client, splice: Splice, now: number) {
    this.user = user
    this.client = client
    this.splice = splice
    this.since = now
  }

  get id(): string {
    return `${start}-${this.#number.toString(36)}`
  }

  literalsLeft(): { C: number; S: number } {
    return this.splice.literalsLeft()
  }

  setTap(tap: Tap | undefined): void {
    this.splice.tap = tap
  }
}

export class Sessions {
  /** Clients that have not logged in. */
  readonly arriving = new Set<Client>()
  readonly active = new Set<ActiveSession>()
  #onEmpty: (() => void) | undefined

  /** Ends what has had its time; call it each second. */
  sweep(now: number, idleTimeoutMs: number): void {
    for (const client of this.arriving) if (client.deadlineAt <= now) client.refuse('login-timeout')
    for (const session of this.active)
      if (now - session.splice.lastActiveAt > idleTimeoutMs) session.splice.end({ kind: 'idle-timeout' })
  }

  /** Ends the sessions of one user, or all. */
  end(reason: 'kicked' | 'revoked' | 'shutdown', user?: string): number {
    const chosen = [...this.active].filter((session) => user === undefined || session.user === user)
    for (const session of chosen) session.splice.end({ kind: 'ended-here', reason })
    return chosen.length
  }

  /** Strikes off the session of a client whose course has failed. */
  abandon(client: Client): void {
    for (const session of [...this.active])
      if (session.client === client) session.splice.end({ kind: 'client-gone', end: 'failed-here' })
  }

  remove(session: ActiveSession): void {
    this.active.delete(session)
    if (this.active.size === 0) this.#onEmpty?.()
  }

  /** Settles when no session is active, or after the time. */
  async drained(timeoutMs: number): Promise<boolean> {
    if (this.active.size === 0) return true
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(false), timeoutMs)
      const settle = (empty: boolean) => {
        clearTimeout(timer)
        this.#onEmpty = undefined
        resolve(empty)
      }
      this.#onEmpty = () => settle(true)
    })
  }
}
