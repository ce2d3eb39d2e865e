/** Routes of the fleet's configuration. */
import { createRoute } from '@hono/zod-openapi'
import {
  confReportSchema,
  confRequestSchema,
  configKeyListSchema,
  configViewSchema,
  resolvedConfigSchema,
  restoreRequestSchema,
  revisionListSchema,
  revisionRequestSchema,
  revisionStatusSchema,
} from '@imapfleet/api'
import { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import {
  importConf,
  listRevisions,
  listConfigKeys,
  readConfig,
  readRevision,
  readEdgeLayer,
  restoreRevision,
  writeRevision,
} from './service.ts'
import {
  bearer,
  body,
  jsonContent,
  needs,
  newRoutes,
  numberedPage,
  problems,
} from '../../platform/http/routes.ts'

const shared = { tags: ['config'], security: bearer }
const revisionNumber = z.coerce.number().int().min(0).max(2_147_483_647)

const ifMatchText =
  'With `If-Match`, the ETag of the configuration, the change applies to that revision only, as with `base`.'
const ifMatchHeader = z.object({ 'if-match': z.string().max(100).optional() })

const read = createRoute({
  ...shared,
  method: 'get',
  path: '/config',
  summary: 'All current layers, without secrets',
  middleware: needs('viewer'),
  responses: { 200: jsonContent(configViewSchema, 'The layers'), ...problems },
})

const keys = createRoute({
  ...shared,
  method: 'get',
  path: '/config/keys',
  summary: 'All keys that the fleet can set',
  middleware: needs('viewer'),
  responses: { 200: jsonContent(configKeyListSchema, 'The keys'), ...problems },
})

const conf = createRoute({
  ...shared,
  method: 'post',
  path: '/config/import',
  summary: 'Translate an imapproxy.conf line by line; nothing is written',
  middleware: needs('operator'),
  request: { body: body(confRequestSchema) },
  responses: { 200: jsonContent(confReportSchema, 'The keys, and a report for each line'), ...problems },
})

const resolved = createRoute({
  ...shared,
  method: 'get',
  path: '/config/resolved',
  summary: "The layers that override one edge's file, merged, without secrets",
  middleware: needs('viewer'),
  request: { query: z.object({ edge: z.string().min(1).max(200) }) },
  responses: { 200: jsonContent(resolvedConfigSchema, 'The merged layers'), ...problems },
})

const write = createRoute({
  ...shared,
  method: 'post',
  path: '/config/revisions',
  summary: 'Change a layer',
  description: ifMatchText,
  middleware: needs('operator'),
  request: {
    headers: ifMatchHeader,
    body: body(revisionRequestSchema),
  },
  responses: {
    200: jsonContent(
      revisionStatusSchema,
      'The revision that would result: a dry run, or a request that changes nothing',
    ),
    201: jsonContent(revisionStatusSchema, 'The new revision'),
    ...problems,
  },
})

const list = createRoute({
  ...shared,
  method: 'get',
  path: '/config/revisions',
  summary: 'Revisions, newest first',
  middleware: needs('viewer'),
  request: { query: numberedPage },
  responses: { 200: jsonContent(revisionListSchema, 'Revisions'), ...problems },
})

const readOne = createRoute({
  ...shared,
  method: 'get',
  path: '/config/revisions/{revision}',
  summary: 'One revision and its progress',
  middleware: needs('viewer'),
  request: { params: z.object({ revision: revisionNumber }) },
  responses: { 200: jsonContent(revisionStatusSchema, 'The revision'), ...problems },
})

const restore = createRoute({
  ...shared,
  method: 'post',
  path: '/config/revisions/{revision}/restore',
  summary: 'Restore the layer to its state after this revision',
  middleware: needs('operator'),
  description: ifMatchText,
  request: {
    headers: ifMatchHeader,
    params: z.object({ revision: revisionNumber }),
    body: body(restoreRequestSchema),
  },
  responses: {
    200: jsonContent(
      revisionStatusSchema,
      'The revision that would result: a dry run, or a request that changes nothing',
    ),
    201: jsonContent(revisionStatusSchema, 'The new revision'),
    ...problems,
  },
})

export const configRoutes = (deps: Deps) =>
  newRoutes()
    .openapi(read, async (context) => {
      const config = await readConfig(deps)
      context.header('etag', `"${config.revision}"`)
      return context.json(config, 200)
    })
    .openapi(keys, (context) => context.json({ keys: listConfigKeys() }, 200))
    .openapi(conf, (context) => context.json(importConf(context.req.valid('json').text), 200))
    .openapi(resolved, async (context) =>
      context.json(await readEdgeLayer(deps, context.req.valid('query').edge), 200),
    )
    .openapi(write, async (context) => {
      const { set, unset, ...rest } = context.req.valid('json')
      const ifMatch = context.req.valid('header')['if-match']
      const input = { ...rest, ...baseOf(ifMatch), change: { set, unset } }
      const { created, status } = await writeRevision(deps, context.get('actor'), input).catch(
        asPrecondition(ifMatch),
      )
      return context.json(status, created ? 201 : 200)
    })
    .openapi(list, async (context) =>
      context.json(await listRevisions(deps, context.req.valid('query')), 200),
    )
    .openapi(readOne, async (context) =>
      context.json(await readRevision(deps, context.req.valid('param').revision), 200),
    )
    .openapi(restore, async (context) => {
      const { revision } = context.req.valid('param')
      const ifMatch = context.req.valid('header')['if-match']
      const input = { ...context.req.valid('json'), ...baseOf(ifMatch), revision }
      const { created, status } = await restoreRevision(deps, context.get('actor'), input).catch(
        asPrecondition(ifMatch),
      )
      return context.json(status, created ? 201 : 200)
    })

/** The ETag of the configuration is its revision. */
function baseOf(ifMatch: string | undefined): { base?: number } {
  if (ifMatch === undefined || ifMatch.trim() === '*') return {}
  const revision = /^(?:W\/)?"(\d{1,15})"$/.exec(ifMatch.trim())?.[1]
  if (revision === undefined)
    throw new ServiceError('request_invalid', 'If-Match must be the ETag of GET /v1/config, such as "17".')
  return { base: Number(revision) }
}

/** A conflict is answered with 412 if the request used a header. */
const asPrecondition = (ifMatch: string | undefined) => (error: unknown) => {
  const isLost = ifMatch !== undefined && error instanceof ServiceError && error.code === 'config_conflict'
  throw isLost ? new ServiceError('precondition_failed', error.message, { newest: error.newest }) : error
}
