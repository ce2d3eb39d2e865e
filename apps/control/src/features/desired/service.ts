/**
 * The desired state of the fleet, for other features: how it is changed, distributed, and compared with what edges
 * report.
 */
import type { Database, Queries } from '../../platform/db/database.ts'
import { issueVersions } from './queries.ts'

export { statusOfRevision, statusOfRevocation, type AppliedByEdge } from './applied.ts'
export { adoptEdges } from './adoption.ts'
export { announceDesired } from './bucket.ts'
export { IssuedClaims, ownClaims, type Claims } from './claims.ts'
export { appliesTo, layersByName, resolve, type LayersByName, type Rolling } from './desired-of.ts'
export { distributeDesired, reconcile } from './distribute.ts'
export { reasonToHold } from './hold.ts'
export { fleetProblems, lastRestore, runsForeignState, reportForeignEdges } from './restores.ts'

/**
 * Runs a change of the fleet in one transaction, with its own version. Changes run one after the other, so what is read
 * inside is still true when it is written.
 */
export async function changeFleet<T>(
  db: Database,
  change: (queries: Queries, version: number) => Promise<T>,
): Promise<T> {
  return await db.orm.transaction(async (tx) => await change(tx, await issueVersions(tx)))
}
