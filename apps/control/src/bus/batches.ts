/**
 * Messages as they come, handed on in batches: whatever has arrived while the last batch was worked on is the next one.
 * A message that comes alone waits for nothing, under heavy load batches grow by themselves; in between, those that come
 * soon after one another are gathered, because a statement for each costs more than all that is done with it.
 */
export interface BatchLimits {
  /** Messages in one batch. */
  sizeMax: number
  /** Beyond it the oldest are forgotten; only for messages that the next one makes up for. */
  waitingMax?: number
  /** Shortest time from one batch to the next, unless that one is full. */
  gatherMs?: number
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

  constructor({ sizeMax, waitingMax = Infinity, gatherMs = 0 }: BatchLimits) {
    this.#sizeMax = sizeMax
    this.#waitingMax = waitingMax
    this.#gatherMs = gatherMs
  }

  push(message: T): void {
    this.#waiting.push(message)
    if (this.#waiting.length > this.#waitingMax)
      this.#waiting.splice(0, this.#waiting.length - this.#waitingMax)
    if (this.#waiting.length >= this.#sizeMax) this.#hurry?.()
    this.#wake?.()
  }

  /** What has arrived is still handed on; then the iteration ends, with this error if there is one. */
  end(error?: Error): void {
    this.#ended = true
    this.#error = error
    this.#hurry?.()
    this.#wake?.()
  }

  /** Takes back what was not handed on. */
  rest(): T[] {
    return this.#waiting.splice(0)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T[], void> {
    let last = -Infinity
    for (;;) {
      const early = last + this.#gatherMs - performance.now()
      if (this.#waiting.length > 0 && early > 0 && !this.#ended && this.#waiting.length < this.#sizeMax)
        await this.#untilFull(early)
      if (this.#waiting.length > 0) {
        last = performance.now()
        yield this.#waiting.splice(0, this.#sizeMax)
      } else if (this.#ended) break
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
    if (this.#error) throw this.#error
  }

  /** Or until the end, or for so long. */
  async #untilFull(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#hurry = resolve
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
    this.#hurry = undefined
  }
}
