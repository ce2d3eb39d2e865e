/**
 * The two clocks of an edge. Ages and time limits use `now`, which is not affected by changes of the system time. Times that
 * people or other systems see or set use `wall`. Latencies need a finer clock: runtime.now().
 */
import { runtime, type Timer } from '../runtime.ts'

export class Clock {
  #tickedAt = runtime.now()
  #now = Math.floor(this.#tickedAt)
  readonly #timer: Timer

  /**
   * @param resolutionMs interval of the timer that updates `now`, so that reading it needs no system call
   * @param wall the simulation sets the clock of an edge with it
   */
  constructor(resolutionMs = 100, wall = () => runtime.wall()) {
    this.wall = wall
    this.#timer = runtime.every(resolutionMs, () => {
      const before = this.#tickedAt
      this.#tickedAt = runtime.now()
      this.#now = Math.floor(this.#tickedAt)
      this.onTick?.(Math.max(0, this.#tickedAt - before - resolutionMs))
    })
    this.#timer.unref()
  }

  /** Called at each update with its delay in milliseconds. During this time the process was busy or did not run. */
  onTick: ((lateMs: number) => void) | undefined

  /** Whole milliseconds since an arbitrary time. Only differences are meaningful. */
  readonly now = (): number => this.#now

  /** Milliseconds since 1970. */
  readonly wall: () => number

  /** Converts a time of `now` to wall time. */
  readonly wallAt = (moment: number): number => Math.round(this.wall() - (runtime.now() - moment))

  stop(): void {
    this.onTick = undefined
    runtime.cancel(this.#timer)
  }
}
