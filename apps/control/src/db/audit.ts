/** The audit log: written in the transaction of what it tells of. */
import type { JsonValue } from '@imapfleet/config'
import type { Queries } from './database.ts'
import { audit } from './schema.ts'

export interface AuditEntry {
  actor: string
  /** `config.revise`, `trace.start`, ... */
  action: string
  target: string
  before?: JsonValue
  /** Without secrets. */
  after?: JsonValue
}

export async function writeAudit(queries: Queries, entry: AuditEntry): Promise<void> {
  await queries.insert(audit).values(entry)
}
