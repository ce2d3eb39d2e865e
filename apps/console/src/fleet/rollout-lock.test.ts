import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LayerName, RolloutSummary } from '@imapfleet/api'
import { aroundLock, lockOf, underWay } from './rollout-lock.ts'

const eu: LayerName = { kind: 'region', name: 'eu' }
const of = (layer: LayerName, state: RolloutSummary['state'] = 'running') =>
  ({ revision: 5, layer, state }) as RolloutSummary

test('the layer of a rollout cannot be written, others can, but not in waves', () => {
  for (const inWaves of [false, true])
    assert.equal(
      lockOf(of(eu), eu, { inWaves }),
      'This layer can be written when the rollout has ended: revision 5 of region/eu is being rolled out.',
    )
  // An edge may have the name of a region.
  const edge: LayerName = { kind: 'edge', name: 'eu' }
  assert.equal(lockOf(of(eu), edge, { inWaves: false }), undefined)
  assert.match(lockOf(of(eu), edge, { inWaves: true }) ?? '', /^Only one rollout can run at a time/)
  assert.equal(lockOf(undefined, eu, { inWaves: true }), undefined)
})

test('a rollout is under way until it ends, also while it is paused', () => {
  assert.equal(underWay(of(eu, 'paused'))?.revision, 5)
  for (const state of ['completed', 'aborted'] as const) assert.equal(underWay(of(eu, state)), undefined)
  assert.equal(underWay(undefined), undefined)
})

test('around the lock of a layer only higher layers are offered', () => {
  assert.match(aroundLock.global, /layer of a region or of an edge/)
  assert.doesNotMatch(aroundLock.region, /of a region/)
  assert.doesNotMatch(aroundLock.edge, /change the layer/)
})
