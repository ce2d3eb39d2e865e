/** The audit log, newest first. */
import type { AuditEntry } from '@imapfleet/api'
import { selectAudit } from './audit.ts'
import type { Deps } from '../../deps.ts'
import { pageOf } from '../../platform/db/page-of.ts'

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
  const { shown, next } = await pageOf(
    page,
    (asked) => selectAudit(db.orm, asked),
    ({ id }) => id,
  )
  return { entries: shown.map((row) => ({ ...row, at: row.at.toISOString() })), next }
}
