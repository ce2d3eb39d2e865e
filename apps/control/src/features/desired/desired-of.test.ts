import assert from 'node:assert/strict'
import { test } from 'node:test'
import { desiredSchema } from '@imapfleet/protocol'
import { desiredOf, layersByName, resolve, versionMinOf, type LayerHead } from './desired-of.ts'

const head = (
  kind: LayerHead['kind'],
  name: string,
  revision: number,
  pool: Record<string, number>,
): LayerHead => ({
  kind,
  name,
  revision,
  version: revision * 100,
  document: { pool },
})

const heads = [
  head('edge', 'eu-1', 4, { idleTimeoutMs: 4000 }),
  head('region', 'us', 7, { idleTimeoutMs: 7000 }),
  head('global', '', 2, { idleTimeoutMs: 2000, usesMax: 2 }),
  head('region', 'eu', 5, { idleTimeoutMs: 5000, lifetimeMaxMs: 5000 }),
  head('edge', 'eu', 9, { idleTimeoutMs: 9000 }),
]
const layers = layersByName(heads)
const none = layersByName([])

test('the most specific layer wins for each key, in any order of the layers', () => {
  const eu1 = { pool: { idleTimeoutMs: 4000, lifetimeMaxMs: 5000, usesMax: 2 } }
  const versions = { global: 200, region: 500, edge: 400 }
  assert.deepEqual(resolve({ region: 'eu', edge: 'eu-1' }, layers), { revision: 5, layer: eu1, versions })
  assert.deepEqual(resolve({ region: 'eu', edge: 'eu-1' }, layersByName(heads.toReversed())), {
    revision: 5,
    layer: eu1,
    versions,
  })
})

test('the wanted revision of an edge is the newest among its layers', () => {
  assert.equal(resolve({ region: 'us', edge: 'us-1' }, layers).revision, 7)
  assert.equal(resolve({ region: 'asia', edge: 'a-1' }, layers).revision, 2)
  assert.equal(resolve({ region: 'asia', edge: 'a-1' }, none).revision, 0)
})

test('a region and an edge of the same name are not confused', () => {
  assert.equal(resolve({ region: 'asia', edge: 'us' }, layers).revision, 2)
  assert.equal(resolve({ region: 'asia', edge: 'eu' }, layers).revision, 9)
})

test('a rolling revision replaces its layer only on the edges that it has reached', () => {
  const rolling = { ...head('region', 'eu', 10, { usesMax: 10 }), reached: new Set(['eu-1', 'us-1']) }
  const wanted = (region: string, edge: string) => resolve({ region, edge }, layers, rolling)
  assert.deepEqual(wanted('eu', 'eu-1'), {
    revision: 10,
    layer: { pool: { idleTimeoutMs: 4000, usesMax: 10 } },
    versions: { global: 200, region: 1000, edge: 400 },
  })
  assert.deepEqual(wanted('eu', 'eu-2'), resolve({ region: 'eu', edge: 'eu-2' }, layers))
  assert.deepEqual(wanted('us', 'us-1'), resolve({ region: 'us', edge: 'us-1' }, layers))
})

test('the first revision of a layer can be rolled out', () => {
  const rolling = { ...head('global', '', 1, { usesMax: 10 }), reached: new Set(['eu-1']) }
  assert.equal(resolve({ region: 'eu', edge: 'eu-1' }, none, rolling).revision, 1)
  assert.equal(resolve({ region: 'eu', edge: 'eu-2' }, none, rolling).revision, 0)
})

const trace = (user: string, region: string | null = null) => ({
  ...{ id: crypto.randomUUID(), user, region },
  ...{ expiresAt: 1, bytesMax: 1024, bodies: false },
})
const revocation = (sequence: number, region: string | null = null) => ({
  ...{ sequence, kind: 'user' as const, subject: `u${sequence}`, at: 1, region },
})
const eu1 = {
  region: 'eu',
  edge: 'eu-1',
  drain: false,
  drainVersion: 0,
  revocationsApplied: 0,
  desiredClaimed: 3,
  desiredVersion: 3,
}

test('an edge accepts the desired state', () => {
  const fleet = { version: 3, layers, traces: [trace('ann')], revocations: [revocation(2)] }
  const desired = desiredOf(eu1, fleet)
  assert.deepEqual(desiredSchema.parse(desired), desired)
  assert.equal(desiredOf({ ...eu1, drain: true }, fleet).drain, true)
})

test('a trace of one region goes only to the edges of that region', () => {
  const traces = [trace('ann', 'us'), trace('bob', 'eu'), trace('dora')]
  const desired = desiredOf(eu1, { version: 3, layers, traces, revocations: [] })
  assert.deepEqual(
    desired.traces.map(({ user }) => user),
    ['bob', 'dora'],
  )
})

test('an edge gets the revocations that it has not applied, or the newest if there are too many', () => {
  const fleet = {
    version: 9000,
    layers,
    traces: [],
    revocations: Array.from({ length: 8000 }, (_, at) => revocation(at + 1)),
  }
  const sequences = (revocationsApplied: number) =>
    desiredOf({ ...eu1, revocationsApplied }, fleet).revocations.map(({ sequence }) => sequence)
  assert.deepEqual(sequences(8000), [])
  assert.deepEqual(sequences(7998), [7999, 8000])
  assert.deepEqual([sequences(0).length, sequences(0).at(0), sequences(0).at(-1)], [5000, 3001, 8000])
})

test('a revocation of one region goes only to the edges of that region', () => {
  const fleet = {
    version: 9000,
    layers,
    traces: [],
    revocations: [revocation(1, 'us'), revocation(2, 'eu'), revocation(3)],
  }
  assert.deepEqual(
    desiredOf(eu1, fleet).revocations.map(({ sequence }) => sequence),
    [2, 3],
  )
})

test('an entry of the same content is written again if its version would prove nothing', () => {
  assert.equal(versionMinOf(eu1, 1), 1)
  assert.equal(versionMinOf({ ...eu1, drainVersion: 7 }, 1), 7)
  assert.equal(versionMinOf({ ...eu1, drainVersion: 7 }, 9), 9)
  assert.equal(versionMinOf({ ...eu1, desiredClaimed: 50, desiredVersion: null }, 1), 51)
  assert.equal(versionMinOf({ ...eu1, desiredClaimed: null, desiredVersion: null }, 1), 1)
})

test('the layers of an edge are found without a look at those of other edges', () => {
  const asked: string[] = []
  class Asked extends Map<string, LayerHead> {
    override get(key: string): LayerHead | undefined {
      asked.push(key)
      return super.get(key)
    }
    override [Symbol.iterator](): never {
      throw new Error('all layers were read')
    }
    override values(): never {
      throw new Error('all layers were read')
    }
  }
  const many = new Asked()
  for (const [key, layer] of layers) many.set(key, layer)
  assert.equal(resolve({ region: 'eu', edge: 'eu-1' }, many).revision, 5)
  assert.deepEqual(asked, ['global/', 'region/eu', 'edge/eu-1'])
})
