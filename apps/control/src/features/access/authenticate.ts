/** Authenticates a bearer token. Guessing is limited for each source address, over all replicas. */
import type { Actor } from '../../platform/access.ts'
import { countFailures, noteFailure } from './login-failures.ts'
import { findTokenByHash, touchToken, type TokenRow } from './tokens.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { hashOf } from './create-token.ts'

/** Within a minute, from one address. */
const failuresMax = 30

export async function authenticateToken(deps: Deps, token: string, source: string): Promise<Actor> {
  const { orm } = deps.db
  const [row, failures] = await Promise.all([findTokenByHash(orm, hashOf(token)), countFailures(orm, source)])
  if (failures >= failuresMax)
    throw new ServiceError(
      'too_many_attempts',
      'Too many wrong tokens came from this address: wait a minute.',
    )
  const refusal = refusalOf(row, deps.now())
  if (row && !refusal) {
    await touchToken(orm, row, new Date(deps.now()))
    return { id: row.id, name: row.name, role: row.role, scopes: row.scopes }
  }
  if ((await noteFailure(orm, source)) === failuresMax)
    deps.log.warn('too many wrong tokens from one address', { source })
  throw new ServiceError('token_invalid', refusal ?? '')
}

/** The reason why a token is not accepted. */
export function refusalOf(row: TokenRow | undefined, now: number): string | undefined {
  if (!row) return 'This token is unknown: check it, or make a new one.'
  if (row.revokedAt) return 'This token was revoked: ask for a new one.'
  if (row.expiresAt && row.expiresAt.getTime() <= now)
    return `This token expired at ${row.expiresAt.toISOString()}: ask for a new one.`
  return undefined
}
