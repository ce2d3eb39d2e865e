/** Starts and ends a session of the console. It exchanges a token for a secret that the browser keeps in a cookie. */
import { randomBytes } from 'node:crypto'
import type { Actor } from '../../platform/access.ts'
import { writeAudit } from '../audit/audit.ts'
import { deleteSession, findSession, insertSession } from './sessions.ts'
import { touchToken } from './tokens.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { authenticateToken, refusalOf } from './authenticate.ts'
import { hashOf } from './create-token.ts'

/** A working day. Activity does not extend a session. */
export const sessionSeconds = 12 * 3_600

export async function signIn(
  deps: Deps,
  token: string,
  source: string,
): Promise<{ secret: string; actor: Actor }> {
  const actor = await authenticateToken(deps, token, source)
  const secret = randomBytes(32).toString('base64url')
  const now = deps.now()
  await deps.db.orm.transaction(async (tx) => {
    await insertSession(tx, {
      hash: hashOf(secret),
      token: actor.id,
      createdAt: new Date(now),
      expiresAt: new Date(now + sessionSeconds * 1000),
    })
    await writeAudit(tx, {
      actor: actor.name,
      action: 'session.begin',
      target: actor.name,
      after: { source },
    })
  })
  return { secret, actor }
}

/** The actor of a session. A session ends after its time, by signing out, and with its token. */
export async function resumeSession({ db, now }: Deps, secret: string): Promise<Actor> {
  const session = await findSession(db.orm, hashOf(secret))
  if (!session || session.expiresAt.getTime() <= now())
    throw new ServiceError('session_over', 'Your session has ended: sign in again.')
  const { token } = session
  const refusal = refusalOf(token, now())
  if (refusal !== undefined) throw new ServiceError('session_over', `Your session has ended. ${refusal}`)
  await touchToken(db.orm, token, new Date(now()))
  return { id: token.id, name: token.name, role: token.role, scopes: token.scopes }
}

/** Does nothing if the session has ended. */
export async function signOut({ db }: Deps, secret: string): Promise<void> {
  const hash = hashOf(secret)
  const session = await findSession(db.orm, hash)
  if (!session) return
  const { name } = session.token
  await db.orm.transaction(async (tx) => {
    await deleteSession(tx, hash)
    await writeAudit(tx, { actor: name, action: 'session.end', target: name })
  })
}
