/** The table of the audit log. */
import type { JsonValue } from '@imapfleet/config'
import { bigserial, index, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { instantColumn } from '../../platform/db/columns.ts'

/** The audit log: every write and every trace. */
export const audit = pgTable(
  'audit',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    at: instantColumn('at').notNull().defaultNow(),
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    target: text('target').notNull(),
    before: jsonb('before').$type<JsonValue>(),
    after: jsonb('after').$type<JsonValue>(),
  },
  (table) => [index('audit_at').on(table.at)],
)
