/**
 * The time of control, learned from its messages. The clock of this edge may be wrong, so times that control sets are compared
 * with the clock of control. After a delayed message, this time is slightly behind until the next message.
 */
import { runtime } from '../runtime.ts'

export class ControlClock {
  readonly #monotonic: () => number
  readonly #wall: () => number
  /** The time of control when the monotonic clock was 0. */
  #offset: number | undefined

  constructor(monotonic: () => number = () => runtime.now(), wall: () => number = () => runtime.wall()) {
    this.#monotonic = monotonic
    this.#wall = wall
  }

  /** @param at when control sent a message that has just arrived. Returns whether the known time has changed notably. */
  note(at: number): boolean {
    const before = this.now()
    this.#offset = at - this.#monotonic()
    return Math.abs(at - before) > 1_000
  }

  /** Milliseconds since 1970. Before the first message it is the clock of this edge. */
  now(): number {
    return this.#offset === undefined ? this.#wall() : this.#offset + this.#monotonic()
  }
}
