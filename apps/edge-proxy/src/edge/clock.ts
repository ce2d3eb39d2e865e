/**
 * The two clocks of an edge. Ages and time limits use `now`, which a change of the system's time does not move. What people
 * or other systems read or set uses `wall`. Latencies need a finer clock: performance.now().
 */
export class Clock {
  #now = Math.floor(performance.now())
  readonly #timer: NodeJS.Timeout

  /** @param resolutionMs a timer updates `now`, so that reading it costs nothing */
  constructor(resolutionMs = 100) {
    this.#timer = setInterval(() => (this.#now = Math.floor(performance.now())), resolutionMs)
    this.#timer.unref()
  }

  /** Whole milliseconds since an arbitrary moment. Only differences have a meaning. */
  readonly now = (): number => this.#now

  /** Milliseconds since 1970. */
  readonly wall = (): number => Date.now()

  /** The wall time of a moment on the other clock. */
  readonly wallAt = (moment: number): number => Math.round(Date.now() - (performance.now() - moment))

  stop(): void {
    clearInterval(this.#timer)
  }
}
