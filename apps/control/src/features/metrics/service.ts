/**
 * The whole fleet for Prometheus: metrics about each edge as control sees it, and the metrics of each edge as of its last
 * heartbeat. Metrics of silent edges are omitted, so that no old value looks current.
 */
import {
  accessMetrics,
  databaseMetrics,
  edgeMetrics,
  fleetMetrics,
  printPrometheus,
  seriesKey,
  type PrometheusSource,
} from '@imapfleet/observe'
import { isHeard, isLimited, type EdgeView, type AccessLimits } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { expiringTokens } from '../access/service.ts'
import { lastRestore, runsForeignState } from '../desired/service.ts'
import { listCountingViews, type CountingEdgeRow } from '../edges/service.ts'

/** With limits: only the edges within them, and no metrics of tokens and the database. */
export async function printFleetMetrics(deps: Deps, limits: AccessLimits): Promise<string> {
  const edges = await listCountingViews(deps, limits)
  const heard = edges.filter(({ row }) => !row.silent)
  const whole = isLimited(limits)
    ? ''
    : printPrometheus(accessMetrics, [accessSource(await expiringTokens(deps))]) +
      printPrometheus(databaseMetrics, [databaseSource(await lastRestore(deps))])
  return (
    printPrometheus(
      fleetMetrics,
      edges.map(({ row, view }) => fleetSource(row, view)),
    ) +
    whole +
    printPrometheus(
      edgeMetrics,
      heard.map(({ row }) => edgeSource(row)),
    )
  )
}

const fleetSource = (row: CountingEdgeRow, view: EdgeView): PrometheusSource => ({
  labels: { edge: view.id, region: view.region },
  gauges: {
    edge_up: isHeard(view) ? 1 : 0,
    edge_problems: view.problems.length,
    edge_instances: view.instances ?? 1,
    edge_clock_skew_seconds: (view.clockSkewMs ?? 0) / 1000,
    edge_draining: view.drain ? 1 : 0,
    edge_foreign_state: !row.silent && runsForeignState(row) ? 1 : 0,
    edge_state_unsaved: !row.silent && row.unsaved !== null ? 1 : 0,
    edge_revision_wanted: view.config.wanted,
    edge_revision_applied: view.config.applied,
    edge_last_seen_seconds: Date.parse(view.lastSeenAt) / 1000,
  } satisfies Record<keyof typeof fleetMetrics, number>,
})

const databaseSource = (restoredAt: number | undefined): PrometheusSource => ({
  gauges:
    restoredAt === undefined
      ? {}
      : ({ database_restored_seconds: restoredAt / 1000 } satisfies Record<
          keyof typeof databaseMetrics,
          number
        >),
})

/** Several tokens can have one name: the one that expires last counts, because the others were replaced. */
const accessSource = (tokens: readonly { name: string; expiresAt: Date }[]): PrometheusSource => ({
  gauges: Object.fromEntries(
    tokens
      .toSorted((a, b) => a.expiresAt.getTime() - b.expiresAt.getTime())
      .map(({ name, expiresAt }) => [
        seriesKey('token_expiry_seconds' satisfies keyof typeof accessMetrics, { token: name }),
        expiresAt.getTime() / 1000,
      ]),
  ),
})

const edgeSource = ({ id, region, counted, gauges }: CountingEdgeRow): PrometheusSource => ({
  labels: { edge: id, region },
  counters: counted?.counters ?? {},
  gauges,
  histograms: counted?.logins ? { login_seconds: counted.logins } : {},
})
