/** What a revocation of credentials tells NATS. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  createAccount,
  createOperator,
  createUser,
  decode,
  encodeUser,
  fmtCreds,
  fromPublic,
  parseCreds,
  type User,
} from '@nats-io/jwt'
import { Issuer } from './issuer.ts'
import { revokedUntil } from './service.ts'

const seedOf = (pair: { getSeed: () => Uint8Array }) => new TextDecoder().decode(pair.getSeed())

test('a credential is refused even if it was made in the second of its revocation, or the clocks of replicas differ', async () => {
  const account = createAccount()
  const system = createUser()
  const issuer = new Issuer({
    operatorSeed: seedOf(createOperator()),
    controlAccount: createAccount().getPublicKey(),
    edgesAccount: account.getPublicKey(),
    edgesSeed: seedOf(createAccount()),
    systemCredentials: new TextDecoder().decode(
      fmtCreds(
        await encodeUser('system', system, fromPublic(account.getPublicKey()), {}, { signer: account }),
        system,
      ),
    ),
  })
  const before = Date.now()
  const { credentials } = await issuer.mint({ region: 'eu', edge: 'eu-1' })
  const createdAt = new Date(Date.now())
  const { jwt } = await parseCreds(new TextEncoder().encode(credentials))
  const signedAt = decode<User>(jwt).iat
  assert.ok(signedAt >= Math.floor(before / 1000))
  // NATS refuses what was signed at or before the time of the revocation.
  for (const revokedAt of [createdAt, new Date(before), new Date(before - 3_600_000), null])
    assert.ok(signedAt < revokedUntil({ createdAt, revokedAt }), String(revokedAt))
})

test('a revocation has whole seconds, after the second of the signing, from either end of that second', () => {
  for (const milliseconds of [0, 1, 500, 999]) {
    const at = new Date(1_000_000_000_000 + milliseconds)
    const until = revokedUntil({ createdAt: at, revokedAt: at })
    assert.ok(Number.isInteger(until) && until > 1_000_000_000 && until <= 1_000_000_002, String(until))
  }
  const late = revokedUntil({ createdAt: new Date(5_000), revokedAt: new Date(9_000) })
  assert.equal(late, 10)
  const behind = revokedUntil({ createdAt: new Date(9_000), revokedAt: new Date(5_000) })
  assert.equal(behind, 10)
})
