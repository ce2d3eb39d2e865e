/** An operator confirms that this database is the right one, although edges run the state of another one (hold.ts). */
import type { Deps } from '../../deps.ts'
import type { Actor } from '../../platform/access.ts'
import { someOfEdges, writeAudit } from '../audit/service.ts'
import { distributeDesired } from './distribute.ts'
import { edgesOfOtherDatabases, noteAdoption } from './queries.ts'

/**
 * From now on the state of this database is published to all edges. Returns the edges that run the state of another
 * database.
 */
export async function adoptEdges(deps: Deps, actor: Actor): Promise<{ adopted: string[] }> {
  const adopted = await deps.db.orm.transaction(async (tx) => {
    const edges = await edgesOfOtherDatabases(tx)
    if (await noteAdoption(tx))
      await writeAudit(tx, {
        actor: actor.name,
        action: 'edges.adopt',
        target: 'fleet',
        after: someOfEdges(edges),
      })
    return edges
  })
  await distributeDesired(deps)
  return { adopted }
}
