/** The findings that no alert on the page covers. */
import { alertTextMax, type AlertRuleName, type AlertView } from '@imapfleet/api'
import { serverProblemIn } from '@imapfleet/protocol'
import { alertText } from './alert-words.ts'
import type { Finding, FindingKind } from './findings.ts'

/** The rule about the same condition. */
const rules: Readonly<Record<FindingKind, AlertRuleName | undefined>> = {
  silent: 'edge-silent',
  'wire-version': 'edge-silent',
  credential: 'edge-problems',
  instances: 'two-instances',
  unsaved: 'state-unsaved',
  rejected: 'drift',
  drift: 'drift',
  clock: 'clock-skew',
  refused: 'edge-refused',
  reported: 'edge-problems',
  waiting: 'logins-wait',
  forgotten: undefined,
  stopping: undefined,
  draining: undefined,
}

type ToldAlert = Pick<AlertView, 'rule' | 'edge' | 'subject' | 'text'>

export function uncoveredFindings(
  found: readonly Finding[],
  alerts: readonly ToldAlert[],
  now: Date,
): Finding[] {
  const told = Map.groupBy(alerts, ({ rule, edge }) => `${rule} ${edge}`)
  const down = new Set(alerts.flatMap(({ rule, subject }) => (rule === 'upstream-down' ? [subject] : [])))
  return found.filter((finding) => {
    const { kind, edge, text } = finding
    const about = kind === 'reported' ? serverProblemIn(text) : undefined
    if (about !== undefined && down.has(`${edge}/${about.upstream}`)) return false
    return !told.get(`${rules[kind]} ${edge}`)?.some((alert) => isIn(finding, alert, now))
  })
}

/** The beginning of a problem identifies it. */
const identifyingMax = 100

/** One alert has all that an edge reports, as far as its text reaches. */
const isIn = ({ kind, text }: Finding, alert: ToldAlert, now: Date): boolean =>
  kind !== 'reported' ||
  alert.text.length < alertTextMax ||
  alertText(alert, now).includes(text.replace(/\.$/, '').slice(0, identifyingMax))
