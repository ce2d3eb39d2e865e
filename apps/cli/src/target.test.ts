import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from './failure.ts'
import { chooseTarget, parseServer, parseToken, type Stored } from './target.ts'

const home: Stored = { server: 'http://home.example/', token: 'home-token' }
const lab: Stored = { server: 'http://lab.example:8080', token: 'lab-token' }

test('flags take precedence over the environment, and the environment over the stored profile', () => {
  const environment = { server: 'http://env.example', token: 'env-token' }
  const flags = { server: 'http://flag.example', token: 'flag-token' }
  const hostOf = (given: object, from: object) => chooseTarget(given, from, home, [lab]).server.host
  assert.equal(hostOf(flags, environment), 'flag.example')
  assert.equal(hostOf({}, environment), 'env.example')
  assert.equal(hostOf({}, {}), 'home.example')
})

test('a stored token is sent only to its own server', () => {
  assert.equal(chooseTarget({ server: 'http://lab.example:8080/' }, {}, home, [lab]).token, 'lab-token')
  assert.equal(chooseTarget({ server: 'http://home.example' }, {}, home, [lab]).token, 'home-token')
  assert.throws(() => chooseTarget({ server: 'http://evil.example' }, {}, home, [lab]), /there is no token/)
  assert.throws(() => chooseTarget({ server: 'https://home.example' }, {}, home, [lab]), /there is no token/)
})

test('without a server, the message says how to name one', () => {
  assert.throws(() => chooseTarget({}, {}, undefined, []), /imapfleet login URL/)
})

test('the path of a server address is kept as a prefix', () => {
  assert.equal(
    new URL('v1/edges', parseServer('https://example.org/fleet')).href,
    'https://example.org/fleet/v1/edges',
  )
})

test('an invalid server address is wrong usage', () => {
  for (const text of ['', '127.0.0.1:8080', 'ftp://x', 'http://', 'http://user:pass@x/', 'http://x/?a=b'])
    assert.throws(
      () => parseServer(text),
      (error) => error instanceof Failure && error.kind === 'usage',
      text,
    )
})

test('a token with a line break or a blank never reaches a header', () => {
  assert.equal(parseToken(' abc.DEF-1_~+/=\n'), 'abc.DEF-1_~+/=')
  for (const text of ['', ' ', 'a b', 'a\r\nX-Evil: 1', 'ä']) assert.throws(() => parseToken(text), Failure)
})
