/** The table of messages that control refused, by edge and kind. */
import { pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from '../../platform/db/columns.ts'
import type { RefusalKind, SentAs } from '../../platform/nats/intake.ts'

/** Only of edges that have sent a valid heartbeat: its size is bounded by theirs. */
export const refusals = pgTable(
  'refusals',
  {
    edge: text('edge').notNull(),
    sentAs: text('sent_as').$type<SentAs>().notNull(),
    kind: text('kind').$type<RefusalKind>().notNull(),
    /** Of the last one. */
    reason: text('reason').notNull(),
    /** Messages, or series, since `first_at`. */
    count: countColumn('count').notNull(),
    firstAt: instantColumn('first_at').notNull(),
    lastAt: instantColumn('last_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.edge, table.sentAs, table.kind] })],
)
