/** Routes of the NATS credentials of edges. */
import type { enrolmentRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import { enrollEdge, listEnrolments, revokeEnrolments } from './service.ts'

export const enrolmentHandlers = (deps: Deps): Handlers<typeof enrolmentRoutes> => ({
  enrollEdge: ({ actor, params, body }) => enrollEdge(deps, actor, params.id, body),
  listEnrolments: ({ query }) => listEnrolments(deps, query),
  revokeEnrolments: async ({ actor, params, query }) => ({
    enrolments: await revokeEnrolments(deps, actor, params.id, query.key),
    next: null,
  }),
})
