/** Makes a token. It is returned this once; only its hash is kept. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Role, Scope } from '../access.ts'
import { writeAudit } from '../db/audit.ts'
import { insertToken } from '../db/tokens.ts'
import type { Deps } from '../deps.ts'

export interface TokenInput {
  name: string
  role: Role
  scopes: Scope[]
  expiresAt?: Date | undefined
}

/** Tells what it is where it is found: in a log, in a repository. */
const prefix = 'imapfleet_'

export async function createToken(
  { db }: Pick<Deps, 'db'>,
  createdBy: string,
  input: TokenInput,
): Promise<string> {
  const token = prefix + randomBytes(32).toString('base64url')
  const { name, role, scopes, expiresAt } = input
  await db.orm.transaction(async (tx) => {
    const row = { id: randomUUID(), name, hash: hashOf(token), role, scopes, createdBy }
    await insertToken(tx, { ...row, expiresAt: expiresAt ?? null })
    const after = { id: row.id, role, scopes, expiresAt: expiresAt?.toISOString() ?? null }
    await writeAudit(tx, { actor: createdBy, action: 'token.create', target: name, after })
  })
  return token
}

/** One round of SHA-256 is enough for 32 random bytes: there is no dictionary of them. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')
