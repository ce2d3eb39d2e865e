/**
 * The table of all metrics. Counting code, Prometheus pages, reports, the API, the console and docs/metrics.md are all
 * derived from its rows. On Prometheus pages each name has the prefix `imapfleet_`.
 */

export interface MetricRow {
  /** Counters and histograms are cumulative since the process started; gauges are read at each snapshot. */
  kind: 'counter' | 'gauge' | 'histogram'
  help: string
  /** Label names, in the order of the series key. Values come from configuration or closed lists, never from users. */
  labels?: readonly string[]
  /** The closed lists, by label. A label without one has names of the configuration. */
  values?: Readonly<Record<string, readonly string[]>>
  /** The largest value. Absent: the largest whole number. No metric of an edge is negative. */
  max?: number
}

/** Part of the table, by name. */
export type MetricRows = Readonly<Record<string, MetricRow>>

const linkEnds = [
  'closed-by-peer',
  'reset-by-peer',
  'timed-out',
  'tls-failed',
  'closed-here',
  'failed-here',
] as const
const exhaustions = ['out-of-files', 'out-of-ports', 'out-of-memory'] as const
const shortages = ['user-limit', 'user-busy', 'server-limit', 'no-greeting', ...exhaustions] as const
const distrusted = [
  'revoked',
  'secret-refused',
  'secret-superseded',
  'not-authorized',
  'fleet-evidence',
] as const
const unfit = [
  ...distrusted,
  'config-changed',
  'credentials-expired',
  'too-old',
  'used-up',
  'idle-timeout',
  'unfinished-reply',
] as const
const spoiled = [
  'notify',
  'language',
  'comparator',
  'search-update',
  'condstore-uncertain',
  'unexpected-reply',
  'unexpected-continuation',
  'odd-line-end',
  'odd-literal',
  'line-end-in-literal',
  'unclosed-quote',
  'server-said-bye',
  'data-after-barrier',
] as const

