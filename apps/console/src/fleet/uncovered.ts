/** The findings that no alert on the page covers. */
import type { AlertRuleName, AlertView } from '@imapfleet/api'
import { serverProblemIn } from '@imapfleet/protocol'
import type { Finding, FindingKind } from './findings.ts'

/** The rule about the same condition. */
const rules: Partial<Record<FindingKind, AlertRuleName>> = {
  silent: 'edge-silent',
  clock: 'clock-skew',
  unsaved: 'state-unsaved',
  instances: 'two-instances',
  refused: 'edge-refused',
}

export function uncoveredFindings(
  found: readonly Finding[],
  alerts: readonly Pick<AlertView, 'rule' | 'edge' | 'subject'>[],
): Finding[] {
  const told = new Set(alerts.map(({ rule, edge }) => `${rule} ${edge}`))
  const down = new Set(alerts.flatMap(({ rule, subject }) => (rule === 'upstream-down' ? [subject] : [])))
  return found.filter(({ kind, edge, text }) => {
    const about = kind === 'reported' ? serverProblemIn(text) : undefined
    const isOfServerDown = about !== undefined && down.has(`${edge}/${about.upstream}`)
    return !told.has(`${rules[kind]} ${edge}`) && !isOfServerDown
  })
}
