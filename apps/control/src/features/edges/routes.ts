/** Routes of edges. */
import type { edgeRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import { adoptEdges } from '../desired/service.ts'
import { drainEdges, forgetEdge, listSomeEdges, readEdge } from './service.ts'

export const edgeHandlers = (deps: Deps): Handlers<typeof edgeRoutes> => ({
  listEdges: ({ actor, query }) => listSomeEdges(deps, actor.limits, query),
  readEdge: ({ actor, params }) => readEdge(deps, actor.limits, params.id),
  forgetEdge: ({ actor, params }) => forgetEdge(deps, actor, params.id),
  drainEdges: ({ actor, body }) => drainEdges(deps, actor, body, true),
  adoptEdges: ({ actor }) => adoptEdges(deps, actor),
  resumeEdges: ({ actor, body }) => drainEdges(deps, actor, body, false),
})
