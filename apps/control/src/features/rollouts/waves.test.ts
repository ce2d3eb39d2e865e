import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { planWaves } from './waves.ts'

const edge = (id: string) => ({ id, region: id.split('-')[0]! })
const edges = ['us-2', 'eu-1', 'asia-1', 'eu-2', 'us-1', 'eu-3'].map(edge)
const none = { canaryEdges: [], canaryPercent: 0, regions: [] }

test('without canaries the waves are the regions, in the given order and then by name', () => {
  assert.deepEqual(planWaves(edges, { ...none, regions: ['us', 'moon'] }), [
    { name: 'us', edges: ['us-1', 'us-2'] },
    { name: 'asia', edges: ['asia-1'] },
    { name: 'eu', edges: ['eu-1', 'eu-2', 'eu-3'] },
  ])
})

test('canaries are the named edges, and then some of every region', () => {
  assert.deepEqual(planWaves(edges, { ...none, canaryEdges: ['eu-3', 'nobody'] })[0], {
    name: 'canary',
    edges: ['eu-3'],
  })
  assert.deepEqual(
    planWaves(edges, { ...none, canaryPercent: 50 })[0]
      ?.edges.map((id) => edge(id).region)
      .toSorted(),
    ['asia', 'eu', 'us'],
  )
  assert.deepEqual(
    planWaves(edges, { ...none, canaryPercent: 100 }).map(({ name }) => name),
    ['canary'],
  )
  assert.deepEqual(planWaves([], { ...none, canaryPercent: 10 }), [])
})

test('every edge is in exactly one wave, whatever the request', () => {
  const ids = fc.uniqueArray(
    fc.tuple(fc.constantFrom('eu', 'us', 'asia'), fc.nat(20)).map((parts) => parts.join('-')),
  )
  const settings = fc.record({
    canaryEdges: ids,
    canaryPercent: fc.integer({ min: 0, max: 100 }),
    regions: fc.uniqueArray(fc.constantFrom('eu', 'us', 'moon')),
  })
  fc.assert(
    fc.property(ids, settings, (all, asked) => {
      const waves = planWaves(all.map(edge), asked)
      assert.deepEqual(waves.flatMap((wave) => wave.edges).toSorted(), all.toSorted())
      assert.ok(waves.every((wave) => wave.edges.length > 0))
    }),
    { seed: 42, numRuns: 300 },
  )
})
