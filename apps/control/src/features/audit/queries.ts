/** The rows of the audit log. */
import { and, desc, eq, lt } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { audit } from './table.ts'

export type AuditRow = typeof audit.$inferSelect

export interface AuditPage {
  limit: number
  before?: number | undefined
  actor?: string | undefined
  action?: string | undefined
}

export async function insertAudit(queries: Queries, entry: typeof audit.$inferInsert): Promise<void> {
  await queries.insert(audit).values(entry)
}

/** Newest first. */
export async function selectAudit(queries: Queries, page: AuditPage): Promise<AuditRow[]> {
  return await queries
    .select()
    .from(audit)
    .where(
      and(
        page.before === undefined ? undefined : lt(audit.id, page.before),
        page.actor === undefined ? undefined : eq(audit.actor, page.actor),
        page.action === undefined ? undefined : eq(audit.action, page.action),
      ),
    )
    .orderBy(desc(audit.id))
    .limit(page.limit)
}
