/** One rollout, wave by wave. */
import type { RolloutView } from '@imapfleet/api'
import { selectEdges } from '../edges/queries.ts'
import { findRevision } from '../config/queries.ts'
import { findRollout, type RolloutRow } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { rolloutView } from './rollout-view.ts'

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
