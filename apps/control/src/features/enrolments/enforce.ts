/** Makes NATS refuse revoked credentials, and grants the others the permissions that this version knows. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Account, RevocationList, SigningKey, SigningKeys } from '@nats-io/jwt'
import type { NatsAccess } from '@imapfleet/nats'
import { versionOfRole } from './claims.ts'
import type { Issuer } from './issuer.ts'
import { asSystem, type EdgesAccount } from './system.ts'

/** Public key → credentials signed up to this time are revoked. Seconds since 1970. */
export type Revoked = ReadonlyMap<string, number>

/**
 * Resolves when nats-server has stored the account. Only one caller at a time: the account is read and then replaced.
 * Changes by an operator stay in it, and so does a revocation that only NATS still knows.
 */
export async function enforceRevocations(
  access: NatsAccess,
  issuer: Issuer,
  revoked: Revoked,
): Promise<void> {
  await asSystem(access, issuer, async (system) => {
    const there = await system.read()
    const wanted = wantedClaims(there, issuer, revoked)
    if (there && isDeepStrictEqual(there.claims, wanted)) return
    // A cluster keeps the account that was signed last, and the signing time has whole seconds.
    if (there) await sleep(Math.min(1_000, Math.max(0, (there.signedAt + 1) * 1_000 - Date.now())))
    await system.replace(wanted)
  })
}

export function wantedClaims(
  there: EdgesAccount | undefined,
  issuer: Pick<Issuer, 'role' | 'original'>,
  revoked: Revoked,
): Partial<Account> {
  const claims = there?.claims ?? issuer.original
  const revocations: RevocationList = { ...claims.revocations }
  for (const [key, until] of revoked) revocations[key] = Math.max(until, revocations[key] ?? 0)
  return {
    ...claims,
    signing_keys: withRole(claims.signing_keys ?? [], issuer.role),
    ...(Object.keys(revocations).length > 0 && { revocations }),
  }
}

function withRole(keys: SigningKeys, role: SigningKey): SigningKeys {
  const isOurs = (key: SigningKey | string): key is SigningKey =>
    typeof key !== 'string' && key.key === role.key
  if (!keys.some(isOurs)) return [...keys, role]
  // A newer version of control may have granted more permissions.
  return keys.map((key) => (isOurs(key) && versionOfRole(key.role) <= versionOfRole(role.role) ? role : key))
}
