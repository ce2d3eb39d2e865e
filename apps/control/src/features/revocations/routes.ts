/** Routes of revocations. */
import type { revocationRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import { listRevocations } from './list-revocations.ts'
import { readRevocation } from './read-revocation.ts'
import { addRevocation } from './revoke.ts'

export const revocationHandlers = (deps: Deps): Handlers<typeof revocationRoutes> => ({
  addRevocation: ({ actor, body }) => addRevocation(deps, actor, body),
  listRevocations: ({ query }) => listRevocations(deps, query),
  readRevocation: ({ params }) => readRevocation(deps, params.sequence),
})
