/** Messages that are none of ours: all are counted, and each kind is logged once, so that nobody can flood the log. */
import type { Deps } from '../deps.ts'

const kindsMax = 100

export class Strangers {
  readonly #deps: Pick<Deps, 'log' | 'tally'>
  readonly #seen = new Set<string>()

  constructor(deps: Pick<Deps, 'log' | 'tally'>) {
    this.#deps = deps
  }

  note(sentAs: 'heartbeat' | 'report', subject: string, reason: string): void {
    const { log, tally } = this.#deps
    tally.add('strangers_total', 1, `sent_as="${sentAs}"`)
    const kind = `${sentAs} ${reason}`
    if (this.#seen.has(kind) || this.#seen.size >= kindsMax) return
    this.#seen.add(kind)
    log('warn', `not a ${sentAs} of ours; more of this kind are only counted`, { subject, reason })
  }
}
