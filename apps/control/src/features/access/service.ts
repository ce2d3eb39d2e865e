/** Tokens, sessions of the console, and the actor of a request. Tokens of people are made in the feature people. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import {
  isLimited,
  type AccessLimits,
  type Role,
  type Scope,
  type TokenOwner,
  type TokenMade,
  type TokenView,
} from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Actor } from '../../platform/access.ts'
import { isPassing } from '../../platform/db/trouble.ts'
import { pageOf, type PageQuery } from '../../platform/db/page-of.ts'
import { ServiceError } from '../../platform/errors.ts'
import { writeAudit } from '../audit/service.ts'
import { guesserOf } from './guess-limit.ts'
import {
  countFailures,
  deleteOldFailures,
  deleteOldSessions,
  deleteOldTokensOfPeople,
  deleteSession,
  expireToken,
  findSession,
  findToken,
  findTokenByHash,
  insertSession,
  insertToken,
  markTokenRevoked,
  noteFailure,
  selectRights,
  selectExpiring,
  selectTokens,
  type SessionRow,
  type TokenRow,
} from './queries.ts'

export interface TokenInput {
  name: string
  role: Role
  scopes: Scope[]
  /** If left out, the token is not limited. */
  limits?: AccessLimits
  expiresInSeconds?: number | undefined
}

/** A prefix that identifies a token in logs or repositories. */
export const tokenPrefix = 'imapfleet_'
/** A working day. Activity does not extend a session. */
export const sessionSeconds = 12 * 3_600
/** Within a minute, from one address. */
const failuresMax = 30

/** Makes a token. It is returned once; only its hash is stored. */
export async function createToken(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  createdBy: string,
  { name, role, scopes, limits = {}, expiresInSeconds }: TokenInput,
): Promise<TokenMade> {
  if (role === 'admin' && isLimited(limits))
    throw new ServiceError(
      'request_invalid',
      'An admin has access to the whole fleet: a token with limits must be a viewer or an operator.',
    )
  const token = tokenPrefix + newSecret()
  const expiresAt = expiresInSeconds === undefined ? null : new Date(now() + expiresInSeconds * 1000)
  const row = await db.orm.transaction(async (tx) => {
    const made = await insertToken(tx, {
      id: randomUUID(),
      name,
      hash: hashOf(token),
      role,
      scopes,
      limits: isLimited(limits) ? limits : null,
      createdBy,
      expiresAt,
    })
    const after = {
      ...{ id: made.id, role, scopes, expiresAt: expiresAt?.toISOString() ?? null },
      ...(isLimited(limits) && { limits }),
    }
    await writeAudit(tx, { actor: createdBy, action: 'token.create', target: name, after })
    return made
  })
  return { ...tokenView(row), token }
}

const weekMs = 604_800_000

/** Tokens of programs with an expiry: valid ones, and tokens that expired within the last week. */
export async function expiringTokens({
  db,
  now,
}: Pick<Deps, 'db' | 'now'>): Promise<{ name: string; expiresAt: Date }[]> {
  return await selectExpiring(db.orm, new Date(now() - weekMs))
}

/** Tokens, including revoked and expired ones, newest first. */
export async function listTokens(
  { db }: Deps,
  { kind = 'machine', ...page }: PageQuery<string> & { kind?: TokenOwner },
): Promise<{ tokens: TokenView[]; next: string | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectTokens(db.orm, asked, kind),
    ({ id }) => id,
    (id) => findToken(db.orm, id),
  )
  return { tokens: shown.map(tokenView), next }
}

/** Revokes a token, effective with the next request. A token that is revoked stays unchanged. */
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

/** The actor of a bearer token. Guessing is limited for each source address, over all replicas. */
export async function authenticateToken(deps: Deps, token: string, source: string): Promise<Actor> {
  const [row] = await Promise.all([findTokenByHash(deps.db.orm, hashOf(token)), refuseGuesser(deps, source)])
  const actor = actorOfToken(row, deps.now())
  if (!(actor instanceof ServiceError)) return actor
  await noteGuess(deps, source)
  throw actor
}

/** Throws `too_many_attempts` if too many secrets from this address were wrong. */
export async function refuseGuesser(deps: GuessDeps, source: string): Promise<void> {
  const guesser = guesserOf(source)
  const failures = await countFailures(deps.db.orm, guesser)
  if (Math.max(failures, deps.guesses.failures(guesser, deps.now())) >= failuresMax)
    throw new ServiceError(
      'too_many_attempts',
      'Too many wrong tokens came from this address: wait a minute.',
    )
}

/** Counts a wrong secret. */
export async function noteGuess(deps: GuessDeps, source: string): Promise<void> {
  const guesser = guesserOf(source)
  const present = await noteFailure(deps.db.orm, guesser).catch((error: unknown) => {
    // The answer is the same if Postgres accepts no writes.
    if (isPassing(error)) return deps.guesses.note(guesser, deps.now())
    throw error
  })
  if (present === failuresMax) deps.log.warn('too many wrong tokens from one address', { source })
}

type GuessDeps = Pick<Deps, 'db' | 'guesses' | 'now' | 'log'>

/** Starts a session: exchanges a token for a secret that the browser keeps in a cookie. */
export async function signIn(
  deps: Deps,
  token: string,
  source: string,
): Promise<{ secret: string; actor: Actor }> {
  const actor = await authenticateToken(deps, token, source)
  const secret = newSecret()
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
  const found = await findSession(db.orm, hashOf(secret))
  const actor = actorOfSession(found?.token, found?.session, now())
  if (actor instanceof ServiceError) throw actor
  return actor
}

