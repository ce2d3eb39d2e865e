/**
 * What is known about one server for asking ahead: what its clients ask next, the facts of its users, how far away it is,
 * and how many pipelined commands it has answered. A reload that changes the server's settings begins anew.
 */
import { Book } from './book.ts'
import { UserFacts } from './facts.ts'
import type { Question } from './shapes.ts'

/** More at once saves no further round trip. */
export const aheadMax = 8

/** After an anomaly, nothing is asked ahead for this time. Then one command is tried again. */
const pauseMs = 600_000
/** How often a session with a nearby server is measured: the name of the server can get an address that is farther away. */
const nearbyMeasuredMs = 1_000
const refusedMax = 200
const refusedTextMax = 1024

export class Knowledge {
  readonly book = new Book()
  readonly #usersBytesMax: number
  #usersBytes = 0
  /** By identity, the one used last at the end, and the bytes that each counts. */
  readonly #users = new Map<string, { facts: UserFacts; bytes: number }>()
  #commandsMax = 1
  #pausedUntil = -Infinity
  #roundTripMs: number | undefined
  #measureNearbyAt = -Infinity
  /** Shapes and texts of questions that the server does not know. */
  readonly #refused = new Set<string>()

  constructor(usersBytesMax = 8_388_608) {
    this.#usersBytesMax = usersBytesMax
  }

  /** The facts of a user. `keep` them again at the end of the session. */
  user(identity: string): UserFacts {
    const known = this.#users.get(identity)?.facts ?? new UserFacts()
    this.keep(identity, known)
    return known
  }

  /** Counts what the user's facts take now. Over the limit, users that were not seen for the longest time are forgotten. */
  keep(identity: string, facts: UserFacts): void {
    const known = this.#users.get(identity)
    // The user was forgotten while this session ran, and another one has begun anew.
    if (known !== undefined && known.facts !== facts) return facts.forget()
    this.#usersBytes -= known?.bytes ?? 0
    this.#users.delete(identity)
    const bytes = identity.length + facts.bytes
    this.#users.set(identity, { facts, bytes })
    this.#usersBytes += bytes
    for (const [oldest, { facts: forgotten, bytes: freed }] of this.#users) {
      if (this.#usersBytes <= this.#usersBytesMax) return
      // A session that still runs would keep them.
      forgotten.forget()
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

  /**
   * Whether a session that begins now is to learn and ask. With a server that answers sooner than `roundTripMinMs` one session a
   * second learns, because learning takes as much CPU time as the rest of a session.
   */
  isWorthwhile(roundTripMinMs: number, now: number): boolean {
    if (this.#roundTripMs === undefined || this.#roundTripMs >= roundTripMinMs) return true
    if (now < this.#measureNearbyAt) return false
    this.#measureNearbyAt = now + nearbyMeasuredMs
    return true
  }

  /** How many commands may be in flight ahead of the client. */
  commandsMax(now: number): number {
    return now < this.#pausedUntil ? 0 : this.#commandsMax
  }

  /** The settings of the server are no longer in force: sessions that still run ask nothing more. */
  retire(): void {
    this.#pausedUntil = Infinity
  }

  /** The server has answered this many pipelined commands, each with its own tag. */
  answered(count: number): void {
    this.#commandsMax = Math.min(aheadMax, Math.max(this.#commandsMax, count + 1))
  }

  /** The server has answered pipelined commands in a way that it should not. */
  failed(now: number): void {
    this.#commandsMax = 1
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pauseMs)
  }

  /** The server has answered BAD: it does not know the extension, for example. A client may ask such a question again and again. */
  refused({ shape, text }: Question): void {
    for (const each of [shape, text]) {
      this.#refused.delete(each)
      if (each.length <= refusedTextMax) this.#refused.add(each)
    }
    for (const oldest of this.#refused) {
      if (this.#refused.size <= refusedMax) return
      this.#refused.delete(oldest)
    }
  }

  /** The server has answered a client that asked it. */
  understood({ shape, text }: Question): void {
    if (this.#refused.size === 0) return
    this.#refused.delete(shape)
    this.#refused.delete(text)
  }

  isRefused({ shape, text }: Question): boolean {
    return this.#refused.has(shape) || this.#refused.has(text)
  }
}
