import assert from 'node:assert/strict'
import { test } from 'node:test'
import { desiredSchema } from '@imapfleet/protocol'
import { desiredOf, resolve, type LayerHead } from './desired-of.ts'

const head = (
  kind: LayerHead['kind'],
  name: string,
  revision: number,
  pool: Record<string, number>,
): LayerHead => ({
  kind,
  name,
  revision,
  document: { pool },
})

const layers = [
  head('edge', 'eu-1', 4, { idleTimeoutMs: 4000 }),
  head('region', 'us', 7, { idleTimeoutMs: 7000 }),
  head('global', '', 2, { idleTimeoutMs: 2000, usesMax: 2 }),
  head('region', 'eu', 5, { idleTimeoutMs: 5000, lifetimeMaxMs: 5000 }),
  head('edge', 'eu', 9, { idleTimeoutMs: 9000 }),
]

test('the layer nearest to the edge wins, key by key, in whatever order the layers come', () => {
  const eu1 = { pool: { idleTimeoutMs: 4000, lifetimeMaxMs: 5000, usesMax: 2 } }
  assert.deepEqual(resolve({ region: 'eu', edge: 'eu-1' }, layers), { revision: 5, layer: eu1 })
  assert.deepEqual(resolve({ region: 'eu', edge: 'eu-1' }, layers.toReversed()), { revision: 5, layer: eu1 })
})

test('an edge wants the newest revision among the layers that apply to it, and no other', () => {
  assert.equal(resolve({ region: 'us', edge: 'us-1' }, layers).revision, 7)
  assert.equal(resolve({ region: 'asia', edge: 'a-1' }, layers).revision, 2)
  assert.equal(resolve({ region: 'asia', edge: 'a-1' }, []).revision, 0)
})

test('a region and an edge of the same name are two things', () => {
  assert.equal(resolve({ region: 'asia', edge: 'us' }, layers).revision, 2)
  assert.equal(resolve({ region: 'asia', edge: 'eu' }, layers).revision, 9)
})

test('what is made here is what an edge accepts', () => {
  const trace = { id: crypto.randomUUID(), user: 'ann', expiresAt: 1, bytesMax: 1024, bodies: false }
  const desired = desiredOf({ region: 'eu', edge: 'eu-1' }, { version: 3, layers, traces: [trace] })
  assert.deepEqual(desiredSchema.parse(desired), desired)
})
