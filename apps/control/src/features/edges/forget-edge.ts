/**
 * Removes an edge from the fleet for good: it is in no list, and no order or rollout waits for it. Its desired state
 * is kept, so that an edge that returns applies all revocations first.
 */
import type { EdgeView } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import { writeAudit } from '../audit/audit.ts'
import type { Queries } from '../../platform/db/database.ts'
import { findEdge, markEdgeForgotten, type EdgeRow } from './queries.ts'
import { changeFleet } from '../desired/fleet.ts'
import { skipEdge } from '../rollouts/queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { knownEdge, readEdge } from './read-edge.ts'

/** An edge that is forgotten stays unchanged. */
export async function forgetEdge(deps: Deps, actor: Actor, id: string): Promise<EdgeView> {
  const known = await knownEdge(deps.db.orm, id)
  if (!known.forgottenAt) await changeFleet(deps.db, async (queries) => await forget(queries, actor, known))
  return await readEdge(deps, id)
}

async function forget(queries: Queries, actor: Actor, { id }: EdgeRow): Promise<void> {
  const isForgotten = await markEdgeForgotten(queries, id)
  const row = await findEdge(queries, id)
  if (!row) throw new Error(`the row of edge ${id} is missing`)
  if (!isForgotten && row.forgottenAt) return
  if (!isForgotten)
    throw new ServiceError(
      'edge_present',
      `${id} sent a heartbeat ${Math.max(0, Math.round(row.silentMs / 1000))} s ago: stop it or revoke its credential; ` +
        'after three missed heartbeats it can be forgotten.',
    )
  await skipEdge(queries, id)
  await writeAudit(queries, {
    actor: actor.name,
    action: 'edge.forget',
    target: `edge/${id}`,
    before: { region: row.region, version: row.version, lastSeenAt: row.lastSeenAt.toISOString() },
    after: { forgottenAt: row.forgottenAt?.toISOString() },
  })
}
