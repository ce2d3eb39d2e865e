import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changesFrom, withKey, yamlOf } from './yaml-layer.ts'

const layer = {
  pool: { usesMax: 5, idleTimeoutMs: 240_000 },
  upstreams: { main: { hosts: ['a', 'b:143'], tls: 'off', masterPassword: '(redacted)' } },
}

test('a layer is printed in sections, with lists on one line, and quotes where a text could be read as anything else', () => {
  assert.equal(
    yamlOf(layer),
    'pool:\n  idleTimeoutMs: 240000\n  usesMax: 5\nupstreams:\n  main:\n    hosts: [a, "b:143"]\n' +
      '    masterPassword: "(redacted)"\n    tls: off\n',
  )
  const odd = ['5', 'true', 'No', 'null', '', '[a]', '# x', 'a: b', '08', '1e3', ' x', '-', '2026-11-28', 'é']
  for (const value of odd) assert.equal(yamlOf({ log: value }), `log: ${JSON.stringify(value)}\n`)
  assert.equal(yamlOf({}), '')
})

test('a changed value is set, a missing key is removed, and a secret that is not shown stays', () => {
  const same = {
    'pool.usesMax': 5,
    'pool.idleTimeoutMs': 240_000,
    'upstreams.main.hosts': ['a', 'b:143'],
    'upstreams.main.tls': 'off',
    'upstreams.main.masterPassword': '(redacted)',
  }
  assert.deepEqual(changesFrom(same, layer), [])
  const { 'pool.idleTimeoutMs': _removed, ...rest } = same
  assert.deepEqual(changesFrom({ ...rest, 'pool.usesMax': 6 }, layer), [
    { key: 'pool.usesMax', text: '6' },
    { key: 'pool.idleTimeoutMs', text: undefined },
  ])
  assert.equal(changesFrom({}, layer).length, 5)
})

test('the text has the changes of the draft', () => {
  const draft = [
    { key: 'pool.usesMax', text: '6' },
    { key: 'log.level', text: 'debug' },
    { key: 'pool.idleTimeoutMs', text: undefined },
  ]
  assert.equal(yamlOf({ pool: layer.pool }, draft), 'log:\n  level: debug\npool:\n  usesMax: 6\n')
})

test('a key is added to its section, and the rest of the text stays', () => {
  assert.equal(
    withKey('# mine\npool:\n    usesMax: 5 # few\n\nlog: { level: info }\n', 'pool.idleTimeoutMs', '1000'),
    '# mine\npool:\n    usesMax: 5 # few\n    idleTimeoutMs: 1000\n\nlog: { level: info }\n',
  )
  assert.equal(withKey('', 'log.level', 'debug'), 'log:\n  level: debug\n')
  assert.equal(withKey('pool:\n', 'pool.usesMax', '1'), 'pool:\n  usesMax: 1\n')
  assert.equal(
    withKey('a:\n  b: 1\nupstreams:\n  main:\n    tls: off\nz: 1', 'upstreams.main.port', '993'),
    'a:\n  b: 1\nupstreams:\n  main:\n    tls: off\n    port: 993\nz: 1\n',
  )
  assert.equal(
    withKey('upstreams:\n  main:\n    tls: off\n', 'upstreams.other.port', '993'),
    'upstreams:\n  main:\n    tls: off\n  other:\n    port: 993\n',
  )
})
