/**
 * Detects that the host was suspended. The monotonic clock stops meanwhile, so a proof of a connection that looks recent
 * may be hours old.
 */
import { runtime } from '../runtime.ts'

/** More than the two clocks can differ because they are read one after the other. */
const noticeableMs = 2_000

export class SuspensionWatch {
  readonly #sleptMs: () => number
  #lastMs: number

  /** @param sleptMs time since the start of the host during which the monotonic clock stood still, plus a constant */
  constructor(sleptMs: () => number = () => runtime.hostUptime() - runtime.now()) {
    this.#sleptMs = sleptMs
    this.#lastMs = sleptMs()
  }

  /** Whether the host was suspended since the last call; call it each second. */
  wasSuspended(): boolean {
    const before = this.#lastMs
    this.#lastMs = this.#sleptMs()
    return this.#lastMs - before > noticeableMs
  }
}
