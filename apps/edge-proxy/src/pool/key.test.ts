import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { expiryOf, isSendable, userName, type Credentials } from '../imap/credentials.ts'
import { wire } from '../imap/cuts.test-support.ts'
import { ReuseNotices } from './reuse-notices.ts'
import { digestOf, identityOf, isSameSecret } from './key.ts'

const joe: Credentials = {
  user: wire('joe'),
  authzid: wire(''),
  secret: wire('secret'),
  mechanism: 'command',
}

test('two logins have the same identity only if server, user, authzid and kind of secret are the same', () => {
  const text = fc.constantFrom('', 'a', 'b', 'ab', 'a b', 'A', '\xe4', 'a@b', 'password')
  const login = fc.tuple(
    fc.constantFrom('main', 'mai', 'n'),
    text,
    text,
    fc.constantFrom('command', 'PLAIN', 'XOAUTH2'),
  )
  const identity = ([connection, user, authzid, mechanism]: [string, string, string, string]) =>
    identityOf(connection, { ...joe, user: wire(user), authzid: wire(authzid), mechanism } as Credentials)
  fc.assert(
    fc.property(login, login, (one, two) => {
      const isToken = (mechanism: string) => mechanism === 'XOAUTH2'
      const same =
        one[0] === two[0] && one[1] === two[1] && one[2] === two[2] && isToken(one[3]) === isToken(two[3])
      assert.equal(identity(one) === identity(two), same)
    }),
    { seed: 20, numRuns: 3000 },
  )
})

test('a secret equals only the complete same secret, and a digest does not contain the secret', () => {
  const digest = digestOf(joe.secret)
  assert.equal(isSameSecret(digest, digestOf(wire('secret'))), true)
  for (const other of ['', 'secre', 'secrets', 'Secret', 'secret\0'])
    assert.equal(isSameSecret(digest, digestOf(wire(other))), false)
  assert.ok(!digest.includes('secret') && digest.length === 32)
})

test('a digest depends on a key of this process, so it cannot be checked against a list of passwords', () => {
  assert.notEqual(digestOf(joe.secret), hash('sha256', joe.secret, 'latin1'))
})

test('a name or secret with CR, LF or NUL is never sent to a server', () => {
  assert.equal(isSendable(joe), true)
  for (const bad of ['\r', '\n', '\0', 'a\r\nb LOGOUT'])
    for (const field of ['user', 'authzid', 'secret'] as const)
      assert.equal(isSendable({ ...joe, [field]: wire(`x${bad}`) }), false, JSON.stringify([field, bad]))
  assert.equal(isSendable({ ...joe, user: wire('') }), false)
  assert.equal(isSendable({ ...joe, user: Buffer.alloc(5000, 'x') }), false)
  assert.equal(isSendable({ ...joe, user: wire('J\xf6rg "x"\\ {5}') }), true)
})

test('the user name in logs is the authzid, if there is one', () => {
  assert.equal(userName(joe), 'joe')
  assert.equal(userName({ ...joe, authzid: wire('boss') }), 'boss')
})

test('the expiry of a JWT is used; other secrets have none', () => {
  const token = (payload: string) => ({
    ...joe,
    mechanism: 'OAUTHBEARER' as const,
    secret: wire(`n,a=joe,\x01auth=Bearer aaa.${Buffer.from(payload).toString('base64url')}.ccc\x01\x01`),
  })
  assert.equal(expiryOf(token('{"exp":1700000000}')), 1_700_000_000_000)
  for (const payload of [
    '{}',
    'null',
    '[]',
    '"x"',
    '{"exp":"soon"}',
    '{"exp":null}',
    '{"exp":1e999}',
    '{',
    '',
  ])
    assert.equal(expiryOf(token(payload)), Infinity, payload)
  assert.equal(expiryOf({ ...joe, secret: token('{"exp":1}').secret }), Infinity)
  assert.equal(expiryOf({ ...token(''), secret: wire('user=joe\x01auth=Bearer opaque\x01\x01') }), Infinity)
})

test('after more users have enabled an extension than can be remembered, no user gets the notice of reuse', () => {
  const reuseNotices = new ReuseNotices(2)
  for (const user of ['a', 'b', 'b', 'a']) reuseNotices.noteEnable(user)
  assert.deepEqual([reuseNotices.mayTell('a'), reuseNotices.mayTell('c')], [false, true])
  reuseNotices.noteEnable('d')
  assert.deepEqual([reuseNotices.mayTell('c'), reuseNotices.mayTell('d')], [false, false])
})

test('digests that differ in any one byte, or in length, are different secrets', () => {
  const digest = digestOf(Buffer.from('secret'))
  assert.ok(isSameSecret(digest, digestOf(Buffer.from('secret'))))
  for (let at = 0; at < digest.length; at++) {
    const other = String.fromCharCode(digest.charCodeAt(at) ^ 1)
    assert.equal(
      isSameSecret(digest, digest.slice(0, at) + other + digest.slice(at + 1)),
      false,
      `byte ${at}`,
    )
  }
  for (const other of ['', digest.slice(1), digest.slice(0, -1), `${digest}\0`]) {
    assert.equal(isSameSecret(digest, other), false)
    assert.equal(isSameSecret(other, digest), false)
  }
})
