/** Makes a token. It is returned once; only its hash is stored. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Role, Scope, TokenMade } from '@imapfleet/api'
import { writeAudit } from '../audit/audit.ts'
import { insertToken } from './tokens.ts'
import type { Deps } from '../../deps.ts'
import { tokenView } from './token-view.ts'

export interface TokenInput {
  name: string
  role: Role
  scopes: Scope[]
  expiresInSeconds?: number | undefined
}

/** A prefix by which a token is recognised in logs or repositories. */
const prefix = 'imapfleet_'

export async function createToken(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  createdBy: string,
  { name, role, scopes, expiresInSeconds }: TokenInput,
): Promise<TokenMade> {
  const token = prefix + randomBytes(32).toString('base64url')
  const expiresAt = expiresInSeconds === undefined ? null : new Date(now() + expiresInSeconds * 1000)
  const row = await db.orm.transaction(async (tx) => {
    const made = await insertToken(tx, {
      id: randomUUID(),
      name,
      hash: hashOf(token),
      role,
      scopes,
      createdBy,
      expiresAt,
    })
    const after = { id: made.id, role, scopes, expiresAt: expiresAt?.toISOString() ?? null }
    await writeAudit(tx, { actor: createdBy, action: 'token.create', target: name, after })
    return made
  })
  return { ...tokenView(row), token }
}

/** One round of SHA-256 is enough for 32 random bytes, because no dictionary contains them. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')
