/** An edge in the form of a live view: rates from its last two heartbeats, and its state. */
import { seriesOf, percentile } from '@imapfleet/observe'
import type { EdgeView, LiveEdge } from '@imapfleet/api'
import type { CountingEdgeRow } from './queries.ts'
import type { Counted } from './table.ts'

export function liveEdge(row: CountingEdgeRow, view: EdgeView): LiveEdge {
  const { pool, connections, config } = view
  return {
    id: view.id,
    region: view.region,
    state: view.state,
    version: view.version,
    lastSeenAt: view.lastSeenAt,
    ...(row.silent ? unknown : ratesOf(row.counted, row.countedBefore)),
    clients: connections.clients,
    active: connections.active,
    cached: connections.cached,
    waiting: pool?.waiting ?? 0,
    config: { wanted: config.wanted, applied: config.applied },
    degraded: view.degraded,
    problems: view.problems,
  }
}

type Rates = Pick<
  LiveEdge,
  'sessionsPerSecond' | 'loginsPerSecond' | 'reuseRatio' | 'errorsPerSecond' | 'loginP50Ms'
>

const unknown: Rates = {
  sessionsPerSecond: null,
  loginsPerSecond: null,
  reuseRatio: null,
  errorsPerSecond: null,
  loginP50Ms: null,
}

/** Between two moments of one boot. All values are null if one of the moments is unknown. */
export function ratesOf(now: Counted | null, before: Counted | null): Rates {
  const seconds = now && before ? secondsBetween(before, now) : 0
  if (!now || !before || seconds <= 0) return unknown
  const grown = (name: string, labels: Record<string, string> = {}) =>
    Math.max(0, total(now, name, labels) - total(before, name, labels))
  const reused = grown('upstream_reuses_total')
  const served = reused + grown('upstream_connections_total')
  const p50 = percentile(increaseOf(now, before), 0.5)
  return {
    sessionsPerSecond: grown('sessions_total') / seconds,
    loginsPerSecond: grown('logins_total') / seconds,
    reuseRatio: served > 0 ? reused / served : null,
    errorsPerSecond: grown('logins_total', { result: 'failed' }) / seconds,
    loginP50Ms: p50 === null ? null : p50 * 1000,
  }
}

/** By how long the boot has run, because the clock of the edge may have been set in between. */
const secondsBetween = (before: Counted, now: Counted): number =>
  (now.uptimeMs !== undefined && before.uptimeMs !== undefined
    ? now.uptimeMs - before.uptimeMs
    : now.at - before.at) / 1000

function total({ counters }: Counted, name: string, wanted: Record<string, string>): number {
  let sum = 0
  for (const { labels, value } of seriesOf(counters, name))
    if (Object.entries(wanted).every(([label, text]) => labels[label] === text)) sum += value
  return sum
}

/** The increase of each bucket. */
function increaseOf(now: Counted, before: Counted): Record<string, number> {
  const counts = Object.entries(now.logins?.counts ?? {}).map(([bucket, count]): [string, number] => [
    bucket,
    Math.max(0, count - (before.logins?.counts[bucket] ?? 0)),
  ])
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}
