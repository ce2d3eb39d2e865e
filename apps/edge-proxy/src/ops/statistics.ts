/** The statistics of pimpstat: totals since the last reset of the counters, present values and their peaks. */
import type { EdgeMetrics } from '@imapfleet/observe'
import type { ClientAdmission } from '../net/client-admission.ts'
import type { Pool } from '../pool/pool.ts'

export interface StatisticsReading {
  startedAt: string
  resetAt: string
  clients: { current: number; peak: number; total: number }
  /** Server connections in use by a session. */
  active: { current: number; peak: number }
  /** Idle server connections. */
  cached: { current: number; peak: number }
  logins: { total: number; reused: number; opened: number; reuseRatio: number | null }
  selectCache: { hits: number; misses: number; hitRatio: number | null }
}

interface Totals {
  clients: number
  reused: number
  opened: number
  hits: number
  misses: number
}

export class Statistics {
  readonly #metrics: EdgeMetrics
  readonly #clientAdmission: ClientAdmission
  readonly #pool: Pool
  readonly #startedAt = new Date()
  #resetAt = this.#startedAt
  /** The totals at the last reset. The counters themselves are not reset, because reports are cumulative. */
  #baseline: Totals = { clients: 0, reused: 0, opened: 0, hits: 0, misses: 0 }

  constructor(metrics: EdgeMetrics, clientAdmission: ClientAdmission, pool: Pool) {
    this.#metrics = metrics
    this.#clientAdmission = clientAdmission
    this.#pool = pool
  }

  /** Resets totals and peaks. Metrics and reports are not affected. */
  reset(): void {
    this.#baseline = this.#totals()
    this.#clientAdmission.resetPeak()
    this.#pool.connections.resetPeaks()
    this.#resetAt = new Date()
  }

  read(): StatisticsReading {
    const { connections } = this.#pool
    const clientAdmission = this.#clientAdmission
    const totals = this.#totals()
    const since = (name: keyof Totals) => totals[name] - this.#baseline[name]
    const ratio = (part: number, whole: number) => (whole === 0 ? null : part / whole)
    const logins = since('reused') + since('opened')
    return {
      startedAt: this.#startedAt.toISOString(),
      resetAt: this.#resetAt.toISOString(),
      clients: { current: clientAdmission.total, peak: clientAdmission.peak, total: since('clients') },
      active: { current: connections.count('leased'), peak: connections.peak('leased') },
      cached: { current: connections.count('idle'), peak: connections.peak('idle') },
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

  #totals(): Totals {
    const metrics = this.#metrics
    return {
      clients: metrics.total('client_connections_total'),
      reused: metrics.total('upstream_reuses_total'),
      opened: metrics.total('upstream_connections_total'),
      hits: metrics.total('select_cache_hits_total'),
      misses: metrics.total('select_cache_misses_total'),
    }
  }
}
