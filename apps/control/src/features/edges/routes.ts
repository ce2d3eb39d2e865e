/** Routes of edges. */
import { createRoute } from '@hono/zod-openapi'
import { drainRequestSchema, edgeListSchema, edgeSchema } from '@imapfleet/api'
import { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { drainEdges, forgetEdge, listSomeEdges, readEdge } from './service.ts'
import { bearer, body, jsonContent, needs, newRoutes, problems } from '../../platform/http/routes.ts'

const one = z.object({ id: z.string().min(1).max(200) })

const list = createRoute({
  method: 'get',
  path: '/edges',
  tags: ['edges'],
  summary: 'All edges except forgotten ones, by region and name',
  security: bearer,
  middleware: needs('viewer'),
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(5_000).default(5_000),
      /** `next` of the previous page. */
      after: z.string().max(63).optional(),
    }),
  },
  responses: { 200: jsonContent(edgeListSchema, 'Edges'), ...problems },
})

const read = createRoute({
  method: 'get',
  path: '/edges/{id}',
  tags: ['edges'],
  summary: 'One edge, even a forgotten one',
  security: bearer,
  middleware: needs('viewer'),
  request: { params: one },
  responses: { 200: jsonContent(edgeSchema, 'The edge'), ...problems },
})

const forget = createRoute({
  method: 'delete',
  path: '/edges/{id}',
  tags: ['edges'],
  summary: 'Remove an edge from the fleet for good; its next heartbeat returns it',
  security: bearer,
  middleware: needs('operator'),
  request: { params: one },
  responses: { 200: jsonContent(edgeSchema, 'The forgotten edge'), ...problems },
})

const drain = createRoute({
  method: 'post',
  path: '/edges/drain',
  tags: ['edges'],
  summary: 'Drain edges: they accept no new clients, and their sessions continue',
  security: bearer,
  middleware: needs('operator'),
  request: { body: body(drainRequestSchema) },
  responses: { 200: jsonContent(edgeListSchema, 'The edges in the target'), ...problems },
})

const resume = createRoute({
  method: 'post',
  path: '/edges/resume',
  tags: ['edges'],
  summary: 'End a drain: the edges accept clients again',
  security: bearer,
  middleware: needs('operator'),
  request: { body: body(drainRequestSchema) },
  responses: { 200: jsonContent(edgeListSchema, 'The edges in the target'), ...problems },
})

export const edgeRoutes = (deps: Deps) =>
  newRoutes()
    .openapi(list, async (context) =>
      context.json(await listSomeEdges(deps, context.req.valid('query')), 200),
    )
    .openapi(read, async (context) => context.json(await readEdge(deps, context.req.valid('param').id), 200))
    .openapi(forget, async (context) =>
      context.json(await forgetEdge(deps, context.get('actor'), context.req.valid('param').id), 200),
    )
    .openapi(drain, async (context) => {
      const { target } = context.req.valid('json')
      return context.json({ edges: await drainEdges(deps, context.get('actor'), target, true) }, 200)
    })
    .openapi(resume, async (context) => {
      const { target } = context.req.valid('json')
      return context.json({ edges: await drainEdges(deps, context.get('actor'), target, false) }, 200)
    })
