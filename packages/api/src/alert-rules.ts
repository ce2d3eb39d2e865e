/**
 * The table of alert rules: hold times, thresholds, and what an operator does. Control, the CLI, the console and docs/alerts.md
 * are derived from its rows. infra/prometheus/alerts.yml has an alert for each of them, with the same hold time and severity.
 */

/** `page` needs someone now; `ticket` can wait until morning. */
export const alertSeverities = ['page', 'ticket'] as const
export type AlertSeverity = (typeof alertSeverities)[number]

interface AlertThreshold {
  /** What the number is, to follow it: `30 reports`. */
  unit: string
  /** `above`: the alert opens if the measured value is greater. */
  opens: 'above' | 'below'
  default: number
  min: number
  max: number
}

export interface AlertRuleRow {
  /** A few words, for lists and subjects of mails. */
  title: string
  severity: AlertSeverity
  /** The condition holds for this time before the alert opens. */
  holdSeconds: number
  /** The condition is absent for this time before the alert is resolved. */
  clearSeconds: number
  threshold?: AlertThreshold
  /** What the alert means. A sentence. */
  means: string
  /** What to do next. A sentence. */
  action: string
  /** The same rule in infra/prometheus/alerts.yml. */
  prometheus: string
}

const minute = 60
const hour = 3_600
const expiry = (days: number): AlertThreshold => ({
  unit: 'days',
  opens: 'below',
  default: days,
  min: 1,
  max: 365,
})

