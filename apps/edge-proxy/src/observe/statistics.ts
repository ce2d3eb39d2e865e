/** What pimpstat shows: totals since the counters were last reset, present values and their peaks. */
import type { EdgeMetrics } from '@imapfleet/observe'
import type { Gate } from '../net/address-limits.ts'
import type { Pool } from '../pool/pool.ts'

export interface Statistics {
  startedAt: string
  resetAt: string
  clients: { current: number; peak: number; total: number }
  /** ServerConnection connections in use, and waiting for their user. */
  active: { current: number; peak: number }
  cached: { current: number; peak: number }
  logins: { total: number; reused: number; opened: number; reuseRatio: number | null }
  selectCache: { hits: number; misses: number; hitRatio: number | null }
}

const counted = {
  clients: 'client_connections_total',
  reused: 'upstream_reuses_total',
  opened: 'upstream_connections_total',
  hits: 'select_cache_hits_total',
  misses: 'select_cache_misses_total',
} as const
type Counted = Record<keyof typeof counted, number>

/** Where the values are. */
interface Sources {
  readonly metrics: EdgeMetrics
  readonly gate: Gate
  readonly pool: Pool
}

export class StatisticsBook {
  readonly #sources: Sources
  readonly #startedAt = new Date()
  #resetAt = this.#startedAt
  /** What the counters stood at then: nothing is ever set back, so that reports go on growing. */
  #baseline: Counted = { clients: 0, reused: 0, opened: 0, hits: 0, misses: 0 }

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** They begin anew; what is reported to the fleet goes on. */
  reset(): void {
    this.#baseline = this.#totals()
    this.#sources.gate.forgetPeak()
    this.#sources.pool.states.forgetPeaks()
    this.#resetAt = new Date()
  }

  read(): Statistics {
    const { gate, pool } = this.#sources
    const { states } = pool
    const totals = this.#totals()
    const since = (name: keyof Counted) => totals[name] - this.#baseline[name]
    const ratio = (part: number, whole: number) => (whole === 0 ? null : part / whole)
    const logins = since('reused') + since('opened')
    return {
      startedAt: this.#startedAt.toISOString(),
      resetAt: this.#resetAt.toISOString(),
      clients: { current: gate.total, peak: gate.peak, total: since('clients') },
      active: { current: states.leased.size, peak: states.peaks.leased },
      cached: { current: states.idle.size, peak: states.peaks.idle },
      logins: {
        total: logins,
        reused: since('reused'),
        opened: since('opened'),
        reuseRatio: ratio(since('reused'), logins),
      },
      selectCache: {
        hits: since('hits'),
        misses: since('misses'),
        hitRatio: ratio(since('hits'), since('hits') + since('misses')),
      },
    }
  }

  #totals(): Counted {
    const { counters } = this.#sources.metrics.snapshot()
    const sum = (name: string) =>
      Object.entries(counters)
        .filter(([key]) => key === name || key.startsWith(`${name}{`))
        .reduce((total, [, value]) => total + value, 0)
    return {
      clients: sum(counted.clients),
      reused: sum(counted.reused),
      opened: sum(counted.opened),
      hits: sum(counted.hits),
      misses: sum(counted.misses),
    }
  }
}
