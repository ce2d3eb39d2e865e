/** Why connections were not reused, in words. The names are the `reason` of `reuse_refused_total`. */
import type { History } from '@imapfleet/api'

const words: Readonly<Record<string, string>> = {
  'upstream-gone': 'The mail server closed the connection during the session.',
  'closed-by-peer': 'The mail server closed the connection during the reset.',
  'reset-by-peer': 'The mail server aborted the connection during the reset.',
  'timed-out': 'The mail server stopped answering.',
  'tls-failed': 'TLS with the mail server failed.',
  'failed-here': 'A bug in the edge; its log has session_failed or reset_failed.',
  'reply-overdue': 'The mail server omitted a reply that the client waited for.',
  'mailbox-lost': 'Answer-ahead had left the mailbox of the client, and could not restore it.',
  'open-line': 'The client disconnected inside a long line.',
  'open-literal': 'The client disconnected inside a literal.',
  'open-continuation': 'The client disconnected while the server waited for the rest of a command.',
  'extensions-enabled': 'The session enabled extensions that no other session asked for.',
  'extensions-uncertain': 'It is unknown which extensions the session enabled.',
  kicked: 'An operator kicked the user.',
  notify: 'The session used NOTIFY, which cannot be undone.',
  language: 'The session changed the language of replies.',
  comparator: 'The session changed the comparator.',
  'search-update': 'The session requested updates of a search.',
  'condstore-uncertain': 'It is unknown whether the session enabled CONDSTORE.',
  'unexpected-reply': 'The mail server sent an unexpected reply.',
  'unexpected-continuation': 'The mail server sent an unexpected continuation request.',
  'odd-literal': 'The client sent a literal of another length than announced.',
  'line-end-in-literal': 'A literal in a search or a name contained a line end.',
  'unclosed-quote': 'A line of the client ended within a quoted string.',
  'odd-line-end': 'A line did not end with CRLF.',
  'server-said-bye': 'The mail server sent BYE.',
  'data-after-barrier': 'The mail server sent data after the reset was complete.',
  'barrier-timed-out': 'The mail server took too long to answer the reset.',
  'barrier-too-long': 'The mail server sent too much data during the reset.',
  'barrier-refused': 'The mail server refused the command that completes the reset.',
  'cannot-deselect': 'The mail server did not confirm that no mailbox is selected.',
  'config-changed': 'The configuration of the mail server has changed.',
  revoked: 'The user was revoked.',
  'secret-refused': 'The mail server refused the password or token that opened the connection.',
  'secret-superseded': 'The mail server accepted another password or token of the user for the first time.',
  'not-authorized': 'The mail server no longer lets the user log in.',
  'fleet-evidence': 'Another edge reported a changed password or token of the user.',
  'credentials-expired': 'The credentials of the user have expired.',
  'too-old': 'The connection reached its maximum age.',
  'used-up': 'The connection reached its maximum number of uses.',
  shutdown: 'The edge was stopping.',
}

export interface RefusalCount {
  reason: string
  text: string
  count: number
}

const total = 'reuse_refused_total'

const sessionsTotal = 'sessions_total'

export const refusalMetrics = [
  total,
  sessionsTotal,
  ...Object.keys(words).map((reason) => `${total}{reason="${reason}"}`),
]

interface Refusals {
  all: number
  /** The most frequent first. Unknown reasons are summed as `other`. */
  reasons: RefusalCount[]
  /** Sessions that ended. Null: nothing was reported. */
  sessions: number | null
}

/** From a history of `refusalMetrics`. */
export function refusalsOf({ groups: [group] }: History): Refusals {
  const [all = null, sessions = null, ...counts] = group?.totals ?? []
  const reasons = Object.entries(words)
    .map(([reason, text], index) => ({ reason, text, count: counts[index] ?? 0 }))
    .filter(({ count }) => count > 0)
  const known = reasons.reduce((sum, { count }) => sum + count, 0)
  const rest = (all ?? 0) - known
  if (rest > 0)
    reasons.push({ reason: 'other', text: 'Reasons unknown to this version of the console.', count: rest })
  return { all: all ?? 0, reasons: reasons.sort((a, b) => b.count - a.count), sessions }
}
