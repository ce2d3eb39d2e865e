/** The register of sessions: clients that have not logged in, and logged-in sessions with their splices. */
import { Linked, LinkedSet, type ReadonlyLinkedSet } from '../linked-members.ts'
import type { Client } from '../client/client.ts'
import { runtime } from '../runtime.ts'
import type { Splice } from '../splice/splice.ts'

const idPrefix = runtime.randomName().slice(0, 6)
let lastNumber = 0

/** A logged-in session. */
export class ActiveSession extends Linked<ActiveSession> {
  readonly #number = ++lastNumber
  readonly user: string
  readonly client: Client
  readonly splice: Splice
  /** From runtime.now(), for the session's duration. */
  readonly startedAt = runtime.now()

  constructor(user: string, client: Client, splice: Splice) {
    super()
    this.user = user
    this.client = client
    this.splice = splice
  }

  /** For logs and traces. Unique across restarts. */
  get id(): string {
    return `${idPrefix}-${this.#number.toString(36)}`
  }
}

export class Sessions {
  readonly #arriving = new LinkedSet<Client>()
  readonly #active = new LinkedSet<ActiveSession>()

  /** Clients that have not logged in. */
  get arriving(): ReadonlyLinkedSet<Client> {
    return this.#arriving
  }

  get active(): ReadonlyLinkedSet<ActiveSession> {
    return this.#active
  }

  arrive(client: Client): void {
    this.#arriving.add(client)
  }

  /** The client has logged in. */
  begin(session: ActiveSession): void {
    this.#arriving.delete(session.client)
    this.#active.add(session)
  }

  /** The client's connection is closed. A logged-in session was removed by `end` before. */
  leave(client: Client): void {
    this.#arriving.delete(client)
  }

  end(session: ActiveSession): void {
    this.#active.delete(session)
  }

  of(user: string): ActiveSession[] {
    return [...this.#active].filter((session) => session.user === user)
  }

  /** Ends logins and sessions that have reached their time limits. Call it each second. */
  sweep(now: number, idleTimeoutMs: number): void {
    for (const client of this.#arriving) if (client.deadlineAt <= now) client.endLoginTime('out-of-time')
    for (const { splice } of this.#active) {
      splice.dropStale()
      if (now - splice.lastActiveAt > idleTimeoutMs) splice.lookForProgress()
      if (now - splice.lastActiveAt > idleTimeoutMs) splice.end({ kind: 'idle-timeout' })
    }
  }

  /** Ends the sessions of one user, or all sessions. Returns their number. */
  endAll(reason: 'kicked' | 'shutdown', user?: string): number {
    const chosen = user === undefined ? [...this.#active] : this.of(user)
    for (const session of chosen) session.splice.end({ kind: reason })
    return chosen.length
  }

  /** The edge stops: ends sessions in IDLE immediately, and sessions between commands after `quietMs` without data. */
  endQuiet(now: number, quietMs: number): void {
    for (const { splice } of this.#active) {
      const isResting =
        splice.phase === 'idling' ||
        (splice.phase === 'between-commands' && now - splice.lastActiveAt > quietMs)
      if (isResting) splice.end({ kind: 'shutdown' })
    }
  }

  /** Ends the session of a client after an exception. */
  abandon(client: Client): void {
    for (const session of this.#active)
      if (session.client === client) session.splice.end({ kind: 'client-gone', end: 'failed-here' })
  }
}
