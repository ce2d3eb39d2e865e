/**
 * Detects that the host was suspended. The monotonic clock stops during a suspension, so the last proof of a connection may be
 * older than it seems.
 */
import { runtime } from '../runtime.ts'

/** More than the difference that results from reading the two clocks one after the other. */
const noticeableMs = 2_000

export class SuspensionWatch {
  readonly #sleptMs: () => number
  #lastMs: number

  /** @param sleptMs total time of suspensions since the start of the host, plus a constant */
  constructor(sleptMs: () => number = () => runtime.hostUptime() - runtime.now()) {
    this.#sleptMs = sleptMs
    this.#lastMs = sleptMs()
  }

  /** Whether the host was suspended since the last call. Call it each second. */
  wasSuspended(): boolean {
    const before = this.#lastMs
    this.#lastMs = this.#sleptMs()
    return this.#lastMs - before > noticeableMs
  }
}
