/**
 * A value that is read from elsewhere, and used for some time before it is read again. Callers at the same time share one
 * read. If a read fails, all waiting callers get the error, and the next caller reads again.
 */
export class KeptValue<T> {
  readonly #read: () => Promise<T>
  readonly #keptMs: number
  readonly #now: () => number
  #kept: { value: T; since: number } | undefined
  #reading: Promise<T> | undefined

  /** `now`: milliseconds that never go back. */
  constructor(read: () => Promise<T>, keptMs: number, now: () => number = () => performance.now()) {
    this.#read = read
    this.#keptMs = keptMs
    this.#now = now
  }

  async get(): Promise<T> {
    if (this.#kept && this.#now() - this.#kept.since < this.#keptMs) return this.#kept.value
    this.#reading ??= this.#readAgain().finally(() => (this.#reading = undefined))
    return await this.#reading
  }

  async #readAgain(): Promise<T> {
    const since = this.#now()
    const value = await this.#read()
    this.#kept = { value, since }
    return value
  }
}
