/**
 * Messages as they come, handed on in batches: whatever has arrived while the last batch was worked on is the next one.
 * Under light load a message waits for nothing, under heavy load batches grow by themselves.
 */
export class Batches<T> {
  #waiting: T[] = []
  #wake: (() => void) | undefined
  #ended = false
  #error: Error | undefined
  readonly #sizeMax: number
  readonly #waitingMax: number

  /** `waitingMax`: beyond it the oldest are forgotten; only for messages that the next one makes up for. */
  constructor(sizeMax: number, waitingMax = Infinity) {
    this.#sizeMax = sizeMax
    this.#waitingMax = waitingMax
  }

  push(message: T): void {
    this.#waiting.push(message)
    if (this.#waiting.length > this.#waitingMax)
      this.#waiting.splice(0, this.#waiting.length - this.#waitingMax)
    this.#wake?.()
  }

  /** What has arrived is still handed on; then the iteration ends, with this error if there is one. */
  end(error?: Error): void {
    this.#ended = true
    this.#error = error
    this.#wake?.()
  }

  /** Takes back what was not handed on. */
  rest(): T[] {
    return this.#waiting.splice(0)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T[], void> {
    for (;;) {
      if (this.#waiting.length > 0) yield this.#waiting.splice(0, this.#sizeMax)
      else if (this.#ended) break
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
    if (this.#error) throw this.#error
  }
}
