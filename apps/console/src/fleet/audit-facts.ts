/** The text of an entry of the audit log: only the fields that a change affected. */
import type { AuditEntry } from '@imapfleet/api'

/** Numbers by which control orders its messages. They say nothing to a reader. */
const internal: ReadonlySet<string> = new Set(['sequence'])

type Facts = AuditEntry['after']

/** `threshold 90 → 80`, `role viewer`. */
export function auditFacts(before: Facts, after: Facts): string[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)]
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((key) => {
    if (internal.has(key)) return []
    const [was, is] = [textOf(old[key]), textOf(now[key])]
    if (was === is) return []
    if (was === '') return [`${key} ${is}`]
    // The entry describes what ended, so there is no later state.
    if (is === '') return [Object.keys(now).length === 0 ? `${key} ${was}` : `${key} ${was} → none`]
    return [`${key} ${was} → ${is}`]
  })
}

const fieldsOf = (value: Facts): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}

function textOf(value: unknown): string {
  if (value === undefined || value === null || value === '') return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(textOf).filter(Boolean).join(', ')
  if (typeof value !== 'object') return JSON.stringify(value)
  return Object.entries(value)
    .map(([key, each]) => [key, textOf(each)] as const)
    .filter(([, text]) => text !== '')
    .map(([key, text]) => `${key} ${text}`)
    .join('; ')
}
