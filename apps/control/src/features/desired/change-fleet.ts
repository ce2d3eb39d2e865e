/** Changes of the fleet: each gets a version of the desired state. */
import type { Database, Queries } from '../../platform/db/database.ts'
import { issueVersions } from './queries.ts'

/**
 * Runs a change of the fleet in one transaction with a version of its own. Changes run one after the other, so what is
 * read inside is still true when it is written.
 */
export async function changeFleet<T>(
  db: Database,
  change: (queries: Queries, version: number) => Promise<T>,
): Promise<T> {
  return await db.orm.transaction(async (tx) => await change(tx, await issueVersions(tx)))
}
