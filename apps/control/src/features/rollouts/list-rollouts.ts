/** Rollouts, newest first. */
import type { RolloutView } from '@imapfleet/api'
import { selectRollouts } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { pageOf } from '../../platform/db/page-of.ts'
import { readRollout } from './read-rollout.ts'

export async function listRollouts(
  deps: Deps,
  page: { limit: number; before?: number | undefined },
): Promise<{ rollouts: RolloutView[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectRollouts(deps.db.orm, asked),
    ({ revision }) => revision,
  )
  return {
    rollouts: await Promise.all(shown.map(async ({ revision }) => await readRollout(deps, revision))),
    next,
  }
}
