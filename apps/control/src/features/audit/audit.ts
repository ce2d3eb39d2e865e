/** The audit log. Each entry is written in the transaction of the change that it describes. */
import { and, desc, eq, lt } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { audit } from './table.ts'

/** The actor of changes that control makes itself. */
export const itself = 'imapfleet-control'

export interface NewAuditEntry {
  actor: string
  /** `config.revise`, `trace.start`, ... */
  action: string
  target: string
  /** Facts without secrets, as JSON. */
  before?: Record<string, unknown>
  after?: Record<string, unknown>
}

export async function writeAudit(queries: Queries, entry: NewAuditEntry): Promise<void> {
  await queries.insert(audit).values(entry as typeof audit.$inferInsert)
}

export type AuditRow = typeof audit.$inferSelect

/** Newest first. */
export async function selectAudit(
  queries: Queries,
  page: {
    limit: number
    before?: number | undefined
    actor?: string | undefined
    action?: string | undefined
  },
): Promise<AuditRow[]> {
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
