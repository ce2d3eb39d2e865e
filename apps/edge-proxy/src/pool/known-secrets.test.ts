import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KnownSecrets } from './known-secrets.ts'

const digest = (text: string) => text.padEnd(32, '.')
const [a, b, c] = [digest('a'), digest('b'), digest('c')]

test('a secret is new until its server has accepted it for this user, and again after a refusal', () => {
  const known = new KnownSecrets()
  assert.equal(known.accepted('main', 'joe', a), true)
  assert.equal(known.accepted('main', 'joe', a), false)
  assert.equal(known.accepted('main', 'jane', a), true)
  assert.equal(known.accepted('other', 'joe', a), true)
  assert.equal(known.refused('main', 'joe', b), false)
  assert.equal(known.refused('main', 'joe', a), true)
  assert.equal(known.refused('main', 'joe', a), false)
  assert.equal(known.accepted('main', 'joe', a), true)
  assert.equal(known.accepted('other', 'joe', a), false)
})

test('digests that differ in any one byte are different secrets', () => {
  const known = new KnownSecrets()
  assert.ok(known.accepted('main', 'joe', a))
  for (let at = 0; at < a.length; at++)
    assert.ok(known.accepted('main', 'joe', `${a.slice(0, at)}!${a.slice(at + 1)}`), `byte ${at}`)
})

test('the secret of a user with the oldest last proof is forgotten first', () => {
  const known = new KnownSecrets(2)
  for (const secret of [a, b, a, c]) known.accepted('main', 'joe', secret)
  assert.equal(known.refused('main', 'joe', b), false)
  assert.equal(known.refused('main', 'joe', a), true)
  assert.equal(known.refused('main', 'joe', c), true)
})

test('the user with the oldest last proof is forgotten first', () => {
  const known = new KnownSecrets(16, 2)
  for (const user of ['joe', 'jane', 'joe', 'jim']) known.accepted('main', user, a)
  assert.equal(known.refused('main', 'jane', a), false)
  assert.equal(known.refused('main', 'joe', a), true)
  assert.equal(known.refused('main', 'jim', a), true)
  // No more secrets are removed than needed for the new one.
  for (const user of ['joe', 'jim']) known.accepted('main', user, a)
  assert.deepEqual([known.accepted('main', 'joe', a), known.accepted('main', 'jim', a)], [false, false])
})

test('a user with several secrets is as recent as the last proof of any of them', () => {
  const known = new KnownSecrets(16, 3)
  for (const [user, secret] of [
    ['joe', a],
    ['joe', b],
    ['jane', a],
    ['joe', a],
    ['jim', a],
  ] as const)
    known.accepted('main', user, secret)
  assert.deepEqual(
    ['joe', 'jane', 'jim'].map((user) => known.refused('main', user, a)),
    [true, false, true],
  )
})
