/** Asks for the bearer token and puts the one who holds it into the request. */
import type { MiddlewareHandler } from 'hono'
import type { Deps } from '../deps.ts'
import { ServiceError } from '../errors.ts'
import { authenticate } from '../verbs/authenticate.ts'
import type { Env } from './routes.ts'
import type { SourceOf } from './source.ts'

const tokenLengthMax = 512

export const withActor = (deps: Deps, sourceOf: SourceOf): MiddlewareHandler<Env> =>
  async function authenticateRequest(context, next) {
    const header = context.req.header('authorization')
    if (header === undefined)
      throw new ServiceError(
        'token_missing',
        'Send a token: Authorization: Bearer TOKEN. imapfleet-control token create makes one.',
      )
    const token = /^bearer +(\S+) *$/i.exec(header)?.[1]
    if (token === undefined || token.length > tokenLengthMax)
      throw new ServiceError('token_invalid', 'The Authorization header must be: Bearer TOKEN.')
    context.set('actor', await authenticate(deps, token, sourceOf(context)))
    await next()
  }
