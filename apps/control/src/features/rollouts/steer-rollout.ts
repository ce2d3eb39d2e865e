/** Pauses, resumes or aborts a rollout. */
import type { RolloutView } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import { writeAudit } from '../audit/service.ts'
import { changeFleet, distributeDesired } from '../desired/service.ts'
import { findRollout, updateRollout } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { readRollout } from './read-rollout.ts'
import { undoRollout } from './undo-rollout.ts'

export type Steering = 'pause' | 'resume' | 'abort'

export async function steerRollout(
  deps: Deps,
  actor: Actor,
  revision: number,
  steering: Steering,
): Promise<RolloutView> {
  const at = new Date(deps.now())
  await changeFleet(deps.db, async (queries) => {
    const row = await findRollout(queries, revision)
    // readRollout below reports that it does not exist.
    if (!row) return
    if (row.state !== 'running' && row.state !== 'paused')
      throw new ServiceError('rollout_over', `The rollout of revision ${revision} has ended: ${row.state}.`)
    if (steering === 'abort')
      return await undoRollout(queries, row, 'aborted', {
        by: actor.name,
        reason: `aborted by ${actor.name}`,
        at,
      })
    // After a pause the times of the wave start again.
    const resumed = { state: 'running', waveStartedAt: at, settledAt: null, checkedAt: null } as const
    await updateRollout(queries, revision, steering === 'pause' ? { state: 'paused' } : resumed)
    await writeAudit(queries, { actor: actor.name, action: `rollout.${steering}`, target: String(revision) })
  })
  await distributeDesired(deps)
  return await readRollout(deps, revision)
}
