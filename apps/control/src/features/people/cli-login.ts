/**
 * How the command line gets a token of a person who has signed in to the console: by a code through the loopback of the
 * same machine (RFC 8252), or by a code that the person types (RFC 8628). The token has the rights of the session that
 * approved it, and ends with the session.
 */
import { createHash, randomInt, randomUUID } from 'node:crypto'
import { isLimited, type LoginOutcome, type LoginProof } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { ServiceError } from '../../platform/errors.ts'
import { expireToken, insertToken } from '../access/queries.ts'
import {
  hashOf,
  newSecret,
  noteGuess,
  refuseGuesser,
  rightsOfTokens,
  tokenPrefix,
} from '../access/service.ts'
import { writeAudit } from '../audit/service.ts'
import {
  agreeToLogin,
  countLogins,
  deleteOldLogins,
  findLogin,
  insertLogin,
  takeLogin,
  type CliLoginRow,
} from './queries.ts'
import { providerOf } from './service.ts'

const codeSeconds = 60
const deviceSeconds = 600
const intervalSeconds = 5
/** Device logins that wait for a person, from one address, and altogether. */
const fromSourceMax = 20
const altogetherMax = 5_000
/** Without vowels, so that no words appear (RFC 8628, section 6.1). */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'
const userCodeLength = 8

const devicePath = '/cli-login'

/** Agrees to the login of the command line on the machine of the browser. The code reaches it through the loopback. */
export async function allowLogin(
  deps: Deps,
  actor: Actor,
  challenge: string,
  source: string,
): Promise<{ code: string }> {
  const token = sessionOfPerson(actor)
  const code = newSecret()
  const expiresAt = after(deps, codeSeconds)
  await deps.db.orm.transaction(async (tx) => {
    await insertLogin(tx, { hash: hashOf(code), challenge, source, token, expiresAt })
    await noteAgreement(tx, actor, source)
  })
  return { code }
}

/** Begins a login that waits for a person who types the user code. */
export async function beginDeviceLogin(deps: Deps, source: string) {
  const { publicUrl } = providerOf(deps).options
  const now = new Date(deps.now())
  const [own, all] = await Promise.all([countLogins(deps.db.orm, now, source), countLogins(deps.db.orm, now)])
  if (own >= fromSourceMax || all >= altogetherMax)
    throw new ServiceError(
      'too_many_attempts',
      'Too many logins are waiting for a person to sign in: try again in some minutes.',
    )
  const deviceCode = newSecret()
  const expiresAt = after(deps, deviceSeconds)
  let userCode
  do userCode = Array.from({ length: userCodeLength }, () => letters[randomInt(letters.length)]).join('')
  while (!(await insertLogin(deps.db.orm, { hash: hashOf(deviceCode), userCode, source, expiresAt })))
  return {
    deviceCode,
    userCode: `${userCode.slice(0, 4)}-${userCode.slice(4)}`,
    url: publicUrl + devicePath,
    expiresInSeconds: deviceSeconds,
    intervalSeconds,
  }
}

/** Agrees to the login that waits with this code. */
export async function allowDeviceLogin(
  deps: Deps,
  actor: Actor,
  userCode: string,
  source: string,
): Promise<void> {
  const token = sessionOfPerson(actor)
  await refuseGuesser(deps, source)
  const isKnown = await deps.db.orm.transaction(async (tx) => {
    const agreed = await agreeToLogin(tx, userCode, token, new Date(deps.now()))
    if (agreed) await noteAgreement(tx, actor, source)
    return agreed
  })
  if (isKnown) return
  await noteGuess(deps, source)
  throw new ServiceError(
    'login_unknown',
    'No login waits for this code: check it, or run imapfleet login --device again.',
  )
}

/** Exchanges a code for a token, once. */
export async function redeemLogin(deps: Deps, proof: LoginProof, source: string): Promise<LoginOutcome> {
  await refuseGuesser(deps, source)
  const { orm } = deps.db
  const now = new Date(deps.now())
  const { code, deviceCode } = proof
  const hash = hashOf(code ?? deviceCode ?? '')
  if (deviceCode !== undefined && (await findLogin(orm, hash, now))?.token === null)
    return { state: 'pending' }
  // A code that comes with a wrong verifier has been stolen, and is used up too.
  const login = await takeLogin(orm, hash, now)
  if (login && isProven(login, proof)) return await grantToken(deps, login, source)
  await noteGuess(deps, source)
  throw unknown()
}

/** Ends the token of the command line that the request came with. */
export async function endOwnToken({ db, now }: Deps, { id, name, person }: Actor): Promise<void> {
  if (person === undefined)
    throw new ServiceError(
      'person_required',
      `${name} is a token of a program, which stays valid until an administrator revokes it.`,
    )
  await db.orm.transaction(async (tx) => {
    await expireToken(tx, id, new Date(now()))
    await writeAudit(tx, { actor: name, action: 'session.end', target: name })
  })
}

export async function forgetOldLogins({ db, now }: Pick<Deps, 'db' | 'now'>): Promise<void> {
  await deleteOldLogins(db.orm, new Date(now()))
}

const isProven = ({ challenge }: CliLoginRow, { verifier }: LoginProof): boolean =>
  verifier === undefined
    ? challenge === null
    : challenge === createHash('sha256').update(verifier).digest('base64url')

async function grantToken(deps: Deps, { token: id }: CliLoginRow, source: string): Promise<LoginOutcome> {
  const actor = id === null ? undefined : (await rightsOfTokens(deps, [id])).get(id)
  if (actor === undefined || actor instanceof ServiceError) throw unknown()
  const { name, role, scopes, limits, person, expiresAt } = actor
  if (person === undefined || expiresAt === undefined) throw unknown()
  const token = tokenPrefix + newSecret()
  await deps.db.orm.transaction(async (tx) => {
    await insertToken(tx, {
      ...{ id: randomUUID(), name, hash: hashOf(token), role, scopes: [...scopes] },
      limits: isLimited(limits) ? limits : null,
      ...{ createdBy: name, createdAt: new Date(deps.now()), expiresAt, person },
    })
    await writeAudit(tx, {
      actor: name,
      action: 'session.begin',
      target: name,
      after: { source, person, by: 'imapfleet login' },
    })
  })
  return { state: 'done', token, name, role, limits, expiresAt: expiresAt.toISOString() }
}

const noteAgreement = async (queries: Queries, { name }: Actor, source: string) =>
  await writeAudit(queries, { actor: name, action: 'session.allow', target: name, after: { source } })

/** A token of a program cannot make further tokens, which would outlive it. */
function sessionOfPerson({ id, name, person, session }: Actor): string {
  if (person !== undefined && session !== undefined) return id
  throw new ServiceError(
    'person_required',
    `You are signed in with the token ${name}: sign out, and sign in through the provider.`,
  )
}

const after = ({ now }: Deps, seconds: number) => new Date(now() + seconds * 1000)

const unknown = () =>
  new ServiceError('login_unknown', 'This login has ended or was never started: run imapfleet login again.')
