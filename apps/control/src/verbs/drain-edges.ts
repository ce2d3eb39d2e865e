/** Has edges take no more clients while the sessions they have go on, or take clients again. */
import { targetText, type EdgeView, type TargetName } from '@imapfleet/protocol'
import type { Actor } from '../access.ts'
import { writeAudit } from '../db/audit.ts'
import { setDrain } from '../db/edges.ts'
import { changeFleet } from '../db/fleet.ts'
import type { Deps } from '../deps.ts'
import { edgesMeantBy } from './edges-meant-by.ts'
import { listEdges } from './list-edges.ts'
import { spreadDesired } from './spread-desired.ts'

/** The edges as they are now; that they drain, and how many clients are left, their next heartbeats say. */
export async function drainEdges(
  deps: Deps,
  actor: Actor,
  target: TargetName,
  drain: boolean,
): Promise<EdgeView[]> {
  const meant = new Set((await edgesMeantBy(deps, target)).map(({ id }) => id))
  await changeFleet(deps.db, async (queries) => {
    const edges = await setDrain(queries, [...meant], drain)
    const action = drain ? 'edges.drain' : 'edges.resume'
    await writeAudit(queries, { actor: actor.name, action, target: targetText(target), after: { edges } })
  })
  await spreadDesired(deps, ({ id }) => meant.has(id))
  return (await listEdges(deps)).filter(({ id }) => meant.has(id))
}
