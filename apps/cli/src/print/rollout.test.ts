import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressText } from './rollout.ts'

test('a running rollout shows its current wave, and an ended one how many waves it reached', () => {
  const wave = (name: string, state: 'waiting' | 'current' | 'done') => ({ name, state, edges: [] })
  const waves = [wave('canary', 'done'), wave('eu', 'current'), wave('us', 'waiting')]
  assert.equal(progressText({ waves }), 'wave 2 of 3 (eu)')
  assert.equal(progressText({ waves: waves.map(({ name }) => wave(name, 'done')) }), '3 of 3 waves')
})
