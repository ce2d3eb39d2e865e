/** Metrics in words, for titles of charts and lists. */
import {
  edgeMetrics,
  seriesKey,
  type EdgeMetricName,
  type MetricRow,
  type ParsedSeries,
} from '@imapfleet/observe'

/** Of all series together. It is followed by the function: `Logins` becomes `Logins per second`. */
const titles: Readonly<Record<EdgeMetricName, string>> = {
  client_connections_total: 'Client connections',
  client_refusals_total: 'Refused clients',
  logins_total: 'Logins',
  upstream_connections_total: 'New connections to servers',
  upstream_connects_ahead_total: 'Connections opened ahead of logins',
  upstream_failures_total: 'Failed connections to servers',
  upstream_full_total: 'Connections refused by a limit of the server',
  upstream_reuses_total: 'Reused connections',
  reuse_refused_total: 'Connections not reused',
  upstream_drops_total: 'Idle connections closed',
  sessions_total: 'Sessions',
  round_trips_saved_total: 'Round trips saved',
  client_bytes_total: 'Bytes from clients',
  upstream_bytes_total: 'Bytes from servers',
  select_cache_hits_total: 'Mailboxes opened from the select cache',
  select_cache_misses_total: 'Mailboxes not in the select cache',
  ahead_asked_total: 'Questions asked ahead',
  ahead_used_total: 'Used answers of answer-ahead',
  ahead_dropped_total: 'Dropped answers of answer-ahead',
  ahead_dropped_bytes_total: 'Dropped bytes of answer-ahead',
  trace_lines_total: 'Trace lines',
  trace_lines_lost_total: 'Lost trace lines',
  fleet_refusals_total: 'Messages refused by NATS',
  evidence_sent_total: 'Changed passwords sent',
  evidence_received_total: 'Changed passwords received',
  evidence_missed_total: 'Purges after missed messages about passwords',
  evidence_overflows_total: 'Overflows of messages about passwords',
  forged_messages_total: 'Forged messages',
  reports_resent_total: 'Reports sent again',
  reports_dropped_total: 'Lost reports',
  clients_connected: 'Connected clients',
  clients_limit: 'Limit on clients',
  upstreams_dialing: 'Server connections being opened',
  upstreams_leased: 'Server connections in use',
  upstreams_resetting: 'Server connections being reset',
  upstreams_idle: 'Idle server connections',
  upstreams_ahead: 'Server connections ready for a login',
  upstream_healthy: 'Healthy servers',
  upstream_paused: 'Paused servers',
  upstream_connections_limit: 'Limit on server connections',
  upstream_connections_used: 'Server connections not idle',
  upstream_addresses_down: 'Addresses of servers that do not answer',
  upstream_connections_allowed: 'Limit on connections learned from the server',
  certificate_expiry_seconds: 'Expiry of certificates',
  connects_waiting: 'Waiting attempts to connect',
  credential_expiry_seconds: 'Expiry of the credential for NATS',
  leases_waiting: 'Waiting logins',
  traces_active: 'Traced users',
  evidence_waiting: 'Waiting messages about passwords',
  outbox_reports: 'Unacknowledged reports',
  config_revision: 'Configuration revision',
  memory_rss_bytes: 'Memory',
  cpu_seconds_total: 'CPU time',
  login_seconds: 'Login time',
  lease_wait_seconds: 'Wait for a server connection',
  upstream_dial_seconds: 'Time to open and log in a server connection',
  upstream_connect_seconds: 'TCP connect time of servers',
  upstream_tls_seconds: 'TLS handshake time of servers',
  upstream_login_seconds: 'Login time of servers',
  event_loop_delay_seconds: 'Delay of the event loop',
  session_seconds: 'Length of sessions',
}

/** Some series have their own title. */
const titlesOfSeries: Readonly<Record<string, string>> = {
  'logins_total{result="ok"}': 'Successful logins',
  'logins_total{result="failed"}': 'Failed logins',
  'logins_total{result="refused"}': 'Refused logins (wrong password)',
}

const functions: Readonly<Record<string, string>> = {
  ':rate': ' per second',
  ':max': ', highest',
  ':min': ', lowest',
  ':last': ', last value',
  ':p50': ', median',
  ':p95': ', 95th percentile',
  ':p99': ', 99th percentile',
  ':avg': ', average',
  ':count': ', number of values',
}

/** The name of a metric, of all its series together or of those with the labels. */
export function metricTitle(name: EdgeMetricName, labels: ParsedSeries['labels'] = {}): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label} ${value}`)
  if (pairs.length === 0) return titles[name]
  return titlesOfSeries[seriesKey(name, labels)] ?? `${titles[name]} (${pairs.join(', ')})`
}

/** With the function: `Logins per second`, `Login time, 95th percentile`. */
export function readingTitle(name: EdgeMetricName, labels: ParsedSeries['labels'], suffix: string): string {
  const { kind }: MetricRow = edgeMetrics[name]
  const words = functions[suffix] ?? (kind === 'counter' ? ' in each step' : '')
  return `${metricTitle(name, labels)}${words}`
}
