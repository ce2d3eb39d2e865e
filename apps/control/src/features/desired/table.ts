/** The tables of the desired state: its version, and all versions that this database has issued. */
import { sql } from 'drizzle-orm'
import { bigint, boolean, check, pgTable, text } from 'drizzle-orm/pg-core'
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
    /**
     * `desired_versions` is complete from this version on, and nothing is known about older ones. The default excludes the
     * versions of older releases, which counted from the time in seconds.
     */
    versionsSince: countColumn('versions_since').notNull().default(10_000_000_000),
    /** When control last learned of versions that this database never issued, and from where. */
    restoredAt: instantColumn('restored_at'),
    restoredEvidence: text('restored_evidence'),
    /** The version that this database issued when it reported a restore. Restores with older versions have been reported. */
    restoredAbove: countColumn('restored_above').notNull().default(0),
    /** When an operator confirmed that edges of another database take part. */
    adoptedAt: instantColumn('adopted_at'),
    /** Older reports are not kept, or were never received. */
    reportsSince: instantColumn('reports_since').notNull().defaultNow(),
  },
  (table) => [check('fleet_only', sql`${table.only}`)],
)

/**
 * Every version that this database has issued. A trigger on `fleet` writes it, so that replicas of an older release
 * cannot leave a version out.
 */
export const desiredVersions = pgTable('desired_versions', {
  version: countColumn('version').primaryKey(),
})

/** The version of the change in progress, if it is the default of a column. The migration defines the function. */
export const versionOfChange = (name: string) =>
  bigint(name, { mode: 'number' })
    .notNull()
    .default(sql`desired_version_now()`)
