/** Migrates the database to the newest schema. Replicas that start at the same time migrate one after the other. */
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator'
import { fileURLToPath } from 'node:url'
import type { DatabaseAddress } from './address.ts'
import { openSingle } from './database.ts'
import { locks } from './lock.ts'

const migrationsFolder = fileURLToPath(new URL('../../../drizzle', import.meta.url))

export async function migrate(database: DatabaseAddress): Promise<void> {
  // A session lock belongs to one connection. drizzle's migrator has no lock.
  const sql = openSingle(database)
  try {
    await sql`select pg_advisory_lock(${locks.migrate})`
    await runMigrations(drizzle(sql), { migrationsFolder })
  } finally {
    await sql.end({ timeout: 5 })
  }
}
