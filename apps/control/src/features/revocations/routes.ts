/** Routes of revocations. */
import type { revocationRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import { addRevocation, listRevocations, readRevocation } from './service.ts'

export const revocationHandlers = (deps: Deps): Handlers<typeof revocationRoutes> => ({
  addRevocation: ({ actor, body }) => addRevocation(deps, actor, body),
  listRevocations: ({ actor, query }) => listRevocations(deps, actor.limits, query),
  readRevocation: ({ actor, params }) => readRevocation(deps, actor.limits, params.sequence),
})
