/** Milliseconds since 1970 that cost nothing to read: kept by a timer, for ages and idle times, not for latencies. */
export class Clock {
  #now = Date.now()
  readonly #timer: NodeJS.Timeout

  constructor(resolutionMs = 100) {
    this.#timer = setInterval(() => (this.#now = Date.now()), resolutionMs)
    this.#timer.unref()
  }

  readonly now = (): number => this.#now

  stop(): void {
    clearInterval(this.#timer)
  }
}
