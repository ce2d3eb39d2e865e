import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveYaml } from './resolve.ts'
import { describeKeys } from './manual.ts'
import { isSecretKey, redact } from './redact.ts'
import { writeKey, type Layer } from './layer.ts'

test('a redacted configuration has no secrets and is otherwise unchanged', () => {
  const text = `upstreams:
  main: { masterUser: m, masterPassword: alpha-1, sharedSecret: beta-2, hosts: [mail.example] }
  other: { masterUser: n, masterPassword: gamma-3, sharedSecret: delta-4 }
routes: [{ upstream: other, domain: example.org }]
`
  const loaded = resolveYaml(text)
  assert.ok(loaded.ok)
  const shown = redact(loaded.config)
  assert.doesNotMatch(JSON.stringify(shown), /alpha-1|beta-2|gamma-3|delta-4/)
  assert.deepEqual(shown.routes, loaded.config.routes)
  assert.deepEqual(shown.upstreams['main']?.hosts, ['mail.example'])
  assert.equal(loaded.config.upstreams['main']?.masterPassword, 'alpha-1')
})

test('every secret key of a layer is redacted, whatever its value is', () => {
  for (const { key } of describeKeys().filter(({ secret }) => secret))
    for (const value of ['text', 5, null, ['x'], { y: 'z' }]) {
      const at = key.replace('NAME', 'any')
      assert.deepEqual(redact(writeKey({}, at, value)), writeKey({}, at, '(redacted)'), at)
    }
})

test('keys that are not in the schema are unchanged', () => {
  const odd: Layer = { unknown: { masterPassword: 1 }, pool: 'x', upstreams: [] }
  assert.deepEqual(redact(odd), odd)
})

test('secret keys are found under any name', () => {
  assert.deepEqual(
    ['upstreams.main.masterPassword', 'upstreams.x.masterUser', 'upstreams', 'nosuch.key', ''].map(
      isSecretKey,
    ),
    [true, false, false, false, false],
  )
})
