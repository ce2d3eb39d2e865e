/** What all routes share: the actor, refusals, and common parts of the OpenAPI document. */
import { OpenAPIHono } from '@hono/zod-openapi'
import { problemDetailsSchema, type Role } from '@imapfleet/api'
import type { MiddlewareHandler } from 'hono'
import { z } from 'zod'
import { isAtLeast, type Actor } from '../access.ts'
import { ServiceError } from '../errors.ts'

export interface Env {
  Variables: { actor: Actor }
}

/** Routes whose requests are parsed by their schemas before the handler runs. */
export const newRoutes = () =>
  new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw refusalOf(result.error)
    },
  })

function refusalOf(error: z.core.$ZodError): ServiceError {
  const problems = error.issues.map((issue) => ({ key: issue.path.join('.'), message: issue.message }))
  const [first] = problems
  return new ServiceError(
    'request_invalid',
    `${first?.key ?? ''}: ${first?.message ?? ''}`.replace(/^: /, ''),
    { problems },
  )
}

/** Requires this role or a higher one. */
export const needs = (role: Role): MiddlewareHandler<Env> =>
  async function checkRole(context, next) {
    const actor = context.get('actor')
    if (!isAtLeast(actor.role, role))
      throw new ServiceError('forbidden', `${actor.name} lacks the role ${role}; its role is ${actor.role}.`)
    await next()
  }

export const bearer = [{ bearer: [] }]

export const jsonContent = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

export const body = <S extends z.ZodType>(schema: S) => ({
  required: true,
  content: { 'application/json': { schema } },
})

/** A page of a list, newest first. `before` is the `next` of the previous page. */
export const numberedPage = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  before: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
})

/** The same, if the cursor is the id of the last row. */
export const pageById = numberedPage.extend({ before: z.uuid().optional() })

/** Every route can answer with a problem. */
export const problems = {
  default: {
    description: 'The problem (RFC 9457), with a code from docs/failure-modes.md',
    content: { 'application/problem+json': { schema: problemDetailsSchema } },
  },
}
