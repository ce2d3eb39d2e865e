import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  expiryOf,
  isSendable,
  proofIn,
  mechanismClass,
  secretsOf,
  userName,
  withoutSecrets,
  type Credentials,
} from './credentials.ts'

const credentials = (
  more: Partial<Record<'user' | 'authzid' | 'secret', string>> = {},
  mechanism: Credentials['mechanism'] = 'command',
): Credentials => ({
  user: Buffer.from(more.user ?? 'joe'),
  authzid: Buffer.from(more.authzid ?? ''),
  secret: Buffer.from(more.secret ?? 'secret'),
  mechanism,
})
const bearer = (token: string) =>
  credentials({ secret: `n,a=joe,\x01auth=Bearer ${token}\x01\x01` }, 'OAUTHBEARER')
const jwt = (payload: unknown) => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`

test('names and passwords without CR, LF and NUL may be sent, and no name is empty or longer than 1024 bytes', () => {
  assert.ok(isSendable(credentials()))
  assert.equal(isSendable(credentials({ user: '' })), false)
  assert.ok(isSendable(credentials({ user: 'x'.repeat(1024), authzid: 'y'.repeat(1024) })))
  assert.equal(isSendable(credentials({ user: 'x'.repeat(1025) })), false)
  assert.equal(isSendable(credentials({ authzid: 'y'.repeat(1025) })), false)
  for (const bad of ['a\r', 'a\n', 'a\0b'])
    for (const field of ['user', 'authzid', 'secret'] as const)
      assert.equal(isSendable(credentials({ [field]: bad })), false, field)
  assert.ok(isSendable(bearer('a')))
  assert.ok(isSendable(credentials({ secret: 'a\0' }, 'XOAUTH2')))
})

test('passwords and tokens are different classes', () => {
  assert.deepEqual(
    (['command', 'PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER'] as const).map((mechanism) =>
      mechanismClass(credentials({}, mechanism)),
    ),
    ['password', 'password', 'password', 'token', 'token'],
  )
})

test('the user is the one that the client acts as', () => {
  assert.equal(userName(credentials()), 'joe')
  assert.equal(userName(credentials({ user: 'admin', authzid: 'joe' })), 'joe')
})

test('the proof of a user is the password, or the token without its message', () => {
  const proof = (secret: string, mechanism?: Credentials['mechanism']) =>
    proofIn(credentials({ secret }, mechanism)).toString('latin1')
  assert.equal(proof('auth=Bearer t'), 'auth=Bearer t')
  assert.equal(proof('user=joe\x01auth=Bearer t.t=\x01\x01', 'XOAUTH2'), 't.t=')
  assert.equal(proof('auth=bearer  t \x01user=auth=Bearer x\x01\x01', 'XOAUTH2'), 't')
  assert.equal(
    proof('n,a=Bearer auth=Bearer x,\x01host=h\x01port=1\x01auth=Bearer t\x01\x01', 'OAUTHBEARER'),
    't',
  )
  assert.equal(proof('user=joe\x01auth=Bearer  \x01\x01', 'XOAUTH2'), 'user=joe\x01auth=Bearer  \x01\x01')
})

test('the expiry of a token is known only if it is a JWT', () => {
  assert.equal(expiryOf(bearer(jwt({ exp: 1_900_000_000 }))), 1_900_000_000_000)
  for (const payload of [{}, { exp: '1' }, { exp: null }, []])
    assert.equal(expiryOf(bearer(jwt(payload))), Infinity)
  assert.equal(expiryOf(bearer('opaque')), Infinity)
  assert.equal(expiryOf(bearer('e30.bm8ganNvbg.c2ln')), Infinity)
  assert.equal(expiryOf(credentials({ secret: `bearer ${jwt({ exp: 1 })}` })), Infinity)
})

test('a secret or token that a server repeats is removed, plain, quoted and in base64', () => {
  const token = bearer('abc.def.ghi')
  const base64 = token.secret.toString('base64')
  assert.equal(
    withoutSecrets(`NO ${base64} or abc.def.ghi is wrong`, secretsOf(token)),
    'NO [redacted] or [redacted] is wrong',
  )
  const quoted = credentials({ secret: 'a"b\\c' })
  assert.equal(
    withoutSecrets('BAD LOGIN joe "a\\"b\\\\c" a"b\\c', secretsOf(quoted)),
    'BAD LOGIN joe "[redacted]" [redacted]',
  )
  assert.equal(withoutSecrets('NO text', secretsOf(credentials({ secret: '' }))), 'NO text')
})
