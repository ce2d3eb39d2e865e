/** The time in milliseconds since 1970, updated by a timer so that reading it costs nothing. For ages and timeouts, not latencies. */
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
