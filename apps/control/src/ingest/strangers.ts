/** Messages that are none of ours: all are counted, and each kind is logged once, so that nobody can flood the log. */
import type { Log } from '../log.ts'

const kindsMax = 100

export class Strangers {
  readonly #log: Log
  readonly #seen = new Set<string>()
  /** Since start, by what they were sent as. */
  readonly counts = new Map<string, number>()

  constructor(log: Log) {
    this.#log = log
  }

  note(sentAs: string, subject: string, reason: string): void {
    this.counts.set(sentAs, (this.counts.get(sentAs) ?? 0) + 1)
    const kind = `${sentAs} ${reason}`
    if (this.#seen.has(kind) || this.#seen.size >= kindsMax) return
    this.#seen.add(kind)
    this.#log('warn', `not a ${sentAs} of ours; more of this kind are only counted`, { subject, reason })
  }
}
