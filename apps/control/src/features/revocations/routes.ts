/** Routes of revocations. */
import { createRoute } from '@hono/zod-openapi'
import { revocationListSchema, revocationRequestSchema, revocationStatusSchema } from '@imapfleet/api'
import { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { listRevocations } from './list-revocations.ts'
import { readRevocation } from './read-revocation.ts'
import { addRevocation } from './revoke.ts'
import {
  bearer,
  body,
  jsonContent,
  needs,
  newRoutes,
  numberedPage,
  problems,
} from '../../platform/http/routes.ts'

const shared = { tags: ['revocations'], security: bearer, middleware: needs('operator') }

const create = createRoute({
  ...shared,
  method: 'post',
  path: '/revocations',
  summary: 'Stop reusing the server connections of a user or a domain; a silent edge does so when it returns',
  request: { body: body(revocationRequestSchema) },
  responses: { 201: jsonContent(revocationStatusSchema, 'The revocation'), ...problems },
})

const list = createRoute({
  ...shared,
  method: 'get',
  path: '/revocations',
  summary: 'Revocations, newest first',
  request: { query: numberedPage },
  responses: { 200: jsonContent(revocationListSchema, 'Revocations'), ...problems },
})

const read = createRoute({
  ...shared,
  method: 'get',
  path: '/revocations/{sequence}',
  summary: 'One revocation and its progress',
  request: { params: z.object({ sequence: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }) },
  responses: { 200: jsonContent(revocationStatusSchema, 'The revocation'), ...problems },
})

export const revocationRoutes = (deps: Deps) =>
  newRoutes()
    .openapi(create, async (context) =>
      context.json(await addRevocation(deps, context.get('actor'), context.req.valid('json')), 201),
    )
    .openapi(list, async (context) =>
      context.json(await listRevocations(deps, context.req.valid('query')), 200),
    )
    .openapi(read, async (context) =>
      context.json(await readRevocation(deps, context.req.valid('param').sequence), 200),
    )
