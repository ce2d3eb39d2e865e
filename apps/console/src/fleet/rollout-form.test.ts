import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mistakeIn, rolloutIn, usualRollout } from './rollout-form.ts'

test('what is typed becomes what is asked for; percent become shares', () => {
  const form = { ...usualRollout, canary: ' eu-1, us-1 ', percent: '2.5', errors: '10' }
  assert.deepEqual(rolloutIn(form, undefined), {
    canaryEdges: ['eu-1', 'us-1'],
    canaryPercent: 2.5,
    regions: [],
    soakSeconds: 30,
    silenceSeconds: 60,
    errorShareMax: 0.1,
  })
})

test('nothing is asked for while a number is none', () => {
  for (const soak of ['', 'soon', '-1', '1e3']) {
    assert.equal(rolloutIn({ ...usualRollout, soak }, undefined), undefined)
    assert.equal(mistakeIn({ ...usualRollout, soak }, 'soak'), 'Enter a number.')
  }
  assert.equal(mistakeIn({ ...usualRollout, canary: 'eu-1' }, 'canary'), undefined)
})

test('nothing is asked for while a canary is no edge that it goes to', () => {
  const edges = [{ id: 'eu-1', region: 'eu', status: 'pending' as const, reason: null }]
  assert.equal(rolloutIn({ ...usualRollout, canary: 'eu-1 us-9' }, edges), undefined)
  assert.deepEqual(rolloutIn({ ...usualRollout, canary: 'eu-1' }, edges)?.canaryEdges, ['eu-1'])
})
