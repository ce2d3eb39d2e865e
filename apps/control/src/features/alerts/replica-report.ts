/**
 * Each process of control reports its own state in Postgres, so that any process can raise alerts about all of them. A
 * process removes its row when it is stopped. If a row is not renewed, its process died, hangs, or cannot use Postgres.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { seriesOf, reasonOf, type MetricsSnapshot } from '@imapfleet/observe'
import type { Deps } from '../../deps.ts'
import { natsHealth } from '../../platform/http/health.ts'
import { dropReplica, writeReplica } from './queries.ts'
import type { ReplicaReport } from './table.ts'

const reportEveryMs = 10_000

/** Runs until the signal is aborted, and removes the row then. */
export async function keepReplicaReport(deps: Deps, place: string, signal: AbortSignal): Promise<void> {
  const reporter = new ReplicaReporter(deps)
  while (!signal.aborted) {
    await reporter.write(place)
    await sleep(reportEveryMs, undefined, { signal }).catch(() => {})
  }
  await dropReplica(deps.db.orm, place).catch(() => {})
}

type ReporterDeps = Pick<Deps, 'db' | 'bus' | 'log' | 'metrics' | 'now'>

export class ReplicaReporter {
  readonly #deps: ReporterDeps
  #counted = { stored: 0, rejected: 0 }
  #storedAt: number | undefined
  #rejectedAt: number | undefined
  #failing: { from: number; reason: string } | undefined
  #outage: ReplicaReport['postgresOutage']

  constructor(deps: ReporterDeps) {
    this.#deps = deps
  }

  async write(place: string): Promise<void> {
    const { db, log, now } = this.#deps
    const report = await this.#report()
    try {
      await writeReplica(db.orm, place, report)
      if (!this.#failing) return
      this.#outage = { ...this.#failing, to: now() }
      this.#failing = undefined
    } catch (error) {
      this.#failing ??= { from: now(), reason: reasonOf(error) }
      log.debug('the report of this process cannot be stored', { reason: reasonOf(error) })
    }
  }

  async #report(): Promise<ReplicaReport> {
    const { bus, metrics, now } = this.#deps
    const { counters, gauges } = metrics.snapshot()
    const stored = sumOf(counters, 'control_reports_total')
    const rejected = sumOf(counters, 'control_invalid_messages_total')
    if (stored > this.#counted.stored) this.#storedAt = now()
    if (rejected > this.#counted.rejected) this.#rejectedAt = now()
    this.#counted = { stored, rejected }
    const lag = gauges['control_report_lag_seconds']
    const waiting = gauges['control_reports_waiting']
    const credential = gauges['control_credential_expiry_seconds']
    return {
      nats: await natsHealth({ bus }),
      ...(this.#outage && { postgresOutage: this.#outage }),
      ...(this.#storedAt !== undefined && { storedAt: this.#storedAt }),
      ...(this.#rejectedAt !== undefined && { rejectedAt: this.#rejectedAt }),
      ...(lag !== undefined && { lagMs: lag * 1000 }),
      ...(waiting !== undefined && { waiting }),
      certificates: certificatesIn(gauges),
      ...(credential !== undefined && { credentialExpiresAt: credential * 1000 }),
    }
  }
}

const sumOf = (values: Readonly<Record<string, number>>, name: string): number =>
  seriesOf(values, name).reduce((sum, { value }) => sum + value, 0)

const certificatesIn = (gauges: MetricsSnapshot['gauges']): ReplicaReport['certificates'] =>
  seriesOf(gauges, 'control_certificate_expiry_seconds').map(({ labels, value }) => ({
    owner: labels['owner'] ?? '',
    expiresAt: value * 1000,
  }))
