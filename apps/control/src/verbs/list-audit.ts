/** Who did what, newest first. */
import type { AuditEntry } from '@imapfleet/protocol'
import { listAudit as readAudit } from '../db/audit.ts'
import type { Deps } from '../deps.ts'

export interface AuditPage {
  limit: number
  before?: number | undefined
  actor?: string | undefined
  action?: string | undefined
}

export async function listAudit(
  { db }: Deps,
  page: AuditPage,
): Promise<{ entries: AuditEntry[]; next: number | null }> {
  // One more than asked for tells whether there is another page.
  const rows = await readAudit(db.orm, { ...page, limit: page.limit + 1 })
  const shown = rows.slice(0, page.limit)
  return {
    entries: shown.map((row) => ({ ...row, at: row.at.toISOString() })),
    next: rows.length > shown.length ? (shown.at(-1)?.id ?? null) : null,
  }
}
