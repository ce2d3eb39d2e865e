/** Runs a write with an Idempotency-Key only once. */
import type { MiddlewareHandler } from 'hono'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../errors.ts'
import { answerOnce } from './answer-once.ts'
import type { Env } from './handlers.ts'
import { bodyText } from './read-request.ts'

const writes = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
/** The answers of these routes contain secrets and are not stored. A second secret does less harm than a stored one. */
const unkept = /^\/v1\/(tokens|edges\/[^/]+\/enrolments)$/

export const onceOnly = (deps: Deps): MiddlewareHandler<Env> =>
  async function answerWritesOnce(context, next) {
    const { method, path } = context.req
    const key = context.req.header('idempotency-key')
    if (key === undefined || !writes.has(method) || unkept.test(path)) return await next()
    if (!/^[\x21-\x7e]{1,255}$/.test(key))
      throw new ServiceError(
        'request_invalid',
        'An Idempotency-Key is 1 to 255 printable characters without spaces.',
      )
    const body = await bodyText(context)
    const request = {
      token: context.get('actor').id,
      key,
      method,
      path: context.req.url.replace(/^[^/]*\/\/[^/]*/, ''),
      body,
    }
    const { status, body: answered } = await answerOnce(deps, request, async () => {
      await next()
      return { status: context.res.status, body: await context.res.clone().text() }
    })
    const type = status < 400 ? 'application/json' : 'application/problem+json'
    context.res = new Response(answered, { status, headers: { 'content-type': type } })
  }
