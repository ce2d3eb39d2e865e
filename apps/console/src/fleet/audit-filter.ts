/** The filter of the page Audit, in the address and as a query to control. */
import type { ApiClient } from '@imapfleet/client'
import type { AuditEntry } from '@imapfleet/api'

export interface AuditFilter {
  actor: string
  action: string
  /** Part of the target. */
  target: string
  /** `-1h`, or an instant; empty: from the start. */
  from: string
  /** An instant; empty: until now. */
  to: string
}

export const auditRanges = { '': 'all', '-1h': '1 hour', '-24h': '24 hours', '-7d': '7 days' } as const
const lengths: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 }

export function auditFilterIn(address: URLSearchParams): AuditFilter {
  const text = (key: string) => address.get(key)?.trim() ?? ''
  const instant = (key: string) => (Number.isNaN(Date.parse(text(key))) ? '' : text(key))
  return {
    actor: text('actor'),
    action: text('action'),
    target: text('target'),
    from: /^-\d{1,4}[hd]$/.test(text('from')) ? text('from') : instant('from'),
    to: instant('to'),
  }
}

export const isFiltered = (filter: AuditFilter): boolean => Object.values(filter).some((text) => text !== '')

/** `now`: the end of a range such as `-1h`, in milliseconds since 1970. */
export function auditQuery({ actor, action, target, from, to }: AuditFilter, now: number) {
  return {
    actor: actor || undefined,
    action: action || undefined,
    target: target || undefined,
    from: from === '' ? undefined : new Date(startOf(from, now)).toISOString(),
    to: to === '' ? undefined : new Date(to).toISOString(),
  }
}

function startOf(from: string, now: number): number {
  const [, amount = '', unit = ''] = /^-(\d+)([hd])$/.exec(from) ?? []
  return amount === '' ? Date.parse(from) : now - Number(amount) * (lengths[unit] ?? 0)
}

/** More would not fit into the memory of a browser and a spreadsheet. */
export const exportedMax = 10_000
const pageSize = 500

/** The newest entries of a filter, for a file. `isWhole`: there are no others. */
export async function exportedEntries(
  call: ApiClient['call'],
  filter: AuditFilter,
  now: number,
): Promise<{ entries: AuditEntry[]; isWhole: boolean }> {
  const entries: AuditEntry[] = []
  const query = auditQuery(filter, now)
  let before: number | undefined
  while (entries.length < exportedMax) {
    const page = await call('listAudit', { query: { ...query, limit: pageSize, before } })
    entries.push(...page.entries)
    if (page.next === null) return { entries, isWhole: true }
    before = page.next
  }
  return { entries, isWhole: false }
}
