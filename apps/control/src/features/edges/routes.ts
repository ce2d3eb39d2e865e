/** Routes of edges. */
import type { edgeRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import { adoptEdges } from '../desired/service.ts'
import { drainEdges, forgetEdge, listSomeEdges, readEdge } from './service.ts'

export const edgeHandlers = (deps: Deps): Handlers<typeof edgeRoutes> => ({
  listEdges: ({ query }) => listSomeEdges(deps, query),
  readEdge: ({ params }) => readEdge(deps, params.id),
  forgetEdge: ({ actor, params }) => forgetEdge(deps, actor, params.id),
  drainEdges: ({ actor, body }) => drainEdges(deps, actor, body, true),
  adoptEdges: ({ actor }) => adoptEdges(deps, actor),
  resumeEdges: ({ actor, body }) => drainEdges(deps, actor, body, false),
})
