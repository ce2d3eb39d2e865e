/** The table of leases: which replica runs a tick, and when the tick last succeeded. */
import { pgTable, text } from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from '../db/columns.ts'

/** All times are from the clock of the database. */
export const leases = pgTable('leases', {
  name: text('name').primaryKey(),
  /** Host and process of the replica that took it last, for display. */
  holder: text('holder').notNull(),
  /** Increased each time it is taken. A holder with a lower number has lost it. */
  fence: countColumn('fence').notNull().default(0),
  /** The lease is free from this time on. */
  until: instantColumn('until').notNull().defaultNow(),
  /** The end of the last run without an error, of any replica. */
  succeededAt: instantColumn('succeeded_at').notNull().defaultNow(),
})
