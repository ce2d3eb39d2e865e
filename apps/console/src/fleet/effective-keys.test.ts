import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigKey } from '@imapfleet/api'
import { effectiveKeys, matchingKeys } from './effective-keys.ts'

const key = (name: string, help: string): ConfigKey => ({
  key: name,
  help,
  reload: 'live',
  secret: false,
  values: 'a number',
})
const manual = [
  key('pool.usesMax', 'How many sessions may use a connection'),
  key('pool.idleTimeoutMs', 'How long a connection stays idle'),
  key('upstreams.NAME.port', 'Port of the server'),
]
const layers = {
  global: { pool: { usesMax: 5 } },
  'region/eu': { pool: { usesMax: 7 }, upstreams: { main: { port: 993 } } },
}

test('a key has the value of the highest layer; keys of no layer and set names are listed', () => {
  const shown = effectiveKeys(layers, ['global', 'region/eu'], manual)
  assert.deepEqual(
    shown.map((each) => [each.key, each.set?.value, each.set?.from, each.known?.key]),
    [
      ['pool.idleTimeoutMs', undefined, undefined, 'pool.idleTimeoutMs'],
      ['pool.usesMax', 7, 'region/eu', 'pool.usesMax'],
      ['upstreams.main.port', 993, 'region/eu', 'upstreams.NAME.port'],
    ],
  )
})

test('keys are found by name, value and description', () => {
  const shown = effectiveKeys(layers, ['global', 'region/eu'], manual)
  const found = (text: string) => matchingKeys(shown, text).map((each) => each.key)
  assert.deepEqual(found('993'), ['upstreams.main.port'])
  assert.deepEqual(found('connection sessions'), ['pool.usesMax'])
  assert.deepEqual(found('pool.').length, 2)
})
