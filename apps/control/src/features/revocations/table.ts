/** The table of revocations. */
import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from '../../platform/db/columns.ts'

/** Users and domains whose server connections are not reused, on every edge, even if it returns later. */
export const revocations = pgTable(
  'revocations',
  {
    /** The version of the desired state that introduced it. It also grows across a restore of the database. */
    sequence: countColumn('sequence').primaryKey(),
    kind: text('kind').$type<'user' | 'domain'>().notNull(),
    subject: text('subject').notNull(),
    at: instantColumn('at').notNull(),
    createdBy: text('created_by').notNull(),
    note: text('note').notNull(),
    /** Only the edges of this region. Empty: all edges. */
    region: text('region'),
    /** The domain of the subject. Empty: it has none, or an earlier version made it. */
    domain: text('domain'),
    /** The operation that revokes a domain region by region, with a row for each region. */
    operation: uuid('operation'),
  },
  (table) => [index('revocations_at').on(table.at)],
)
