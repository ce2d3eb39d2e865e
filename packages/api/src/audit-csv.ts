/** Entries of the audit log as CSV (RFC 4180). `before` and `after` are JSON. */
import type { AuditEntry } from './access.ts'
import { csvLine, csvText } from './csv-line.ts'

const columns = ['id', 'at', 'actor', 'action', 'target', 'before', 'after'] as const

export function auditCsv(entries: readonly AuditEntry[]): string {
  const json = (value: AuditEntry['after']) => (value === null ? '' : JSON.stringify(value))
  const rows = entries.map(({ id, at, actor, action, target, before, after }) => [
    String(id),
    at,
    csvText(actor),
    action,
    csvText(target),
    json(before),
    json(after),
  ])
  return [columns, ...rows].map(csvLine).join('')
}
