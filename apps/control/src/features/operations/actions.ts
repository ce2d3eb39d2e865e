/** The work of each kind of operation in a stage, and the criteria for the health of its edges. */
import type { Deps } from '../../deps.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { drainStage } from '../edges/service.ts'
import { orderStage } from '../orders/service.ts'
import { revocationStage } from '../revocations/service.ts'
import { judgeHealth } from '../rollouts/health.ts'
import { advanceOperations, type StageActions } from './service.ts'

/** How much the share of failed logins, or of failed server connections, may rise. */
const errorShareMax = 0.05

const actions: StageActions = {
  work: { order: orderStage, revocation: revocationStage, drain: drainStage },
  judge: async (deps, { createdAt, settledAt }, edges) =>
    settledAt
      ? await judgeHealth(deps, edges, {
          startedAt: createdAt.getTime(),
          settledAt: settledAt.getTime(),
          now: deps.now(),
          errorShareMax,
        })
      : undefined,
}

/** The timer: one step of each running operation. */
export const advanceAllOperations = (deps: Deps, lease: Lease): Promise<void> =>
  advanceOperations(deps, lease, actions)
