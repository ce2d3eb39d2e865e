/** One rollout, wave by wave. */
import type { RolloutView } from '@imapfleet/protocol'
import { selectEdges } from '../db/edges.ts'
import { findRevision } from '../db/revisions.ts'
import { findRollout, type RolloutRow } from '../db/rollouts.ts'
import type { Deps } from '../deps.ts'
import { ServiceError } from '../errors.ts'
import { rolloutView } from '../views/rollout-view.ts'

export async function readRollout(deps: Deps, revision: number): Promise<RolloutView> {
  return await viewOf(deps, await findRollout(deps.db.orm, revision), revision)
}

async function viewOf({ db }: Deps, row: RolloutRow | undefined, revision: number): Promise<RolloutView> {
  const written = await findRevision(db.orm, revision)
  if (!row || !written)
    throw new ServiceError(
      'rollout_unknown',
      `Revision ${revision} was not rolled out in waves: GET /v1/rollouts lists all rollouts.`,
    )
  return rolloutView(row, written, await selectEdges(db.orm))
}
