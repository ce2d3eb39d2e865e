/** The audit log. Each entry is written in the transaction of the change that it describes. */
import type { AuditEntry } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Queries } from '../../platform/db/database.ts'
import { pageOf } from '../../platform/db/page-of.ts'
import { insertAudit, selectAudit, type AuditPage } from './queries.ts'
import type { audit } from './table.ts'

export { selectAuditOf, type AuditRow } from './queries.ts'

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

/** An entry does not grow with the fleet. */
const namedEdgesMax = 20

/** The number of edges that a change concerns, and the first of them. */
export const someOfEdges = (ids: readonly string[]): { edgeCount: number; edges: string[] } => ({
  edgeCount: ids.length,
  edges: ids.slice(0, namedEdgesMax),
})

export async function writeAudit(queries: Queries, entry: NewAuditEntry): Promise<void> {
  await insertAudit(queries, entry as typeof audit.$inferInsert)
}

/** Newest first. */
export async function listAudit(
  { db }: Pick<Deps, 'db'>,
  page: AuditPage,
): Promise<{ entries: AuditEntry[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectAudit(db.orm, asked),
    ({ id }) => id,
  )
  return { entries: shown.map((row) => ({ ...row, at: row.at.toISOString() })), next }
}
