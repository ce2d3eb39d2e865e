import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leavesOf, requestOf, textOf, valueOf } from './draft.ts'

test('what is typed is a number, a truth or a list where it looks like one, and text otherwise', () => {
  assert.deepEqual(['60000', ' true ', '["a","b"]', 'exact', '10.0.0.1', '"5"'].map(valueOf), [
    60_000,
    true,
    ['a', 'b'],
    'exact',
    '10.0.0.1',
    '5',
  ])
  for (const value of [5, true, 'exact', '5', 'true', ['a'], null, ''])
    assert.deepEqual(valueOf(textOf(value)), value)
})

test('a draft becomes what control is asked for; a key without a name is left out', () => {
  const changes = [
    { key: ' pool.usesMax ', text: '5' },
    { key: 'pool.idleTimeoutMs', text: undefined },
    { key: '', text: '7' },
  ]
  assert.deepEqual(requestOf(changes), { set: { 'pool.usesMax': 5 }, unset: ['pool.idleTimeoutMs'] })
})

test('a layer is shown key by key', () => {
  assert.deepEqual(leavesOf({ pool: { usesMax: 5 }, upstreams: { main: { hosts: ['a'] } } }), [
    { key: 'pool.usesMax', value: 5 },
    { key: 'upstreams.main.hosts', value: ['a'] },
  ])
})
