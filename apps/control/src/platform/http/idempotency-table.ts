/** The table of idempotency keys. */
import { integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { instantColumn } from '../db/columns.ts'

/** Writes with an idempotency key. The status is empty until the answer is known. */
export const idempotency = pgTable(
  'idempotency',
  {
    token: uuid('token').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of method, path and body, because a key is valid for one request only. */
    request: text('request').notNull(),
    at: instantColumn('at').notNull().defaultNow(),
    status: integer('status'),
    body: text('body'),
  },
  (table) => [primaryKey({ columns: [table.token, table.key] })],
)
