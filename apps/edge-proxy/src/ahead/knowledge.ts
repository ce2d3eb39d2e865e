/**
 * What answer-ahead knows about one server: the commands that its clients send next, facts of its users, its round trip, and
 * how many pipelined commands it has answered. After a reload that changes the server's settings, learning starts again.
 */
import { Book } from './book.ts'
import { UserFacts } from './facts.ts'
import type { Question } from './shapes.ts'

/** More questions at once would save no further round trip. */
export const aheadMax = 8

/** After an anomaly, no questions are sent for this time. Then one question at a time is sent. */
const pauseMs = 600_000
/** How often a session of a nearby server is measured. The server's name may get an address that is farther away. */
const nearbyMeasuredMs = 1_000
/** After cutting off sessions in this many different seconds, the server is paused. All sessions cut off by a restart count once. */
const cutsMax = 5
const cutsMs = 1_000
const refusedMax = 200
const refusedTextMax = 1024

export class Knowledge {
  readonly book = new Book()
  readonly #usersBytesMax: number
  #usersBytes = 0
  /** By identity, the most recently used last. `bytes`: what the facts were counted with. */
  readonly #users = new Map<string, { facts: UserFacts; bytes: number }>()
  /** The largest number of pipelined commands that the server has answered. */
  #answered = 0
  #pausedUntil = -Infinity
  /** How often the server has cut off sessions since its last answer to a question, and when last. */
  #cuts = 0
  #cutAt = -Infinity
  readonly #roundTrip = new ShortestTime()
  #measureNearbyAt = -Infinity
  /** Shapes and texts of questions to which the server answered BAD. */
  readonly #refused = new Set<string>()

  constructor(usersBytesMax = 8_388_608) {
    this.#usersBytesMax = usersBytesMax
  }

  /** The facts of a user. Call `keep` at the end of the session. */
  user(identity: string): UserFacts {
    const known = this.#users.get(identity)?.facts ?? new UserFacts()
    this.keep(identity, known)
    return known
  }

  /** Counts the memory of the user's facts. Over the limit, the least recently used users are removed. */
  keep(identity: string, facts: UserFacts): void {
    const known = this.#users.get(identity)
    // The user was removed while this session ran, and another session has created new facts.
    if (known !== undefined && known.facts !== facts) return facts.forget()
    this.#usersBytes -= known?.bytes ?? 0
    this.#users.delete(identity)
    const bytes = identity.length + facts.bytes
    this.#users.set(identity, { facts, bytes })
    this.#usersBytes += bytes
    for (const [oldest, { facts: forgotten, bytes: freed }] of this.#users) {
      if (this.#usersBytes <= this.#usersBytesMax) return
      // Cleared, because a running session may still refer to them.
      forgotten.forget()
      this.#users.delete(oldest)
      this.#usersBytes -= freed
    }
  }

  get usersBytes(): number {
    return this.#usersBytes
  }

  /**
   * The shortest time from a command to a reply, in the last minutes. Undefined: not measured. Longer times are due to the work
   * of the server, or of the edge: under load, every answer waits until the edge reads it.
   */
  get roundTripMs(): number | undefined {
    return this.#roundTrip.ms
  }

  /** @param now from runtime.now() */
  measured(ms: number, now: number): void {
    this.#roundTrip.note(ms, now)
  }

  /**
   * Whether a session that begins now should learn and ask. For a server with a round trip below `roundTripMinMs`, one session a
   * second learns, because learning takes as much CPU time as the rest of a session.
   */
  isWorthwhile(roundTripMinMs: number, now: number): boolean {
    if (this.roundTripMs === undefined || this.roundTripMs >= roundTripMinMs) return true
    if (now < this.#measureNearbyAt) return false
    this.#measureNearbyAt = now + nearbyMeasuredMs
    return true
  }

  /** How many questions may be in flight. */
  commandsMax(now: number): number {
    return now < this.#pausedUntil ? 0 : Math.min(aheadMax, Math.max(1, 2 * this.#answered))
  }

  /** The settings of the server are no longer in force: running sessions send no more questions. */
  retire(): void {
    this.#pausedUntil = Infinity
  }

  /** The server has answered this many pipelined commands, each with its own tag. Twice as many may be in flight then. */
  answered(count: number): void {
    this.#answered = Math.max(this.#answered, count)
    this.#cuts = 0
  }

  /** Whether the server has answered this many pipelined commands before. */
  hasAnswered(count: number): boolean {
    return count <= this.#answered
  }

  /**
   * The server has closed a connection or does not answer, with no more questions at once than it has answered before. Usually
   * the cause is another one: a restart, or the mailbox of one user.
   */
  cutOff(now: number): void {
    if (now - this.#cutAt < cutsMs) return
    this.#cutAt = now
    if (++this.#cuts >= cutsMax) this.failed(now)
  }

  /** The server has answered pipelined commands in an unexpected way. */
  failed(now: number): void {
    this.#answered = this.#cuts = 0
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pauseMs)
  }

  /** The server has answered BAD, for example because it lacks an extension, or not at all. Clients may repeat such a question. */
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

  /** The server has answered this question of a client with OK or NO. */
  understood({ shape, text }: Question): void {
    if (this.#refused.size === 0) return
    this.#refused.delete(shape)
    this.#refused.delete(text)
  }

  isRefused({ shape, text }: Question): boolean {
    return this.#refused.has(shape) || this.#refused.has(text)
  }
}

/** Length of a window. A server whose name has got an address farther away counts as distant after one or two windows. */
const windowMs = 300_000

/** The minimum of the current and the last window of time. */
class ShortestTime {
  #beganAt = -Infinity
  #last = Infinity
  #current = Infinity

  get ms(): number | undefined {
    const ms = Math.min(this.#last, this.#current)
    return ms === Infinity ? undefined : ms
  }

  note(ms: number, now: number): void {
    if (now - this.#beganAt >= windowMs) {
      this.#beganAt = now
      this.#last = this.#current
      this.#current = Infinity
    }
    this.#current = Math.min(this.#current, ms)
  }
}
