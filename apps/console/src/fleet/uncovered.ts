/** The findings that no alert on the page tells already. */
import type { AlertRuleName, AlertView } from '@imapfleet/api'
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
  alerts: readonly Pick<AlertView, 'rule' | 'edge'>[],
): Finding[] {
  const told = new Set(alerts.map(({ rule, edge }) => `${rule} ${edge}`))
  return found.filter(({ kind, edge }) => !told.has(`${rules[kind]} ${edge}`))
}
