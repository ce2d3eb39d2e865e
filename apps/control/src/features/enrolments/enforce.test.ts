import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccount, type Account } from '@nats-io/jwt'
import { edgeRole, edgesClaims, versionOfRole } from './claims.ts'
import { wantedClaims } from './enforce.ts'

const signingKey = createAccount().getPublicKey()
const control = createAccount().getPublicKey()
const issuer = { role: edgeRole(signingKey), original: edgesClaims(control, signingKey) }
const there = (claims: Partial<Account>) => ({ claims, signedAt: 0 })

test('a correct account is not changed', () => {
  const claims = { ...issuer.original, revocations: { UA: 7 } }
  assert.deepEqual(wantedClaims(there(claims), issuer, new Map([['UA', 7]])), claims)
})

test('an account that NATS does not have is created with all revocations', () => {
  const wanted = wantedClaims(undefined, issuer, new Map([['UA', 7]]))
  assert.deepEqual(wanted, { ...issuer.original, revocations: { UA: 7 } })
})

test('revocations are never lost, and never get an earlier time', () => {
  const claims = { ...issuer.original, revocations: { UA: 9, UB: 1 } }
  const wanted = wantedClaims(
    there(claims),
    issuer,
    new Map([
      ['UA', 5],
      ['UC', 3],
    ]),
  )
  assert.deepEqual(wanted.revocations, { UA: 9, UB: 1, UC: 3 })
})

test('settings of an operator are kept', () => {
  const theirs = createAccount().getPublicKey()
  const claims = { ...issuer.original, limits: { conn: 12 }, signing_keys: [theirs, issuer.role] }
  assert.deepEqual(wantedClaims(there(claims), issuer, new Map()), claims)
})

test('older rights are replaced, and newer ones of a later version of control are kept', () => {
  const older = { ...issuer.role, role: 'edge/0', template: {} }
  const newer = { ...issuer.role, role: `edge/${versionOfRole(issuer.role.role) + 1}`, template: {} }
  for (const [known, wanted] of [
    [older, issuer.role],
    [newer, newer],
  ])
    assert.deepEqual(
      wantedClaims(there({ ...issuer.original, signing_keys: [known!] }), issuer, new Map()).signing_keys,
      [wanted],
    )
})
