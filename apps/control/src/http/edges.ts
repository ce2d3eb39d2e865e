/** Routes of edges. */
import { createRoute } from '@hono/zod-openapi'
import { edgeListSchema, edgeSchema } from '@imapfleet/protocol'
import { z } from 'zod'
import type { Deps } from '../deps.ts'
import { listEdges } from '../verbs/list-edges.ts'
import { readEdge } from '../verbs/read-edge.ts'
import { bearer, json, needs, newRoutes, problems } from './routes.ts'

const list = createRoute({
  method: 'get',
  path: '/edges',
  tags: ['edges'],
  summary: 'Every edge that was ever heard of, by region and name',
  security: bearer,
  middleware: needs('viewer'),
  responses: { 200: json(edgeListSchema, 'Edges'), ...problems },
})

const read = createRoute({
  method: 'get',
  path: '/edges/{id}',
  tags: ['edges'],
  summary: 'One edge',
  security: bearer,
  middleware: needs('viewer'),
  request: { params: z.object({ id: z.string().min(1).max(200) }) },
  responses: { 200: json(edgeSchema, 'The edge'), ...problems },
})

export const edgeRoutes = (deps: Deps) =>
  newRoutes()
    .openapi(list, async (context) => context.json({ edges: await listEdges(deps) }, 200))
    .openapi(read, async (context) => context.json(await readEdge(deps, context.req.valid('param').id), 200))
