/** Parses a request by the schemas of its route. Handlers get only what was parsed here. */
import type { Route } from '@imapfleet/api'
import type { Context } from 'hono'
import type { z } from 'zod'
import { ServiceError } from '../errors.ts'
import type { Env } from './handlers.ts'

export async function readRequest(context: Context<Env>, route: Route): Promise<Record<string, unknown>> {
  const { params, query, headers, body } = route
  return {
    ...(params && { params: parse(params, context.req.param()) }),
    ...(query && { query: parse(query, context.req.query()) }),
    ...(headers && { headers: parse(headers, context.req.header()) }),
    ...(body && { body: parse(body, await readBody(context)) }),
  }
}

async function readBody({ req }: Context<Env>): Promise<unknown> {
  if (!/^application\/json\b/i.test(req.header('content-type') ?? ''))
    throw new ServiceError('request_invalid', 'Send the body as JSON, with content-type: application/json.')
  try {
    return JSON.parse(await req.text())
  } catch {
    throw new ServiceError('request_invalid', 'The body is not valid JSON.')
  }
}

function parse(schema: z.ZodType, given: unknown): unknown {
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => ({ key: issue.path.join('.'), message: issue.message }))
  const [first] = problems
  throw new ServiceError(
    'request_invalid',
    `${first?.key ?? ''}: ${first?.message ?? ''}`.replace(/^: /, ''),
    { problems },
  )
}
