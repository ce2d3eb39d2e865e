/** The rows of the audit log. */
import { and, between, desc, eq, gte, inArray, lt, sql } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { audit } from './table.ts'

export type AuditRow = typeof audit.$inferSelect

export interface AuditPage {
  limit: number
  before?: number | undefined
  actor?: string | undefined
  action?: string | undefined
  /** Part of the target, without regard to case. */
  target?: string | undefined
  from?: string | undefined
  /** Not included. */
  to?: string | undefined
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
        page.target === undefined
          ? undefined
          : sql`position(lower(${page.target}) in lower(${audit.target})) > 0`,
        page.from === undefined ? undefined : gte(audit.at, new Date(page.from)),
        page.to === undefined ? undefined : lt(audit.at, new Date(page.to)),
      ),
    )
    .orderBy(desc(audit.id))
    .limit(page.limit)
}

/** The entries of some actions and targets, newest first, at most 200. */
export async function selectAuditOf(
  queries: Queries,
  {
    actions,
    targets,
    from,
    to,
  }: Record<'actions' | 'targets', readonly string[]> & Record<'from' | 'to', Date>,
): Promise<AuditRow[]> {
  return await queries
    .select()
    .from(audit)
    .where(
      and(
        between(audit.at, from, to),
        inArray(audit.action, [...actions]),
        sql`${audit.target} = any(${sql.param([...targets])}::text[])`,
      ),
    )
    .orderBy(desc(audit.id))
    .limit(200)
}
