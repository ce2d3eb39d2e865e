/** Drains edges, or ends a drain. */
import { fleetTargetText, type EdgeView, type FleetTarget } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import { writeAudit } from '../audit/audit.ts'
import { setDrain } from './queries.ts'
import { changeFleet } from '../desired/fleet.ts'
import type { Deps } from '../../deps.ts'
import { edgesMeantBy } from './edges-meant-by.ts'
import { listEdges } from './list-edges.ts'
import { distributeDesired } from '../desired/distribute-desired.ts'

/** The edges in their present state. Their next heartbeats show the drain and the clients that are left. */
export async function drainEdges(
  deps: Deps,
  actor: Actor,
  target: FleetTarget,
  drain: boolean,
): Promise<EdgeView[]> {
  const meant = new Set((await edgesMeantBy(deps, target)).map(({ id }) => id))
  await changeFleet(deps.db, async (queries) => {
    const edges = await setDrain(queries, [...meant], drain)
    const action = drain ? 'edges.drain' : 'edges.resume'
    await writeAudit(queries, {
      actor: actor.name,
      action,
      target: fleetTargetText(target),
      after: { edges },
    })
  })
  await distributeDesired(deps, ({ id }) => meant.has(id))
  return (await listEdges(deps)).filter(({ id }) => meant.has(id))
}
