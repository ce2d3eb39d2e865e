/** Figures of a busy edge without troubles: as many series as a real edge reports, nearly all growing. */
import { bucketBound } from '@imapfleet/observe'
import type { Report } from '@imapfleet/protocol'

type Figures = Pick<Report, 'counters' | 'gauges' | 'histograms'>

const upstream = '{upstream="main"}'
const counted = [
  'client_connections_total',
  `upstream_connections_total${upstream}`,
  `upstream_reuses_total${upstream}`,
  ...['ok', 'refused', 'failed'].map((result) => `logins_total{upstream="main",result="${result}"}`),
  ...['logout', 'client-gone', 'idle-timeout', 'upstream-gone'].map(
    (end) => `sessions_total{ending="${end}"}`,
  ),
  ...['open-literal', 'notify', 'too-old'].map((reason) => `reuse_refused_total{reason="${reason}"}`),
  ...['too-old', 'idle-timeout', 'revoked'].map((reason) => `upstream_drops_total{reason="${reason}"}`),
  'client_bytes_total',
  'upstream_bytes_total',
  'round_trips_saved_total',
  'select_cache_hits_total',
  'select_cache_misses_total',
  'trace_lines_total',
  'reports_dropped_total',
  'cpu_seconds_total',
]
/** What grows only in trouble. A fleet of edges with alerts is not what is measured. */
const fixed: Readonly<Record<string, number>> = {
  'logins_total{upstream="main",result="failed"}': 0,
  reports_dropped_total: 0,
  leases_waiting: 0,
}
const measured = [
  'memory_rss_bytes',
  'clients_connected',
  'upstreams_dialing',
  'upstreams_leased',
  'upstreams_resetting',
  'upstreams_idle',
  'traces_active',
  'leases_waiting',
  'outbox_reports',
  'config_revision',
]
const timed = ['login_seconds', 'session_seconds', 'lease_wait_seconds', 'upstream_dial_seconds']
/** Number of filled buckets of a histogram, and the first one. */
const buckets = { count: 40, first: 60 }

/** The sum of one value in the first bucket, two in the next, and so on. */
const secondsEach = Array.from(
  { length: buckets.count },
  (_, index) => (index + 1) * bucketBound(buckets.first + index),
).reduce((sum, seconds) => sum + seconds, 0)

/** Figures of the report with this sequence number. */
export function figuresAt(sequence: number): Figures {
  const of = (names: string[], value: (index: number) => number) =>
    Object.fromEntries(names.map((name, index) => [name, fixed[name] ?? value(index)]))
  const counts = Object.fromEntries(
    Array.from({ length: buckets.count }, (_, index) => [buckets.first + index, sequence * (index + 1)]),
  )
  return {
    counters: of(counted, (index) => sequence * (index + 3)),
    gauges: { ...of(measured, (index) => (sequence + index) % 100), [`upstream_healthy${upstream}`]: 1 },
    histograms: Object.fromEntries(timed.map((name) => [name, { sum: sequence * secondsEach, counts }])),
  }
}
