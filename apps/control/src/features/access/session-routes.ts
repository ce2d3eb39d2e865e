/** Routes of the console's session. The OpenAPI document is for programs and leaves them out. */
import { createRoute } from '@hono/zod-openapi'
import { consoleSessionSchema, signInRequestSchema } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import type { Deps } from '../../deps.ts'
import { signIn, signOut } from './service.ts'
import { clearSession, readSession, refuseOtherSites, writeSession } from './cookie.ts'
import { body, jsonContent, needs, newRoutes, problems } from '../../platform/http/routes.ts'
import type { SourceOf } from '../../platform/http/source.ts'

const shared = { path: '/session', hide: true }

const begin = createRoute({
  ...shared,
  method: 'post',
  request: { body: body(signInRequestSchema) },
  responses: { 201: jsonContent(consoleSessionSchema, 'The owner of the token'), ...problems },
})

const end = createRoute({
  ...shared,
  method: 'delete',
  responses: { 204: { description: 'The session has ended' }, ...problems },
})

const read = createRoute({
  ...shared,
  method: 'get',
  middleware: needs('viewer'),
  responses: { 200: jsonContent(consoleSessionSchema, 'The owner of the session'), ...problems },
})

/** Signing in and out need no token. */
export const signInRoutes = (deps: Deps, sourceOf: SourceOf) =>
  newRoutes()
    .openapi(begin, async (context) => {
      refuseOtherSites(context)
      const { secret, actor } = await signIn(deps, context.req.valid('json').token, sourceOf(context))
      writeSession(context, secret)
      return context.json(view(actor), 201)
    })
    .openapi(end, async (context) => {
      refuseOtherSites(context)
      const secret = readSession(context)
      if (secret !== undefined) await signOut(deps, secret)
      clearSession(context)
      return context.body(null, 204)
    })

export const sessionRoutes = () =>
  newRoutes().openapi(read, (context) => context.json(view(context.get('actor')), 200))

const view = ({ name, role, scopes }: Actor) => ({ name, role, scopes: [...scopes] })