/** Metrics of an edge. */
export const edgeMetrics = {
  client_connections_total: { kind: 'counter', help: 'Client connections accepted.' },
  client_refusals_total: {
    kind: 'counter',
    help: 'Client connections refused or closed by a limit.',
    labels: ['reason'],
    values: {
      reason: [
        'too-many-clients',
        'too-many-from-address',
        'displaced',
        'stopping',
        'draining',
        'proxy-header',
        'tls-handshake',
        'accept-failed',
        'login-timeout',
        'line-too-long',
        'literal-too-long',
        'too-many-bytes',
        'too-many-commands',
        'too-many-failures',
        ...exhaustions,
      ],
    },
  },
  logins_total: {
    kind: 'counter',
    help: 'Logins by result. ok: the session began. refused: the server refused the user or the secret. failed: neither, because of an outage, a limit, missing TLS or a BAD.',
    labels: ['upstream', 'result'],
    values: { result: ['ok', 'refused', 'failed'] },
  },
  upstream_connections_total: {
    kind: 'counter',
    help: 'Connections opened to an upstream.',
    labels: ['upstream'],
  },
  upstream_connects_ahead_total: {
    kind: 'counter',
    help: 'Connections that were opened before a login needed them (connectAhead). used: a login used it. unused: none did in time. failed: it could not be opened.',
    labels: ['upstream', 'result'],
    values: { result: ['used', 'unused', 'failed'] },
  },
  upstream_failures_total: {
    kind: 'counter',
    help: 'Connections to an upstream that failed.',
    labels: ['upstream', 'reason'],
    values: {
      reason: [
        'unresolved',
        'refused',
        ...linkEnds,
        'bye',
        'not-imap',
        'too-much-data',
        'starttls-not-offered',
        'starttls-refused',
        'preauth-refused',
        'breaker-open',
        'paused',
        ...exhaustions,
      ],
    },
  },
  upstream_full_total: {
    kind: 'counter',
    help: 'Attempts to open a connection that failed because a limit of the upstream or of this machine was reached, by reason.',
    labels: ['upstream', 'reason'],
    values: { reason: shortages },
  },
  upstream_reuses_total: {
    kind: 'counter',
    help: 'Logins served by an idle upstream connection.',
    labels: ['upstream'],
  },
  reuse_refused_total: {
    kind: 'counter',
    help: 'Upstream connections closed because a reset, a proof or a limit forbade their reuse, by reason.',
    labels: ['reason'],
    values: {
      reason: [
        ...unfit,
        ...spoiled,
        'upstream-gone',
        'reply-overdue',
        'mailbox-lost',
        'open-line',
        'open-literal',
        'open-continuation',
        'extensions-enabled',
        'extensions-uncertain',
        'kicked',
        'shutdown',
        'cannot-deselect',
        'barrier-timed-out',
        'barrier-too-long',
        'barrier-refused',
        ...linkEnds,
      ],
    },
  },
  upstream_drops_total: {
    kind: 'counter',
    help: 'Idle upstream connections closed, by reason.',
    labels: ['reason'],
    values: {
      reason: [
        ...unfit,
        'evicted',
        'over-limit',
        'purged',
        'shutdown',
        'server-said-bye',
        'unexpected-reply',
        'too-much-unasked',
        ...linkEnds,
        ...shortages,
      ],
    },
  },
  sessions_total: {
    kind: 'counter',
    help: 'Sessions ended, by ending.',
    labels: ['ending'],
    values: {
      ending: [
        'logout',
        'client-gone',
        'upstream-gone',
        'violation',
        'reply-overdue',
        'mailbox-lost',
        'idle-timeout',
        'kicked',
        'shutdown',
      ],
    },
  },
  round_trips_saved_total: {
    kind: 'counter',
    help: 'Round trips to an upstream that clients did not wait for.',
  },
  client_bytes_total: { kind: 'counter', help: 'Bytes received from clients.' },
  upstream_bytes_total: { kind: 'counter', help: 'Bytes received from upstreams.' },
  select_cache_hits_total: {
    kind: 'counter',
    help: 'SELECT and EXAMINE commands of clients answered from the cache.',
  },
  select_cache_misses_total: {
    kind: 'counter',
    help: 'SELECT and EXAMINE commands of clients sent to the upstream while the cache is enabled.',
  },
  ahead_asked_total: {
    kind: 'counter',
    help: 'Commands sent to an upstream before the client asked (answer-ahead).',
    labels: ['upstream'],
  },
  ahead_used_total: {
    kind: 'counter',
    help: 'Commands of clients that were answered by a command asked ahead.',
    labels: ['upstream'],
  },
  ahead_dropped_total: {
    kind: 'counter',
    help: 'Answers asked ahead that no client got, by reason. not-asked: the client asked something else. corrected: an earlier answer showed that it would. too-large: the answer cannot be held. refused: the upstream refused the question. outdated: the mailbox changed. anomaly: the upstream answered in an unexpected way. session-ended: the client asked nothing more.',
    labels: ['upstream', 'reason'],
    values: {
      reason: ['not-asked', 'corrected', 'too-large', 'refused', 'outdated', 'anomaly', 'session-ended'],
    },
  },
  ahead_dropped_bytes_total: {
    kind: 'counter',
    help: 'Bytes of answers asked ahead that no client got.',
    labels: ['upstream'],
  },
  trace_lines_total: { kind: 'counter', help: 'Lines written to traces.' },
  trace_lines_lost_total: {
    kind: 'counter',
    help: 'Lines of traces that were dropped because too many waited to be sent to the fleet.',
  },
  fleet_refusals_total: {
    kind: 'counter',
    help: 'Attempts to send reports, lines of traces or evidence that NATS refused, by reason. What was refused is sent again.',
    labels: ['sent_as', 'reason'],
    values: {
      sent_as: ['report', 'trace', 'evidence'],
      reason: ['share-full', 'stream-full', 'not-allowed', 'no-stream'],
    },
  },
  evidence_sent_total: {
    kind: 'counter',
    help: 'Changes of secrets that were proven or refused at this edge and sent to the others.',
  },
  evidence_received_total: {
    kind: 'counter',
    help: 'Changes of secrets that other edges reported.',
  },
  evidence_missed_total: {
    kind: 'counter',
    help: 'Times that every idle connection was closed because reports of other edges may have been missed.',
  },
  evidence_overflows_total: {
    kind: 'counter',
    help: 'Times that too many changes of secrets waited to be sent. The others then close every idle connection.',
  },
  forged_messages_total: {
    kind: 'counter',
    help: 'Messages that another edge sent as if they came from control. They are ignored; the log names the sender.',
  },
  reports_resent_total: {
    kind: 'counter',
    help: 'Reports sent again because control did not store them. NATS had accepted and lost them.',
  },
  reports_dropped_total: {
    kind: 'counter',
    help: 'Reports lost because the outbox was full, or because control did not store them although they were sent three times.',
  },

  clients_connected: { kind: 'gauge', help: 'Client connections open.' },
  clients_limit: {
    kind: 'gauge',
    help: 'Client connections that the configuration allows at the same time (clients.connectionsMax).',
  },
  upstreams_dialing: { kind: 'gauge', help: 'Upstream connections being opened and logged in.' },
  upstreams_leased: { kind: 'gauge', help: 'Upstream connections in use by a session (active).' },
  upstreams_resetting: { kind: 'gauge', help: 'Upstream connections being reset after a session.' },
  upstreams_idle: { kind: 'gauge', help: 'Idle upstream connections kept for their user (cached).' },
  upstreams_ahead: {
    kind: 'gauge',
    help: 'Upstream connections without a login, ready or being opened for the next login (connectAhead).',
  },
  upstream_healthy: {
    kind: 'gauge',
    help: '0 after the last attempt to reach the upstream failed, until one succeeds.',
    labels: ['upstream'],
    max: 1,
  },
  upstream_paused: {
    kind: 'gauge',
    help: '1 while an operator has paused the upstream on this edge: logins open no connection to it.',
    labels: ['upstream'],
    max: 1,
  },
  upstream_connections_limit: {
    kind: 'gauge',
    help: 'Logged-in connections to the upstream that the configuration allows at the same time (connectionsMax).',
    labels: ['upstream'],
  },
  upstream_connections_used: {
    kind: 'gauge',
    help: 'Connections to the upstream that are in use, being opened or being reset. Idle ones do not count.',
    labels: ['upstream'],
  },
  upstream_addresses_down: {
    kind: 'gauge',
    help: 'Addresses of an upstream that do not answer. Logins use the others.',
    labels: ['upstream'],
  },
  upstream_connections_allowed: {
    kind: 'gauge',
    help: 'Lowest number of connections at which the upstream refused another one, of one user (user) or in total (server). Absent five minutes after the last refusal, or once the upstream has accepted more.',
    labels: ['upstream', 'scope'],
    values: { scope: ['user', 'server'] },
  },
  certificate_expiry_seconds: {
    kind: 'gauge',
    help: 'When the certificate of a listener, or the client certificate for an upstream or for NATS (fleet), expires; Unix time.',
    labels: ['owner'],
  },
  connects_waiting: {
    kind: 'gauge',
    help: 'Attempts to connect to an address of an upstream that wait for their turn (connectsMax).',
    labels: ['upstream'],
  },
  credential_expiry_seconds: {
    kind: 'gauge',
    help: 'When the credential of this edge for NATS expires; Unix time. Absent if it does not.',
  },
  leases_waiting: { kind: 'gauge', help: 'Logins waiting for a free upstream connection.' },
  traces_active: { kind: 'gauge', help: 'Users being traced.' },
  evidence_waiting: {
    kind: 'gauge',
    help: 'Changes of secrets that wait to be sent to the other edges.',
  },
  outbox_reports: { kind: 'gauge', help: 'Reports not yet acknowledged by the fleet.' },
  config_revision: { kind: 'gauge', help: 'Configuration revision in force; 0: only the file.' },
  memory_rss_bytes: { kind: 'gauge', help: 'Resident memory of the process.' },
  cpu_seconds_total: { kind: 'counter', help: 'User and system time of the process.' },

  login_seconds: { kind: 'histogram', help: 'From a complete LOGIN to its reply.' },
  lease_wait_seconds: { kind: 'histogram', help: 'Time a login waited for a free upstream connection.' },
  upstream_dial_seconds: { kind: 'histogram', help: 'From dialing an upstream to its login reply.' },
  upstream_connect_seconds: { kind: 'histogram', help: 'Time to open a TCP connection to an upstream.' },
  upstream_tls_seconds: { kind: 'histogram', help: 'Time of a TLS handshake with an upstream.' },
  upstream_login_seconds: { kind: 'histogram', help: 'From sending a login to an upstream to its reply.' },
  event_loop_delay_seconds: {
    kind: 'histogram',
    help: 'How late a periodic timer was: the process was busy with something else, or did not get the CPU.',
  },
  session_seconds: { kind: 'histogram', help: 'From login to the end of a session.' },
} as const satisfies MetricRows

