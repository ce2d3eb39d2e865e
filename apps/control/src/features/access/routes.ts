/** Routes of tokens and of the audit log. */
import type { accessRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import { listAudit } from '../audit/service.ts'
import { createToken, listTokens, revokeToken } from './service.ts'

export const accessHandlers = (deps: Deps): Handlers<typeof accessRoutes> => ({
  createToken: ({ actor, body }) => createToken(deps, actor.name, body),
  listTokens: ({ query }) => listTokens(deps, query),
  revokeToken: ({ actor, params }) => revokeToken(deps, actor, params.id),
  listAudit: ({ query }) => listAudit(deps, query),
})
