/** Migrates the database to the newest schema. Replicas that start at the same time migrate one after the other. */
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator'
import { migrationsDirectory } from '../places.ts'
import type { DatabaseAddress } from './address.ts'
import { openSingle } from './database.ts'
import { locks } from './lock.ts'
import { troubleOf } from './trouble.ts'

/** Throws if another replica migrates and does not finish within some seconds. */
export async function migrate(database: DatabaseAddress): Promise<void> {
  // A session lock belongs to one connection. drizzle's migrator has no lock. Postgres closes the connection of a
  // replica that hangs, which releases the lock and undoes the migration.
  const sql = openSingle(database)
  try {
    await sql`select pg_advisory_lock(${locks.migrate})`.catch((error: unknown) => {
      if (troubleOf(error) !== 'busy') throw error
      throw Object.assign(new Error('another replica is migrating it'), { code: '55P03' })
    })
    await runMigrations(drizzle(sql), { migrationsFolder: migrationsDirectory })
  } finally {
    await sql.end({ timeout: 5 })
  }
}
