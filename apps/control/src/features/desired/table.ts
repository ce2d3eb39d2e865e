/** The table of the desired state. */
import { sql } from 'drizzle-orm'
import { boolean, check, pgTable } from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from '../../platform/db/columns.ts'

/**
 * One row: the version of the desired state, and the time since which reports are kept. A change of the fleet locks
 * this row until its commit.
 */
export const fleet = pgTable(
  'fleet',
  {
    only: boolean('only').primaryKey().default(true),
    desiredVersion: countColumn('desired_version').notNull(),
    /** Older reports are not kept, or were never received. */
    reportsSince: instantColumn('reports_since').notNull().defaultNow(),
  },
  (table) => [check('fleet_only', sql`${table.only}`)],
)
