/** Logs once that a service went away and once that it is back, however often it is tried in between. */
import { reasonOf, type Log } from '@imapfleet/observe'

export class Outage {
  readonly #log: Log
  readonly #begin: string
  readonly #end: string
  #reason: string | undefined

  /** What is logged when it begins and when it is over: `NATS is unavailable`, `NATS is available again`. */
  constructor(log: Log, begin: string, end: string) {
    this.#log = log
    this.#begin = begin
    this.#end = end
  }

  began(error: unknown): void {
    const reason = reasonOf(error)
    if (this.#reason === undefined) this.#log.warn(this.#begin, { reason })
    this.#reason = reason
  }

  over(): void {
    if (this.#reason !== undefined) this.#log.info(this.#end)
    this.#reason = undefined
  }

  /** Why it is away, or undefined while all is well. */
  get reason(): string | undefined {
    return this.#reason
  }
}
