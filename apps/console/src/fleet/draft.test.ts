import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysToType, leavesOf, manualOf, revisionRequestOf, textOf, parseSetting } from './draft.ts'

test('input that looks like a number, a boolean or a list is one, and other input is text', () => {
  assert.deepEqual(
    ['60000', ' true ', '["a","b"]', '[10.0.0.1, b:c]', 'exact', '10.0.0.1', '"5"'].map(parseSetting),
    [60_000, true, ['a', 'b'], ['10.0.0.1', 'b:c'], 'exact', '10.0.0.1', '5'],
  )
  for (const value of [5, true, 'exact', '5', 'true', ['a'], null, ''])
    assert.deepEqual(parseSetting(textOf(value)), value)
})

test('a draft becomes a request, without keys that are incomplete', () => {
  const changes = [
    { key: ' pool.usesMax ', text: '5' },
    { key: 'pool.idleTimeoutMs', text: undefined },
    { key: '', text: '7' },
    { key: 'upstreams.NAME.port', text: '7' },
  ]
  assert.deepEqual(revisionRequestOf(changes), { set: { 'pool.usesMax': 5 }, unset: ['pool.idleTimeoutMs'] })
})

test('a layer is shown key by key', () => {
  assert.deepEqual(leavesOf({ pool: { usesMax: 5 }, upstreams: { main: { hosts: ['a'] } } }), [
    { key: 'pool.usesMax', value: 5 },
    { key: 'upstreams.main.hosts', value: ['a'] },
  ])
})

test('keys of upstreams are offered for existing names, and described for any name', () => {
  const about = { help: 'Port.', reload: 'live', secret: false, values: '1 to 65535' } as const
  const manual = [
    { key: 'upstreams.NAME.port', ...about },
    { key: 'pool.usesMax', ...about },
  ]
  assert.deepEqual(keysToType(manual, ['main', 'spare']), [
    'upstreams.main.port',
    'upstreams.spare.port',
    'pool.usesMax',
  ])
  assert.deepEqual(keysToType(manual, []), ['upstreams.NAME.port', 'pool.usesMax'])
  assert.equal(manualOf('upstreams.spare.port', manual)?.key, 'upstreams.NAME.port')
  assert.equal(manualOf('upstreams.spare', manual), undefined)
})
