/** People: sign-ins through the provider, with the rights of their groups, and the end of their sessions. */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { isLimited } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { ServiceError } from '../../platform/errors.ts'
import {
  insertSession,
  insertToken,
  revokeTokens,
  selectTokensOfPerson,
  type TokenRow,
} from '../access/queries.ts'
import { hashOf, newSecret, noteGuess, refuseGuesser, sessionSeconds } from '../access/service.ts'
import { writeAudit } from '../audit/service.ts'
import { grantOf, type Grant } from './grants.ts'
import { readIdentity, type Identity } from './identity.ts'
import type { Proofs, Provider } from './provider.ts'

/** Throws `provider_missing`. */
export function providerOf({ provider }: Pick<Deps, 'provider'>): Provider {
  if (provider) return provider
  throw new ServiceError(
    'provider_missing',
    'Control has no provider for people (OIDC_ISSUER): sign in with a token.',
  )
}

/**
 * Exchanges the code of the provider for a session of the console. `query`: the query of the callback. The secret goes into the cookie of
 * the console.
 */
export async function signInPerson(
  deps: Deps,
  query: string,
  proofs: Proofs,
  source: string,
): Promise<{ secret: string }> {
  const provider = providerOf(deps)
  const { options } = provider
  await refuseGuesser(deps, source)
  let identity
  try {
    identity = readIdentity(await provider.claimsOf(query, proofs), options)
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'sign_in_failed') await noteGuess(deps, source)
    throw error
  }
  const grant = grantOf(options.grants, identity.groups)
  if (!grant) {
    await refusePerson(deps, identity, source)
    throw new ServiceError(
      'person_without_rights',
      `${options.label} signed you in as ${identity.name}, but none of your groups may use imapfleet. Ask an administrator of imapfleet to add you to a group.`,
    )
  }
  return await startSession(deps, identity, grant, source)
}

async function startSession(
  deps: Deps,
  { key, name }: Identity,
  { group, role, scopes, limits }: Grant,
  source: string,
): Promise<{ secret: string }> {
  const secret = newSecret()
  const at = new Date(deps.now())
  const expiresAt = new Date(deps.now() + sessionSeconds * 1000)
  const rights = { role, scopes, limits: isLimited(limits) ? limits : null }
  await deps.db.orm.transaction(async (tx) => {
    const others = await selectTokensOfPerson(tx, { key }, at)
    await end(
      tx,
      others.filter((other) => !hasRights(other, rights)),
      at,
    )
    // The session takes its rights from this token. The secret of the token is not returned.
    const token = await insertToken(tx, {
      ...{ id: randomUUID(), name, hash: hashOf(newSecret()), ...rights },
      ...{ createdBy: name, createdAt: at, expiresAt, person: key },
    })
    await insertSession(tx, { hash: hashOf(secret), token: token.id, createdAt: at, expiresAt })
    await writeAudit(tx, {
      actor: name,
      action: 'session.begin',
      target: name,
      after: { source, person: key, group, role, scopes, ...(rights.limits && { limits }) },
    })
  })
  return { secret }
}

/** Ends what is left of earlier sign-ins, because the person is in no group any more. */
async function refusePerson(deps: Deps, { key, name }: Identity, source: string): Promise<void> {
  const at = new Date(deps.now())
  await deps.db.orm.transaction(async (tx) => {
    const ended = await selectTokensOfPerson(tx, { key }, at)
    await end(tx, ended, at)
    await writeAudit(tx, {
      actor: name,
      action: 'session.refuse',
      target: name,
      after: { source, person: key, ended: ended.length },
    })
  })
}

/** Revokes all tokens of people with this name, effective with the next request. */
export async function endPerson(deps: Deps, actor: Actor, name: string): Promise<{ ended: number }> {
  const at = new Date(deps.now())
  return await deps.db.orm.transaction(async (tx) => {
    const theirs = await selectTokensOfPerson(tx, { name }, at)
    await end(tx, theirs, at)
    if (theirs.length > 0)
      await writeAudit(tx, {
        actor: actor.name,
        action: 'person.end',
        target: name,
        after: { ended: theirs.length },
      })
    return { ended: theirs.length }
  })
}

async function end(queries: Queries, tokens: readonly TokenRow[], at: Date): Promise<void> {
  if (tokens.length > 0)
    await revokeTokens(
      queries,
      tokens.map(({ id }) => id),
      at,
    )
}

const hasRights = (token: TokenRow, { role, scopes, limits }: Pick<TokenRow, 'role' | 'scopes' | 'limits'>) =>
  isDeepStrictEqual([token.role, token.scopes, token.limits], [role, scopes, limits])