export const alertRules = {
  'edge-silent': {
    title: 'Edge silent',
    severity: 'page',
    holdSeconds: minute,
    clearSeconds: minute,
    means: 'An edge missed three heartbeats, or speaks another wire version. It may still serve mail.',
    action:
      'Check the process of the edge, and its connection to NATS. Forget the edge if it will not come back.',
    prometheus: 'ImapfleetEdgeSilent',
  },
  'upstream-down': {
    title: 'Mail server down',
    severity: 'page',
    holdSeconds: 2 * minute,
    clearSeconds: 2 * minute,
    means: 'An edge cannot reach a mail server. Logins get NO [UNAVAILABLE].',
    action: 'Check the mail server, then the network between it and the edge.',
    prometheus: 'ImapfleetUpstreamUnhealthy',
  },
  'logins-fail': {
    title: 'Logins fail',
    severity: 'page',
    holdSeconds: 5 * minute,
    clearSeconds: 5 * minute,
    threshold: { unit: 'percent of logins', opens: 'above', default: 5, min: 0.1, max: 100 },
    means: 'An edge cannot serve logins, for a reason other than a wrong password.',
    action: 'On the page of the edge, look for a mail server that is down or a limit that is reached.',
    prometheus: 'ImapfleetLoginsFail',
  },
  'logins-wait': {
    title: 'Logins wait',
    severity: 'ticket',
    holdSeconds: 5 * minute,
    clearSeconds: 5 * minute,
    threshold: { unit: 'logins', opens: 'above', default: 0, min: 0, max: 1_000_000 },
    means: 'Logins wait for a connection to a mail server.',
    action: 'Raise connectionsMax of the upstream, if the mail server can take more connections.',
    prometheus: 'ImapfleetLoginsWait',
  },
  'connections-near-limit': {
    title: 'Connections near a limit',
    severity: 'ticket',
    holdSeconds: 10 * minute,
    clearSeconds: 10 * minute,
    threshold: { unit: 'percent of the limit', opens: 'above', default: 90, min: 1, max: 100 },
    means: 'The clients of an edge, or its connections in use to a mail server, are close to the limit.',
    action: 'Raise clients.connectionsMax or connectionsMax of the upstream, or add an edge.',
    prometheus: 'ImapfleetConnectionsNearLimit',
  },
  'connections-full': {
    title: 'Mail server refuses connections',
    severity: 'ticket',
    holdSeconds: 10 * minute,
    clearSeconds: 10 * minute,
    means: 'A mail server refuses further connections of an edge.',
    action: 'Raise the limit of the mail server, or lower connectionsMax of the upstream.',
    prometheus: 'ImapfleetConnectionsFull',
  },
  'clients-refused': {
    title: 'Clients refused',
    severity: 'page',
    holdSeconds: 2 * minute,
    clearSeconds: 5 * minute,
    means: 'An edge refuses clients, because clients.connectionsMax is reached.',
    action: 'Raise clients.connectionsMax, or add an edge.',
    prometheus: 'ImapfleetClientsRefused',
  },
  'out-of-resources': {
    title: 'Host out of resources',
    severity: 'page',
    holdSeconds: minute,
    clearSeconds: 5 * minute,
    means: 'The host of an edge has no open files, local ports or memory for sockets left.',
    action: 'The log of the edge (accept_failed) names the limit to raise.',
    prometheus: 'ImapfleetOutOfResources',
  },
  'reuse-fallen': {
    title: 'Low reuse',
    severity: 'ticket',
    holdSeconds: 15 * minute,
    clearSeconds: 15 * minute,
    threshold: { unit: 'percent of logins', opens: 'below', default: 50, min: 1, max: 99 },
    means: 'Most logins of a region open a new connection to the mail server.',
    action: 'Compare reuse_refused_total and upstream_drops_total by reason with an earlier day.',
    prometheus: 'ImapfleetReuseFallen',
  },
  drift: {
    title: 'Configuration not applied',
    severity: 'ticket',
    holdSeconds: 10 * minute,
    clearSeconds: minute,
    means: 'An edge refused the desired configuration, or did not receive it.',
    action: 'The page of the edge shows the refused revision and the reason.',
    prometheus: 'ImapfleetDrift',
  },
  'foreign-state': {
    title: 'State of another database',
    severity: 'page',
    holdSeconds: 5 * minute,
    clearSeconds: minute,
    means: 'An edge runs a desired state that this database did not issue.',
    action: 'Check DATABASE_URL of control, and fleet.servers of the edge.',
    prometheus: 'ImapfleetForeignState',
  },
  'state-held': {
    title: 'Desired state not published',
    severity: 'page',
    holdSeconds: minute,
    clearSeconds: minute,
    means:
      'The database of control is empty, and edges run the state of another database. Control publishes nothing.',
    action: 'Check DATABASE_URL, restore the database, or confirm it with imapfleet edges adopt.',
    prometheus: 'ImapfleetStateHeld',
  },
  'database-restored': {
    title: 'Database restored',
    severity: 'ticket',
    holdSeconds: 0,
    clearSeconds: 0,
    means: 'Postgres was restored from an older database within the last day. Changes are lost.',
    action: 'Check revisions, drains and traces. Revoke the tokens again that were revoked after the backup.',
    prometheus: 'ImapfleetDatabaseRestored',
  },
  'outbox-grows': {
    title: 'Reports not acknowledged',
    severity: 'ticket',
    holdSeconds: 5 * minute,
    clearSeconds: 5 * minute,
    threshold: { unit: 'reports', opens: 'above', default: 30, min: 1, max: 1_000_000 },
    means: 'The outbox of an edge grows, because control does not acknowledge its reports.',
    action: 'Check NATS, the free space of the stream of reports, and that control runs ingest.',
    prometheus: 'ImapfleetOutboxGrows',
  },
  'reports-lost': {
    title: 'Reports lost',
    severity: 'ticket',
    holdSeconds: 0,
    clearSeconds: 5 * minute,
    means: 'An edge dropped reports. History has a gap; totals are correct again with the next report.',
    action: 'Check why the outbox was full: see the alert outbox-grows.',
    prometheus: 'ImapfleetReportsLost',
  },
  'state-unsaved': {
    title: 'State not writable',
    severity: 'page',
    holdSeconds: 5 * minute,
    clearSeconds: 5 * minute,
    means: 'An edge cannot write its state directory. After a restart it would run an older state.',
    action: 'Check the disk and the permissions of fleet.stateDir on the host of the edge.',
    prometheus: 'ImapfleetStateUnsaved',
  },
  'clock-skew': {
    title: 'Clock wrong',
    severity: 'ticket',
    holdSeconds: 10 * minute,
    clearSeconds: 10 * minute,
    threshold: { unit: 'seconds', opens: 'above', default: 10, min: 1, max: 86_400 },
    means: 'The clock of an edge differs from the clock of control.',
    action: 'Run NTP on the host of the edge.',
    prometheus: 'ImapfleetClockSkew',
  },
  'two-instances': {
    title: 'Two processes with one id',
    severity: 'page',
    holdSeconds: 2 * minute,
    clearSeconds: 2 * minute,
    means: 'Several processes use the id of one edge. Orders to it fail.',
    action: 'Give each process its own edge.id and credential.',
    prometheus: 'ImapfleetTwoInstances',
  },
  'edge-problems': {
    title: 'Edge has a problem',
    severity: 'ticket',
    holdSeconds: 30 * minute,
    clearSeconds: 5 * minute,
    means: 'An edge reports a problem that no other rule covers.',
    action: 'The page of the edge lists its problems.',
    prometheus: 'ImapfleetEdgeProblems',
  },
  'edge-refused': {
    title: 'Messages of an edge refused',
    severity: 'ticket',
    holdSeconds: minute,
    clearSeconds: 5 * minute,
    means: 'Control or NATS refuses messages of an edge.',
    action: 'Check the version of the edge. If it is right, revoke its credential and enrol it again.',
    prometheus: 'ImapfleetEdgeRefused',
  },
  'messages-rejected': {
    title: 'Messages rejected',
    severity: 'ticket',
    holdSeconds: 0,
    clearSeconds: 5 * minute,
    means:
      'Control rejects messages on the subjects of the fleet: they come from another program or version.',
    action: 'The log of control has the subject and the reason.',
    prometheus: 'ImapfleetRejectedMessages',
  },
  'certificate-expires': {
    title: 'Certificate expires',
    severity: 'ticket',
    holdSeconds: hour,
    clearSeconds: minute,
    threshold: expiry(2),
    means: 'A certificate of an edge expires soon, or has expired.',
    action: 'Renew the certificate, and send SIGHUP to the edge.',
    prometheus: 'ImapfleetCertificateExpires',
  },
  'control-certificate-expires': {
    title: 'Certificate of control expires',
    severity: 'ticket',
    holdSeconds: hour,
    clearSeconds: minute,
    threshold: expiry(7),
    means: 'The client certificate that control shows to NATS expires soon, or has expired.',
    action: 'Renew NATS_TLS_CERT_FILE, and restart control.',
    prometheus: 'ImapfleetControlCertificateExpires',
  },
  'credential-expires': {
    title: 'Credential for NATS expires',
    severity: 'ticket',
    holdSeconds: hour,
    clearSeconds: minute,
    threshold: expiry(7),
    means: 'The credential of an edge or of control for NATS expires soon, or has expired.',
    action: 'Make a new one with imapfleet edges enroll, write it to its file, and restart the process.',
    prometheus: 'ImapfleetCredentialExpires',
  },
  'token-expires': {
    title: 'Token expires',
    severity: 'ticket',
    holdSeconds: hour,
    clearSeconds: minute,
    threshold: expiry(7),
    means: 'A token of the API expires soon, or has expired within the last week.',
    action: 'Make a new one with imapfleet tokens create, and revoke the old one.',
    prometheus: 'ImapfleetTokenExpires',
  },
  'control-down': {
    title: 'Control process down',
    severity: 'page',
    holdSeconds: minute,
    clearSeconds: minute,
    means: 'A process of control died, hangs, or cannot use Postgres. Other processes continue.',
    action: 'Check the process on its host (systemctl status imapfleet-control) and the end of its log.',
    prometheus: 'ImapfleetControlDown',
  },
  'postgres-down': {
    title: 'Postgres was unavailable',
    severity: 'page',
    holdSeconds: minute,
    clearSeconds: 5 * minute,
    means:
      'Control could not use Postgres. Alerts are stored in Postgres, so this alert opens when Postgres is back.',
    action: "Check why Postgres was down. A dead man's webhook reports such an outage while it lasts.",
    prometheus: 'ImapfleetPostgresDown',
  },
  'nats-down': {
    title: 'NATS down',
    severity: 'page',
    holdSeconds: minute,
    clearSeconds: minute,
    means: 'A process of control cannot use NATS. Edges serve mail with their last configuration.',
    action: 'Check the servers, JetStream and the disk of NATS.',
    prometheus: 'ImapfleetNatsDown',
  },
  'timer-overdue': {
    title: 'Timer overdue',
    severity: 'page',
    holdSeconds: minute,
    clearSeconds: minute,
    means: 'No replica of control has finished a timer for too long.',
    action: 'The log of control has the reason. Check what Postgres is busy with.',
    prometheus: 'ImapfleetTimerOverdue',
  },
  'ingest-lags': {
    title: 'Reports stored late',
    severity: 'ticket',
    holdSeconds: 5 * minute,
    clearSeconds: 5 * minute,
    threshold: { unit: 'seconds', opens: 'above', default: 60, min: 10, max: 86_400 },
    means: 'Reports wait before control stores them, so charts end earlier than usual.',
    action: 'Check what Postgres is busy with, or add an ingest process.',
    prometheus: 'ImapfleetIngestLags',
  },
  'ingest-stands': {
    title: 'No reports stored',
    severity: 'page',
    holdSeconds: 5 * minute,
    clearSeconds: minute,
    means: 'Edges are up, but control stores none of their reports.',
    action: 'Check that imapfleet-control ingest (or all) runs, and that its /readyz says ok.',
    prometheus: 'ImapfleetIngestStands',
  },
} as const satisfies Readonly<Record<string, AlertRuleRow>>

export type AlertRuleName = keyof typeof alertRules

export const alertRuleNames = Object.keys(alertRules) as [AlertRuleName, ...AlertRuleName[]]

/** The row, without the exact types of its values. */
export const alertRule = (name: AlertRuleName): AlertRuleRow => alertRules[name]

/** Alerts of Prometheus that control cannot raise, and why. */
export const prometheusOnly: Readonly<Record<string, string>> = {
  ImapfleetFleetUnknown: 'it is about what Prometheus itself can read',
}