/** Metrics of one control process. */
export const controlMetrics = {
  control_reports_total: { kind: 'counter', help: 'Reports stored.' },
  control_heartbeats_total: { kind: 'counter', help: 'Heartbeats stored.' },
  control_invalid_messages_total: {
    kind: 'counter',
    help: 'Heartbeats and reports that were rejected, because they were malformed or named another edge than their subject.',
    labels: ['sent_as'],
  },
  control_timer_success_seconds: {
    kind: 'gauge',
    help: 'When a replica last finished this timer, in seconds since 1970. All replicas report the same.',
    labels: ['timer'],
  },
  control_timer_skips_total: {
    kind: 'counter',
    help: 'Runs of this timer that were left to another replica.',
    labels: ['timer'],
  },
  control_dependency_up: {
    kind: 'gauge',
    help: '1 while this process can use Postgres (also to write) or NATS, as /readyz says.',
    labels: ['dependency'],
  },
  control_certificate_expiry_seconds: {
    kind: 'gauge',
    help: 'When a client certificate of this process expires; Unix time.',
    labels: ['owner'],
  },
  control_credential_expiry_seconds: {
    kind: 'gauge',
    help: 'When the credential of this process for NATS expires; Unix time. Absent if it does not.',
  },
  control_desired_held: {
    kind: 'gauge',
    help: '1 while control publishes no desired state, because its database is empty and edges run the state of another one.',
  },
  control_reports_waiting: {
    kind: 'gauge',
    help: 'Reports in NATS that wait for ingest. All replicas report the same.',
  },
  control_report_lag_seconds: {
    kind: 'gauge',
    help: 'How long the newest report of the last batch waited in NATS before this process stored it.',
  },
  control_alert_messages_total: {
    kind: 'counter',
    help: 'Attempts to send a message about alerts, by channel. failed: it is tried again, for a day.',
    labels: ['channel', 'result'],
    values: { result: ['sent', 'failed'] },
  },
  control_refused_total: {
    kind: 'counter',
    help: 'Messages of an edge that control refused, or series that it left out, by edge and reason. The edge is empty if it is not registered.',
    labels: ['edge', 'sent_as', 'reason'],
  },
} as const satisfies MetricRows

