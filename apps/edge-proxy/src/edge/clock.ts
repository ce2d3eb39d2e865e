/**
 * The two clocks of an edge. Ages and time limits use `now`, which a change of the system's time does not move. What people
 * or other systems read or set uses `wall`. Latencies need a finer clock: runtime.now().
 */
import { runtime, type Timer } from '../runtime.ts'

export class Clock {
  #tickedAt = runtime.now()
  #now = Math.floor(this.#tickedAt)
  readonly #timer: Timer

  /**
   * @param resolutionMs a timer updates `now`, so that reading it costs nothing
   * @param wall the simulation sets the clock of one edge by it
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

  /** Called at each update with its delay in milliseconds: for so long, the process did nothing else, or did not run. */
  onTick: ((lateMs: number) => void) | undefined

  /** Whole milliseconds since an arbitrary moment. Only differences have a meaning. */
  readonly now = (): number => this.#now

  /** Milliseconds since 1970. */
  readonly wall: () => number

  /** The wall time of a moment on the other clock. */
  readonly wallAt = (moment: number): number => Math.round(this.wall() - (runtime.now() - moment))

  stop(): void {
    this.onTick = undefined
    runtime.cancel(this.#timer)
  }
}
