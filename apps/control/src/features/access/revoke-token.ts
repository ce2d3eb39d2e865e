/** Revokes a token, effective with the next request. A token that is revoked stays unchanged. */
import type { TokenView } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import { writeAudit } from '../audit/audit.ts'
import { findToken, markTokenRevoked } from './tokens.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { tokenView } from './token-view.ts'

export async function revokeToken({ db, now }: Deps, actor: Actor, id: string): Promise<TokenView> {
  return await db.orm.transaction(async (tx) => {
    const revoked = await markTokenRevoked(tx, id, new Date(now()))
    if (revoked)
      await writeAudit(tx, {
        actor: actor.name,
        action: 'token.revoke',
        target: revoked.name,
        before: { id },
      })
    const row = revoked ?? (await findToken(tx, id))
    if (!row)
      throw new ServiceError('token_unknown', `No token has the id ${id}: GET /v1/tokens lists all tokens.`)
    return tokenView(row)
  })
}
