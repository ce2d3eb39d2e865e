/** Authenticates a request by the bearer token or the cookie of the console, and adds the actor to its context. */
import type { MiddlewareHandler } from 'hono'
import type { Actor } from '../../platform/access.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { authenticateToken, resumeSession } from './service.ts'
import { readSession, refuseOtherSites } from './cookie.ts'
import { TokenUse } from './token-use.ts'
import type { Env } from '../../platform/http/handlers.ts'
import type { SourceOf } from '../../platform/http/source.ts'

const tokenLengthMax = 512

export function withActor(deps: Deps, sourceOf: SourceOf): MiddlewareHandler<Env> {
  const use = new TokenUse(deps)
  return async function authenticateRequest(context, next) {
    // Before anything is waited for: the client may leave.
    const source = sourceOf(context)
    const header = context.req.header('authorization')
    const session = readSession(context)
    if (header !== undefined) context.set('actor', await bearerOf(header))
    else if (session !== undefined) {
      if (!['GET', 'HEAD'].includes(context.req.method)) refuseOtherSites(context)
      context.set('actor', await resumeSession(deps, session))
    } else
      throw new ServiceError(
        'token_missing',
        'Send a token: Authorization: Bearer TOKEN. Make one with imapfleet-control token create.',
      )
    use.note(context.get('actor').id, source)
    await next()

    async function bearerOf(credentials: string): Promise<Actor> {
      const token = /^bearer +(\S+) *$/i.exec(credentials)?.[1]
      if (token === undefined || token.length > tokenLengthMax)
        throw new ServiceError('token_invalid', 'The Authorization header must be: Bearer TOKEN.')
      return await authenticateToken(deps, token, source)
    }
  }
}
