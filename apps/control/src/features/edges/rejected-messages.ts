/**
 * Heartbeats and reports that are malformed or name another edge than their subject. All are counted, but each kind is
 * logged only once, so that a faulty sender cannot flood the log.
 */
import type { Deps } from '../../deps.ts'

const kindsMax = 100

export class RejectedMessages {
  readonly #deps: Pick<Deps, 'log' | 'metrics'>
  readonly #seen = new Set<string>()

  constructor(deps: Pick<Deps, 'log' | 'metrics'>) {
    this.#deps = deps
  }

  note(sentAs: 'heartbeat' | 'report', subject: string, reason: string): void {
    const { log, metrics } = this.#deps
    metrics.counters.control_strangers_total({ sent_as: sentAs }).value++
    const kind = `${sentAs} ${reason}`
    if (this.#seen.has(kind) || this.#seen.size >= kindsMax) return
    this.#seen.add(kind)
    log.warn(`rejected a ${sentAs}; more of this kind are only counted`, { subject, reason })
  }
}
