import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restartKeys, settableKeys } from './config-keys.ts'

const names = (prefix: string) => settableKeys(prefix).map(({ key }) => key)

test('only keys that the fleet can set are listed', () => {
  assert.ok(names('').includes('pool.idleTimeoutMs'))
  assert.ok(!names('').some((key) => key.startsWith('fleet.') || key.startsWith('edge.')))
})

test('a prefix matches whole parts, and any name matches NAME', () => {
  assert.ok(names('pool').every((key) => key.startsWith('pool.')))
  assert.deepEqual(names('poo'), [])
  assert.deepEqual(names('upstreams.main.port'), ['upstreams.NAME.port'])
  assert.ok(names('routes').includes('routes[].upstream'))
})

test('keys that need a restart are marked', () => {
  assert.deepEqual(restartKeys(['pool.idleTimeoutMs', 'listeners.imap.port', 'log.format']), [
    'listeners.imap.port',
    'log.format',
  ])
  assert.deepEqual(restartKeys(['listeners.imap']), ['listeners.imap'])
})
