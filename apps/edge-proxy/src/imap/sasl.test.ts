import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { wire } from './cuts.test-support.ts'
import { decodeBase64, parseOauthBearer, parsePlain, parseXoauth2, printPlain } from './sasl.ts'

test('base64 is decoded strictly', () => {
  assert.deepEqual(decodeBase64('AGpvZQBzZWNyZXQ='), wire('\0joe\0secret'))
  assert.deepEqual(decodeBase64(''), Buffer.alloc(0))
  assert.deepEqual(decodeBase64('='), Buffer.alloc(0))
  for (const text of [
    'A',
    'AB',
    'ABC',
    'A===',
    '====',
    'AB=C',
    'AB==CD==',
    'AB C',
    'ABC\n',
    'AB-_',
    '*',
    'ABCD=',
  ])
    assert.equal(decodeBase64(text), undefined, text)
})

test('any bytes survive encoding and decoding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (array) => {
      const bytes = Buffer.from(array)
      assert.deepEqual(decodeBase64(bytes.toString('base64')), bytes)
    }),
    { seed: 12 },
  )
})

test('PLAIN has exactly three fields, with a user and a secret', () => {
  assert.deepEqual(parsePlain(wire('boss\0joe\0secret')), {
    authzid: wire('boss'),
    user: wire('joe'),
    secret: wire('secret'),
  })
  assert.deepEqual(parsePlain(wire('\0joe\0s'))?.authzid, Buffer.alloc(0))
  for (const text of ['', 'joe', 'joe\0secret', '\0\0secret', '\0joe\0', '\0\0', 'a\0b\0c\0', 'a\0b\0c\0d'])
    assert.equal(parsePlain(wire(text)), undefined, JSON.stringify(text))
})

test('a PLAIN message survives printing and parsing', () => {
  const field = (minLength: number) =>
    fc.uint8Array({ min: 1, minLength, maxLength: 20 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(field(0), field(1), field(1), (authzid, user, secret) => {
      assert.deepEqual(parsePlain(printPlain({ authzid, user, secret })), { authzid, user, secret })
    }),
    { seed: 13 },
  )
})

test('XOAUTH2 has a user and a bearer token, and the complete message is the secret', () => {
  const message = wire('user=joe@example.com\x01auth=Bearer abc=\x01\x01')
  assert.deepEqual(parseXoauth2(message), {
    user: wire('joe@example.com'),
    authzid: Buffer.alloc(0),
    secret: message,
  })
  for (const text of [
    '',
    'user=joe\x01\x01',
    'auth=Bearer x\x01\x01',
    'user=\x01auth=Bearer x\x01\x01',
    'user=joe\x01auth=Basic x\x01\x01',
  ])
    assert.equal(parseXoauth2(wire(text)), undefined, JSON.stringify(text))
})

test('OAUTHBEARER has the user in its GS2 header, with escapes', () => {
  const rest = '\x01host=h\x01port=143\x01auth=Bearer abc\x01\x01'
  const userOf = (text: string) => parseOauthBearer(wire(text))?.user.toString('latin1')
  assert.equal(userOf(`n,a=joe@example.com,${rest}`), 'joe@example.com')
  assert.equal(userOf(`n,a=a=2Cb=3Dc,${rest}`), 'a,b=c')
  assert.equal(userOf(`n,a=a=3D2C,${rest}`), 'a=2C')
  for (const text of [
    `n,,${rest}`,
    `y,a=joe,${rest}`,
    `p=tls,a=joe,${rest}`,
    `n,a=joe${rest}`,
    'n,a=joe,\x01\x01',
    '',
  ])
    assert.equal(userOf(text), undefined, JSON.stringify(text))
})

test('a message with two users or two tokens is refused, because the server might use the other one', () => {
  const end = 'auth=Bearer x\x01\x01'
  for (const text of [
    `user=joe\x01user=eve\x01${end}`,
    `user=joe\x01${end}user=eve\x01`,
    `user=joe\x01USER=eve\x01${end}`,
    `user=joe\x01auth=Bearer y\x01${end}`,
    `user=joe\x01Auth=Bearer y\x01${end}`,
  ])
    assert.equal(parseXoauth2(wire(text)), undefined, JSON.stringify(text))
  assert.equal(parseOauthBearer(wire(`n,a=joe,\x01auth=Bearer y\x01${end}`)), undefined)
  assert.ok(parseXoauth2(wire(`user=joe\x01x=1\x01${end}`)))
})

test('an empty message is refused', () => {
  const parts = fc.array(
    fc.constantFrom('\0', '\x01', 'user=', 'auth=Bearer ', 'n,', 'a=', '=2C', ',', 'x', '\xff'),
  )
  fc.assert(
    fc.property(parts, (texts) => {
      const message = wire(texts.join(''))
      parsePlain(message)
      parseXoauth2(message)
      parseOauthBearer(message)
    }),
    { seed: 14, numRuns: 1000 },
  )
})
