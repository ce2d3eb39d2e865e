/**
 * What is known about one server for asking ahead: what its clients ask next, the facts of its users, how far away it is,
 * and how many pipelined commands it has answered. A reload that changes the server's settings begins anew.
 */
import { Book } from './book.ts'
import { UserFacts } from './facts.ts'

/** More at once saves no further round trip. */
export const aheadMax = 4

/** After an anomaly, nothing is asked ahead for this time. Then one command is tried again. */
const pauseMs = 600_000

export class Knowledge {
  readonly book = new Book()
  readonly #usersBytesMax: number
  #usersBytes = 0
  /** By identity, the one used last at the end, and the bytes that each counts. */
  readonly #users = new Map<string, { facts: UserFacts; bytes: number }>()
  #commandsMax = 1
  #pausedUntil = -Infinity
  #roundTripMs: number | undefined

  constructor(usersBytesMax = 8_388_608) {
    this.#usersBytesMax = usersBytesMax
  }

  /** The facts of a user. `keep` them again at the end of the session. */
  user(identity: string): UserFacts {
    const known = this.#users.get(identity)?.facts ?? new UserFacts()
    this.keep(identity, known)
    return known
  }

  /** Counts what the user's facts take now. Over the limit, users without sessions for the longest time are forgotten. */
  keep(identity: string, facts: UserFacts): void {
    this.#usersBytes -= this.#users.get(identity)?.bytes ?? 0
    this.#users.delete(identity)
    const bytes = identity.length + facts.bytes
    this.#users.set(identity, { facts, bytes })
    this.#usersBytes += bytes
    for (const [oldest, { bytes: freed }] of this.#users) {
      if (this.#usersBytes <= this.#usersBytesMax) return
      this.#users.delete(oldest)
      this.#usersBytes -= freed
    }
  }

  get usersBytes(): number {
    return this.#usersBytes
  }

  /** The usual time from a command to the first byte of its answer. Undefined: not measured. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /** A slow answer says little about the distance, a fast one says much. */
  measured(ms: number): void {
    const before = this.#roundTripMs ?? ms
    this.#roundTripMs = ms < before ? ms : before + (ms - before) * 0.02
  }

  /** How many commands may be in flight ahead of the client. */
  commandsMax(now: number): number {
    return now < this.#pausedUntil ? 0 : this.#commandsMax
  }

  /** The server has answered this many pipelined commands, each with its own tag. */
  answered(count: number): void {
    this.#commandsMax = Math.min(aheadMax, Math.max(this.#commandsMax, count + 1))
  }

  /** The server has answered pipelined commands in a way that it should not. */
  failed(now: number): void {
    this.#commandsMax = 1
    this.#pausedUntil = now + pauseMs
  }
}
