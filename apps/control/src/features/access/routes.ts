/** Routes of tokens and of the audit log. */
import { createRoute } from '@hono/zod-openapi'
import {
  auditListSchema,
  tokenListSchema,
  tokenMadeSchema,
  tokenRequestSchema,
  tokenSchema,
} from '@imapfleet/api'
import { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { listAudit } from '../audit/service.ts'
import { createToken, listTokens, revokeToken } from './service.ts'
import {
  bearer,
  body,
  jsonContent,
  needs,
  newRoutes,
  numberedPage,
  pageById,
  problems,
} from '../../platform/http/routes.ts'

const shared = { tags: ['access'], security: bearer }

const create = createRoute({
  ...shared,
  method: 'post',
  path: '/tokens',
  summary: 'Make a token; only this answer shows it',
  middleware: needs('admin'),
  request: { body: body(tokenRequestSchema) },
  responses: { 201: jsonContent(tokenMadeSchema, 'The token'), ...problems },
})

const list = createRoute({
  ...shared,
  method: 'get',
  path: '/tokens',
  summary: 'All tokens, including revoked and expired ones, newest first',
  middleware: needs('admin'),
  request: { query: pageById },
  responses: { 200: jsonContent(tokenListSchema, 'Tokens'), ...problems },
})

const revoke = createRoute({
  ...shared,
  method: 'delete',
  path: '/tokens/{id}',
  summary: 'Revoke a token',
  middleware: needs('admin'),
  request: { params: z.object({ id: z.uuid() }) },
  responses: { 200: jsonContent(tokenSchema, 'The revoked token'), ...problems },
})

const audit = createRoute({
  ...shared,
  method: 'get',
  path: '/audit',
  summary: 'The audit log, newest first',
  middleware: needs('admin'),
  request: {
    query: numberedPage.extend({
      actor: z.string().max(200).optional(),
      action: z.string().max(200).optional(),
    }),
  },
  responses: { 200: jsonContent(auditListSchema, 'Entries'), ...problems },
})

export const accessRoutes = (deps: Deps) =>
  newRoutes()
    .openapi(create, async (context) =>
      context.json(await createToken(deps, context.get('actor').name, context.req.valid('json')), 201),
    )
    .openapi(list, async (context) => context.json(await listTokens(deps, context.req.valid('query')), 200))
    .openapi(revoke, async (context) =>
      context.json(await revokeToken(deps, context.get('actor'), context.req.valid('param').id), 200),
    )
    .openapi(audit, async (context) => context.json(await listAudit(deps, context.req.valid('query')), 200))
