/**
 * Every figure that an edge counts: one table for the edge's Prometheus page, the reports, the API, the console and
 * docs/metrics.md. Counters are cumulative since boot; gauges are read when asked for.
 */

export interface MetricRow {
  kind: 'counter' | 'gauge' | 'histogram'
  help: string
  /** Names of its labels; a series key is `name` or `name{label="value",...}` in this order. */
  labels?: readonly string[]
}

export const metrics = {
  client_connections_total: { kind: 'counter', help: 'Client connections accepted.' },
  client_refusals_total: {
    kind: 'counter',
    help: 'Client connections refused or ended by a limit.',
    labels: ['reason'],
  },
  logins_total: { kind: 'counter', help: 'Logins by result.', labels: ['upstream', 'result'] },
  upstream_connections_total: {
    kind: 'counter',
    help: 'Connections opened to an upstream.',
    labels: ['upstream'],
  },
  upstream_failures_total: {
    kind: 'counter',
    help: 'Connections to an upstream that failed.',
    labels: ['upstream', 'reason'],
  },
  upstream_reuses_total: { kind: 'counter', help: 'Logins served by a warm upstream.', labels: ['upstream'] },
  reuse_refused_total: {
    kind: 'counter',
    help: 'Used upstreams dropped instead of kept, by reason.',
    labels: ['reason'],
  },
  upstream_drops_total: { kind: 'counter', help: 'Idle upstreams closed, by reason.', labels: ['reason'] },
  sessions_total: { kind: 'counter', help: 'Sessions ended, by ending.', labels: ['ending'] },
  round_trips_saved_total: {
    kind: 'counter',
    help: 'Round trips to an upstream that clients did not wait for.',
  },
  client_bytes_total: { kind: 'counter', help: 'Bytes received from clients.' },
  upstream_bytes_total: { kind: 'counter', help: 'Bytes received from upstreams.' },
  select_cache_hits_total: { kind: 'counter', help: 'SELECT answered from memory.' },
  select_cache_misses_total: { kind: 'counter', help: 'SELECT sent to the upstream while the cache is on.' },
  trace_lines_total: { kind: 'counter', help: 'Lines written to traces.' },
  reports_dropped_total: { kind: 'counter', help: 'Reports lost because the outbox was full.' },

  clients_connected: { kind: 'gauge', help: 'Client connections open.' },
  upstreams_dialing: { kind: 'gauge', help: 'Upstreams being connected and logged in.' },
  upstreams_leased: { kind: 'gauge', help: 'Upstreams in use by a session (active).' },
  upstreams_resetting: { kind: 'gauge', help: 'Upstreams being proven clean.' },
  upstreams_idle: { kind: 'gauge', help: 'Warm upstreams waiting for their user (cached).' },
  upstream_healthy: {
    kind: 'gauge',
    help: '1 while the upstream answers its health check.',
    labels: ['upstream'],
  },
  leases_waiting: { kind: 'gauge', help: 'Logins waiting for a free upstream connection.' },
  traces_active: { kind: 'gauge', help: 'Users being traced.' },
  outbox_reports: { kind: 'gauge', help: 'Reports not yet acknowledged by the fleet.' },
  config_revision: { kind: 'gauge', help: 'Configuration revision that is applied; 0: only the file.' },
  memory_rss_bytes: { kind: 'gauge', help: 'Resident memory of the process.' },
  cpu_seconds_total: { kind: 'counter', help: 'User and system time of the process.' },

  login_seconds: { kind: 'histogram', help: 'From a LOGIN being complete to its reply.' },
  lease_wait_seconds: { kind: 'histogram', help: 'Time a login waited for a free upstream connection.' },
  upstream_dial_seconds: { kind: 'histogram', help: 'From dialing an upstream to its login reply.' },
  upstream_connect_seconds: { kind: 'histogram', help: 'Time to open a TCP connection to an upstream.' },
  upstream_tls_seconds: { kind: 'histogram', help: 'Time of a TLS handshake with an upstream.' },
  upstream_login_seconds: { kind: 'histogram', help: 'From sending a login to an upstream to its reply.' },
  session_seconds: { kind: 'histogram', help: 'From login to the end of a session.' },
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof metrics

/** `logins_total` + `{ upstream: 'main', result: 'ok' }` → `logins_total{upstream="main",result="ok"}`. */
export function seriesKey(name: string, labels: Record<string, string> = {}): string {
  const pairs = Object.entries(labels).map(
    ([label, value]) => `${label}="${value.replace(/["\\]/g, '\\$&')}"`,
  )
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}

/** The inverse of `seriesKey`. */
export function parseSeriesKey(key: string): { name: string; labels: Record<string, string> } {
  const open = key.indexOf('{')
  if (open < 0) return { name: key, labels: {} }
  const pairs = key.slice(open + 1, -1).matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/gs)
  return {
    name: key.slice(0, open),
    labels: Object.fromEntries(
      [...pairs].map(([, label, value]) => [label, value!.replace(/\\(.)/gs, '$1')]),
    ),
  }
}
