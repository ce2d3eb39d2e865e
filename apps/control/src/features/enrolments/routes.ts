/** Routes of the NATS credentials of edges. */
import { createRoute } from '@hono/zod-openapi'
import { configName } from '@imapfleet/config/names'
import { enrolmentListSchema, enrolmentMadeSchema, enrolmentRequestSchema } from '@imapfleet/api'
import { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { enrollEdge, listEnrolments, revokeEnrolments } from './service.ts'
import {
  bearer,
  body,
  jsonContent,
  needs,
  newRoutes,
  numberedPage,
  problems,
} from '../../platform/http/routes.ts'

const shared = { tags: ['access'], security: bearer, middleware: needs('admin') }
const ofEdge = z.object({ id: configName })
const key = z.string().regex(/^U[A-Z2-7]{55}$/, 'is not a public key U...')

const enroll = createRoute({
  ...shared,
  method: 'post',
  path: '/edges/{id}/enrolments',
  summary: 'Issue a credential for an edge; only this answer shows it',
  request: { params: ofEdge, body: body(enrolmentRequestSchema) },
  responses: { 201: jsonContent(enrolmentMadeSchema, 'The credential'), ...problems },
})

const list = createRoute({
  ...shared,
  method: 'get',
  path: '/enrolments',
  summary: 'All credentials of edges, newest first',
  request: { query: numberedPage.extend({ edge: configName.optional() }) },
  responses: { 200: jsonContent(enrolmentListSchema, 'Enrolments'), ...problems },
})

const revoke = createRoute({
  ...shared,
  method: 'delete',
  path: '/edges/{id}/enrolments',
  summary: 'Revoke all credentials of an edge, or the one with this key; NATS closes its connection',
  request: { params: ofEdge, query: z.object({ key: key.optional() }) },
  responses: { 200: jsonContent(enrolmentListSchema, 'Its revoked credentials'), ...problems },
})

export const enrolmentRoutes = (deps: Deps) =>
  newRoutes()
    .openapi(enroll, async (context) => {
      const { region } = context.req.valid('json')
      return context.json(
        await enrollEdge(deps, context.get('actor'), context.req.valid('param').id, region),
        201,
      )
    })
    .openapi(list, async (context) =>
      context.json(await listEnrolments(deps, context.req.valid('query')), 200),
    )
    .openapi(revoke, async (context) => {
      const { id } = context.req.valid('param')
      const enrolments = await revokeEnrolments(
        deps,
        context.get('actor'),
        id,
        context.req.valid('query').key,
      )
      return context.json({ enrolments, next: null }, 200)
    })
