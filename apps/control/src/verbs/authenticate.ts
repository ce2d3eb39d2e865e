/** A bearer token to the one who holds it. */
import type { Actor } from '../access.ts'
import { findTokenByHash, touchToken } from '../db/tokens.ts'
import type { Deps } from '../deps.ts'
import { ServiceError } from '../errors.ts'
import { hashOf } from './create-token.ts'

export async function authenticate(deps: Deps, token: string): Promise<Actor> {
  const row = await findTokenByHash(deps.db.orm, hashOf(token))
  if (!row)
    throw new ServiceError('token_invalid', 'Nobody has this token here: check it, or make a new one.')
  if (row.revokedAt) throw new ServiceError('token_invalid', 'This token was revoked: ask for a new one.')
  if (row.expiresAt && row.expiresAt.getTime() <= deps.now())
    throw new ServiceError(
      'token_invalid',
      `This token expired at ${row.expiresAt.toISOString()}: ask for a new one.`,
    )
  await touchToken(deps.db.orm, row.id)
  return { id: row.id, name: row.name, role: row.role, scopes: row.scopes }
}
