/**
 * The version of the desired state: one number, increased by every change of the fleet in the transaction of the
 * change.
 */
import { sql } from 'drizzle-orm'
import type { Database, Queries } from '../../platform/db/database.ts'
import { fleet } from './table.ts'

/**
 * Runs a change of the fleet in one transaction that increases the version. Changes run one after the other, so what
 * is read inside is still true when it is written.
 */
export async function changeFleet<T>(
  db: Database,
  change: (queries: Queries, version: number) => Promise<T>,
): Promise<T> {
  return await db.orm.transaction(async (tx) => {
    await tx.update(fleet).set({ desiredVersion: sql`${fleet.desiredVersion} + 1` })
    return await change(tx, await desiredVersion(tx))
  })
}

export async function desiredVersion(queries: Queries): Promise<number> {
  const [row] = await queries.select({ version: fleet.desiredVersion }).from(fleet)
  if (!row) throw new Error('the table fleet is empty')
  return row.version
}

/** After the restore of an older database: continues above the versions that edges have seen. */
export async function raiseDesiredVersion(queries: Queries, beyond: number): Promise<void> {
  await queries.update(fleet).set({ desiredVersion: sql`greatest(${fleet.desiredVersion}, ${beyond}) + 1` })
}
