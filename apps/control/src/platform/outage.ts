/**
 * Logs once that a service became unavailable and once that it is available again, however often it is tried in
 * between.
 */
import { reasonOf, type Log } from '@imapfleet/observe'

export class Outage {
  readonly #log: Log
  readonly #begin: string
  readonly #end: string
  #reason: string | undefined

  /** The log lines at the start and at the end: `NATS is unavailable`, `NATS is available again`. */
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

  /** The reason of the outage; undefined if there is none. */
  get reason(): string | undefined {
    return this.#reason
  }
}