/** Metrics of control about each edge, also if the edge cannot be reached. */
export const fleetMetrics = {
  edge_up: {
    kind: 'gauge',
    help: '1 while readable heartbeats of this edge arrive; 0 after three were missed.',
  },
  edge_problems: {
    kind: 'gauge',
    help: 'Number of things that are wrong with this edge, as `imapfleet edges show` lists them.',
  },
  edge_instances: {
    kind: 'gauge',
    help: 'Processes that use the id of this edge. More than one is a mistake of configuration.',
  },
  edge_clock_skew_seconds: {
    kind: 'gauge',
    help: 'The clock of this edge minus that of control, without short delays of heartbeats.',
  },
  edge_draining: { kind: 'gauge', help: '1 while this edge is told to drain.' },
  edge_foreign_state: {
    kind: 'gauge',
    help: '1 while this edge runs a desired state that this database did not issue: Postgres was restored from an older dump, or the edge comes from another fleet.',
    max: 1,
  },
  edge_state_unsaved: {
    kind: 'gauge',
    help: '1 while this edge cannot write its state directory.',
    max: 1,
  },
  edge_revision_wanted: { kind: 'gauge', help: 'Desired configuration revision of this edge.' },
  edge_revision_applied: { kind: 'gauge', help: 'Configuration revision that this edge applied.' },
  edge_last_seen_seconds: {
    kind: 'gauge',
    help: 'Time of the last heartbeat of this edge, in seconds since 1970.',
  },
} as const satisfies MetricRows

/** Metrics of control about its tokens. They are on the page of the fleet, which needs a token. */
export const accessMetrics = {
  token_expiry_seconds: {
    kind: 'gauge',
    help: 'When a token of the API expires; Unix time. Absent for tokens without an expiry, and a week after it.',
    labels: ['token'],
  },
} as const satisfies MetricRows

/** Metrics of control about its database. They are on the page of the fleet. */
export const databaseMetrics = {
  database_restored_seconds: {
    kind: 'gauge',
    help: 'When control last learned that Postgres was restored from an older database; Unix time. Absent if it never did.',
  },
} as const satisfies MetricRows

/** The whole table. */
export const metrics = {
  ...fleetMetrics,
  ...accessMetrics,
  ...databaseMetrics,
  ...edgeMetrics,
  ...controlMetrics,
}

export type EdgeMetricName = keyof typeof edgeMetrics

type EdgeMetricRows = typeof edgeMetrics

/** What a label of a metric of an edge can be, if it has a closed list: `ClosedValue<'logins_total', 'result'>`. */
export type ClosedValue<Name extends EdgeMetricName, Label extends string> = EdgeMetricRows[Name] extends {
  readonly values: { readonly [L in Label]: readonly (infer Value)[] }
}
  ? Value
  : never
