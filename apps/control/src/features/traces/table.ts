/** The table of traces. */
import { boolean, index, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from '../../platform/db/columns.ts'

export const traces = pgTable(
  'traces',
  {
    id: uuid('id').primaryKey(),
    user: text('user').notNull(),
    /** Only the edges of this region. Empty: all edges. */
    region: text('region'),
    /** The domain of the user. Empty: it has none, or an earlier version started it. */
    domain: text('domain'),
    bytesMax: countColumn('bytes_max').notNull(),
    bodies: boolean('bodies').notNull(),
    createdBy: text('created_by').notNull(),
    /** The token that started it. It ends with the rights of this token. Empty if an earlier version started it. */
    token: uuid('token'),
    createdAt: instantColumn('created_at').notNull(),
    expiresAt: instantColumn('expires_at').notNull(),
    /** When it was ended early. Empty if it expired. */
    endedAt: instantColumn('ended_at'),
  },
  (table) => [index('traces_created').on(table.createdAt)],
)
