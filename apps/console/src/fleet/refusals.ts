/** Why used connections were not kept, in words; the names are the `reason` of `reuse_refused_total`. */
import type { History } from '@imapfleet/protocol'

const words: Readonly<Record<string, string>> = {
  'upstream-gone': 'The mail server ended the connection during the session.',
  'closed-by-peer': 'The mail server closed it while it was being reset.',
  'reset-by-peer': 'The mail server broke it off while it was being reset.',
  'timed-out': 'The mail server stopped answering.',
  'tls-failed': 'TLS with the mail server failed.',
  'closed-here': 'It was closed from this side while it was being reset.',
  'failed-here': 'The edge itself failed at it; its log says how, as session_failed or reset_failed.',
  'open-literal': 'The client left in the middle of sending something.',
  'open-continuation': 'The client left while the server waited for more of a command.',
  'extensions-enabled': 'The session switched on extensions for which no other session has asked.',
  'extensions-uncertain': 'It is not known what the session had switched on.',
  kicked: 'An operator kicked the user.',
  notify: 'The session asked for notifications (NOTIFY), which cannot be undone.',
  language: 'The session changed the language of replies.',
  comparator: 'The session changed how text is compared.',
  'search-update': 'The session asked for updates of a search.',
  'condstore-uncertain': 'It is not known whether the session switched on CONDSTORE.',
  'unexpected-reply': 'The mail server said something that nobody had asked for.',
  'unexpected-continuation': 'The mail server asked for more when nothing was being sent.',
  'odd-line-end': 'A line did not end as IMAP lines do.',
  'server-said-bye': 'The mail server said goodbye.',
  'data-after-barrier': 'Something came after the proof that all was said.',
  'barrier-timed-out': 'The mail server took too long to prove the connection clean.',
  'barrier-too-long': 'The mail server had too much left to say.',
  'barrier-refused': 'The mail server refused the command that proves the connection clean.',
  'config-changed': 'The configuration of the mail server has changed.',
  revoked: 'The user was revoked.',
  'credentials-expired': 'Its user has to prove the password again.',
  'too-old': 'It had reached its greatest age.',
  'used-up': 'It had been used as often as it may be.',
  shutdown: 'The edge was stopping.',
}

export interface RefusalCount {
  reason: string
  text: string
  count: number
}

const total = 'reuse_refused_total'

export const refusalMetrics = [total, ...Object.keys(words).map((reason) => `${total}{reason="${reason}"}`)]

/** Of a history that was asked for `refusalMetrics`; the most frequent first. What has no words here is `other`. */
export function refusalsOf({ groups: [group] }: History): { all: number; reasons: RefusalCount[] } {
  const [all = null, ...counts] = group?.totals ?? []
  const reasons = Object.entries(words)
    .map(([reason, text], index) => ({ reason, text, count: counts[index] ?? 0 }))
    .filter(({ count }) => count > 0)
  const known = reasons.reduce((sum, { count }) => sum + count, 0)
  const rest = (all ?? 0) - known
  if (rest > 0)
    reasons.push({ reason: 'other', text: 'Reasons that this console does not know.', count: rest })
  return { all: all ?? 0, reasons: reasons.sort((a, b) => b.count - a.count) }
}