/** For each actor of an earlier request: the actor with its rights of now, or why it has none. One query for all. */
export async function currentRights(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  actors: readonly Actor[],
): Promise<(Actor | ServiceError)[]> {
  const hashes = actors.flatMap(({ session }) => session ?? [])
  const rows = await selectRights(
    db.orm,
    actors.map(({ id }) => id),
    hashes,
  )
  return actors.map(({ id, session }) => {
    const its = rows.filter(({ token }) => token.id === id)
    if (session === undefined) return actorOfToken(its[0]?.token, now())
    return actorOfSession(its[0]?.token, its.find((row) => row.session?.hash === session)?.session, now())
  })
}

/** The rights of tokens by id, as of now. Tokens that do not exist are missing. */
export async function rightsOfTokens(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  ids: string[],
): Promise<Map<string, Actor | ServiceError>> {
  const rows = await selectRights(db.orm, ids, [])
  return new Map(rows.map(({ token }) => [token.id, actorOfToken(token, now())]))
}

/**
 * The revoked tokens among the given ones, each with a sentence that says so. Work that a token began before its expiry may
 * continue. Work that a revoked token began may not.
 */
export async function withdrawnTokens(
  { db }: Pick<Deps, 'db'>,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const known = new Map((await selectRights(db.orm, [...ids], [])).map(({ token }) => [token.id, token]))
  return new Map(
    ids.flatMap((id): [string, string][] => {
      const token = known.get(id)
      if (!token) return [[id, 'its token is gone']]
      return token.revokedAt
        ? [[id, `the token ${token.name} was revoked at ${token.revokedAt.toISOString()}`]]
        : []
    }),
  )
}

/** Does nothing if the session has ended. The token of a person ends with it: signing in again makes another one. */
export async function signOut({ db, now }: Deps, secret: string): Promise<void> {
  const hash = hashOf(secret)
  const session = await findSession(db.orm, hash)
  if (!session) return
  const { id, name, person } = session.token
  await db.orm.transaction(async (tx) => {
    await deleteSession(tx, hash)
    if (person !== null) await expireToken(tx, id, new Date(now()))
    await writeAudit(tx, { actor: name, action: 'session.end', target: name })
  })
}

/** How long the list of tokens shows when a person signed in. */
const peopleKeptMs = 30 * 86_400_000

/** Deletes sessions that have ended, old tokens of people, and refusals that no longer count. */
export async function forgetOldAccess({ db, now }: Pick<Deps, 'db' | 'now'>): Promise<void> {
  await deleteOldFailures(db.orm)
  await deleteOldTokensOfPeople(db.orm, new Date(now() - peopleKeptMs))
  await deleteOldSessions(db.orm, new Date(now()))
}

export const newSecret = () => randomBytes(32).toString('base64url')

/** One round of SHA-256 is enough for 32 random bytes, because no dictionary contains them. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

function actorOfToken(row: TokenRow | undefined, now: number): Actor | ServiceError {
  if (!row) return new ServiceError('token_invalid', 'This token is unknown: check it, or make a new one.')
  if (row.person !== null) return actorOfPerson(row, now)
  if (row.revokedAt) return new ServiceError('token_invalid', 'This token was revoked: ask for a new one.')
  if (row.expiresAt && row.expiresAt.getTime() <= now)
    return new ServiceError(
      'token_invalid',
      `This token expired at ${row.expiresAt.toISOString()}: ask for a new one.`,
    )
  return actorOf(row)
}

function actorOfPerson(row: TokenRow, now: number): Actor | ServiceError {
  if (row.revokedAt)
    return new ServiceError(
      'session_over',
      'An administrator ended the session, or your rights have changed: sign in again.',
    )
  if (!row.expiresAt || row.expiresAt.getTime() <= now)
    return new ServiceError('session_over', 'Your session has ended: sign in again.')
  return actorOf(row)
}

function actorOf({ id, name, role, scopes, limits, expiresAt, person }: TokenRow): Actor {
  return {
    ...{ id, name, role, scopes, limits: limits ?? {} },
    ...(expiresAt && { expiresAt }),
    ...(person !== null && { person }),
  }
}

function actorOfSession(
  token: TokenRow | undefined,
  session: SessionRow | null | undefined,
  now: number,
): Actor | ServiceError {
  if (!session || session.expiresAt.getTime() <= now)
    return new ServiceError('session_over', 'Your session has ended: sign in again.')
  const actor = actorOfToken(token, now)
  if (actor instanceof ServiceError)
    return actor.code === 'session_over'
      ? actor
      : new ServiceError('session_over', `Your session has ended. ${actor.message}`)
  return { ...actor, session: session.hash }
}

/** Everything except the token. */
const tokenView = (row: TokenRow): TokenView => ({
  id: row.id,
  name: row.name,
  role: row.role,
  scopes: row.scopes,
  limits: row.limits ?? {},
  isPerson: row.person !== null,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt?.toISOString() ?? null,
  revokedAt: row.revokedAt?.toISOString() ?? null,
  lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  usedFrom: Object.entries(row.usedFrom ?? {})
    .map(([address, at]) => ({ address, at }))
    .toSorted((one, other) => (one.at < other.at ? 1 : -1)),
})
