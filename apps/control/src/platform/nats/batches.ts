/**
 * Passes messages on in batches. A batch contains what arrived while the previous one was processed. A single message does
 * not wait; under load the batches grow. Between batches there is a short pause, because one statement for each message
 * costs more than all other work.
 */
export interface BatchLimits {
  /** Largest number of messages in one batch. */
  sizeMax: number
  /** Beyond this number the oldest are dropped. Only for messages that the next one replaces. */
  waitingMax?: number
  /** Shortest time between the starts of two batches, unless one has enough messages, or began so long ago with enough. */
  gatherMs?: number
  /** Messages that are enough for one batch; `sizeMax` by default. */
  enough?: number
}

export class Batches<T> {
  #waiting: T[] = []
  #wake: (() => void) | undefined
  #hurry: (() => void) | undefined
  #ended = false
  #error: Error | undefined
  readonly #sizeMax: number
  readonly #waitingMax: number
  readonly #gatherMs: number
  readonly #enough: number

  constructor({ sizeMax, waitingMax = Infinity, gatherMs = 0, enough = sizeMax }: BatchLimits) {
    this.#sizeMax = sizeMax
    this.#waitingMax = waitingMax
    this.#gatherMs = gatherMs
    this.#enough = enough
  }

  push(message: T): void {
    this.#waiting.push(message)
    if (this.#waiting.length > this.#waitingMax)
      this.#waiting.splice(0, this.#waiting.length - this.#waitingMax)
    if (this.#waiting.length >= this.#enough) this.#hurry?.()
    this.#wake?.()
  }

  /** Passes on the messages that have arrived. Then the iteration ends, with this error if there is one. */
  end(error?: Error): void {
    this.#ended = true
    this.#error = error
    this.#hurry?.()
    this.#wake?.()
  }

  /** Returns what was not handed on. */
  rest(): T[] {
    return this.#waiting.splice(0)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T[], void> {
    let last = -Infinity
    let enoughAt = -Infinity
    for (;;) {
      const isBusy = performance.now() - enoughAt < this.#gatherMs
      const early = isBusy ? 0 : last + this.#gatherMs - performance.now()
      if (this.#waiting.length > 0 && early > 0 && !this.#ended && this.#waiting.length < this.#enough)
        await this.#untilFull(early)
      if (this.#waiting.length > 0) {
        last = performance.now()
        const batch = this.#waiting.splice(0, this.#sizeMax)
        if (batch.length >= this.#enough) enoughAt = last
        yield batch
      } else if (this.#ended) break
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
    if (this.#error) throw this.#error
  }

  /** Resolves at the next message, at the end, or after this time. */
  async #untilFull(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#hurry = resolve
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
    this.#hurry = undefined
  }
}
