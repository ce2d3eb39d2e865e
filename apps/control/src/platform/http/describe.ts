/** The OpenAPI document, from the rows of packages/api. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { problemDetailsSchema, type LimitedBy, type Route } from '@imapfleet/api'
import { z } from 'zod'
import type { Env } from './handlers.ts'

type Content = Record<string, { schema: z.ZodType }>

/** Every route can answer with a problem. */
const problem = {
  description: 'The problem (RFC 9457), with a code from docs/failure-modes.md',
  content: { 'application/problem+json': { schema: problemDetailsSchema } },
}

export function describeRoutes(
  { openAPIRegistry: registry }: OpenAPIHono<Env>,
  routes: Readonly<Record<string, Route>>,
): void {
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  for (const route of Object.values(routes)) if (!route.hidden) registry.registerPath(pathOf(route))
}

function pathOf(route: Route) {
  const { method, path, tag, summary, role, limits, params, query, headers, body } = route
  const description = [route.description ?? '', limitsSentences[limits]]
    .filter((text) => text !== '')
    .join(' ')
  return createRoute({
    method: lowerCased[method],
    path,
    tags: [tag],
    summary,
    ...(description === '' ? {} : { description }),
    // The role is the lowest one that may use the route.
    security: [{ bearer: [role] }],
    request: {
      ...(params && { params }),
      ...(query && { query }),
      ...(headers && { headers }),
      ...(body && { body: { required: true, content: { 'application/json': { schema: body } } } }),
    },
    responses: { ...responsesOf(route), default: problem },
  })
}

/** What tokens with limits get of a route. */
const limitsSentences: Readonly<Record<LimitedBy, string>> = {
  none: '',
  region:
    'A token that is limited to regions gets what is within them; one that is limited to domains is refused.',
  domain:
    'A token that is limited to domains gets what is within them; one that is limited to regions is refused.',
  both: 'A token with limits gets what is within them.',
  'unlimited-only': 'A token with limits is refused.',
}

const lowerCased = { GET: 'get', POST: 'post', DELETE: 'delete' } as const

function responsesOf(route: Route) {
  const { returns } = route
  if ('events' in route) return { 200: { description: returns, content: texts('text/event-stream') } }
  if ('answer' in route) {
    const content: Content = {
      'application/json': { schema: route.answer },
      ...(route.text === undefined ? {} : texts(route.text)),
    }
    const { otherwise } = route
    return {
      ...(otherwise && { [otherwise.status]: { description: otherwise.returns, content } }),
      [route.status ?? 200]: { description: returns, content },
    }
  }
  if ('text' in route) return { 200: { description: returns, content: texts(route.text) } }
  return { 204: { description: returns } }
}

const texts = (type: string): Content => ({ [type]: { schema: z.string() } })
