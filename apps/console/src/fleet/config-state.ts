/** The layers together with the rollout that is under way, as of one moment. */
import type { ApiClient } from '@imapfleet/client'
import type { ConfigView, RevisionView, RolloutSummary } from '@imapfleet/api'
import { underWay } from './rollout-lock.ts'

export interface ConfigState extends ConfigView {
  /** Running or paused. The layers have its revision only when it is complete. */
  rolling: RolloutSummary | undefined
  coming: RevisionView | undefined
}

/** A rollout may begin or end between two requests. */
const attempts = 3

export async function readConfigState(call: ApiClient['call'], signal: AbortSignal): Promise<ConfigState> {
  const newest = async () => (await call('listRollouts', { query: { limit: 1 }, signal })).rollouts[0]
  let before = await newest()
  for (let attempt = 1; ; attempt++) {
    const view = await call('readConfig', { signal })
    const rollout = await newest()
    const isSame = rollout?.revision === before?.revision && rollout?.state === before?.state
    before = rollout
    if (!isSame && attempt < attempts) continue
    const rolling = underWay(rollout)
    const coming =
      rolling && (await call('readRevision', { params: { revision: rolling.revision }, signal })).revision
    return { ...view, rolling, coming }
  }
}
