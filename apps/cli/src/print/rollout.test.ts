import assert from 'node:assert/strict'
import { test } from 'node:test'
import { besideRollout, progressText, underWayLines } from './rollout.ts'

test('a running rollout shows its current wave, and an ended one how many waves it reached', () => {
  const wave = (name: string, state: 'waiting' | 'current' | 'done') => ({ name, state, edges: [] })
  const waves = [wave('canary', 'done'), wave('eu', 'current'), wave('us', 'waiting')]
  assert.equal(progressText({ waves }), 'wave 2 of 3 (eu)')
  assert.equal(progressText({ waves: waves.map(({ name }) => wave(name, 'done')) }), '3 of 3 waves')
})

test('the layers of the configuration name the rollouts whose values they do not have', () => {
  const waves = [{ name: 'canary', state: 'current', edges: 2 }] as const
  const layer = { kind: 'region', name: 'eu' } as const
  assert.deepEqual(
    underWayLines([
      { revision: 9, layer, state: 'paused', waves: [...waves] },
      { revision: 8, layer, state: 'completed', waves: [...waves] },
    ]),
    [
      'revision 9 of region/eu is being rolled out, and its values are not shown: paused, wave 1 of 1 (canary) (`imapfleet rollouts show 9`)',
    ],
  )
})

test('a change of a layer above a rollout says what it does to the rollout', () => {
  const global = { revision: 3, layer: { kind: 'global' }, state: 'running' } as const
  const eu = { revision: 4, layer: { kind: 'region', name: 'eu' }, state: 'paused' } as const
  const us = { layer: { kind: 'region', name: 'us' }, edges: [{ region: 'us' }] } as const
  const edge = { layer: { kind: 'edge', name: 'eu-1' }, edges: [{ region: 'eu' }] } as const
  assert.match(
    besideRollout([us], [global]) ?? '',
    /^the rollout of revision 3 of global continues: .* region\/us override/,
  )
  assert.match(
    besideRollout([us, edge], [eu]) ?? '',
    /^the rollout of revision 4 of region\/eu .* edge\/eu-1 override/,
  )
  assert.equal(besideRollout([us], [eu]), undefined)
  assert.equal(besideRollout([us], [{ ...global, state: 'completed' }]), undefined)
})
