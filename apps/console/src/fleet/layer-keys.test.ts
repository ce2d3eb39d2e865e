import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysOf } from './layer-keys.ts'

const layers = {
  global: { pool: { usesMax: 5, idleTimeoutMs: 1_000 }, log: { level: 'warn' } },
  'region/eu': { pool: { usesMax: 7 } },
  'edge/eu-1': { pool: { usesMax: 9 } },
}

test('the last layer wins, and the overridden value is that of the layer before it', () => {
  assert.deepEqual(keysOf(layers, ['global', 'region/eu', 'edge/eu-1']), [
    { key: 'log.level', value: 'warn', from: 'global' },
    { key: 'pool.idleTimeoutMs', value: 1_000, from: 'global' },
    { key: 'pool.usesMax', value: 9, from: 'edge/eu-1', instead: { value: 7, from: 'region/eu' } },
  ])
})

test('a layer that sets nothing shows the layers before it', () => {
  assert.deepEqual(
    keysOf(layers, ['global', 'region/us']).map(({ from }) => from),
    ['global', 'global', 'global'],
  )
})
