/** Routes of rollouts. */
import type { rolloutRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import { listRollouts, readRollout, readRolloutHealth, steerRollout } from './service.ts'

export const rolloutHandlers = (deps: Deps): Handlers<typeof rolloutRoutes> => ({
  listRollouts: ({ actor, query }) => listRollouts(deps, actor.limits, query),
  readRollout: ({ actor, params }) => readRollout(deps, actor.limits, params.revision),
  readRolloutHealth: ({ actor, params }) => readRolloutHealth(deps, actor.limits, params.revision),
  steerRollout: ({ actor, params }) => steerRollout(deps, actor, params.revision, params.steering),
})
