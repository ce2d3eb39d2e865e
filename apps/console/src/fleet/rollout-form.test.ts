import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mistakeIn, rolloutIn, usualRollout } from './rollout-form.ts'

test('the form becomes a request, and percentages become shares', () => {
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

test('there is no request while a number is invalid', () => {
  for (const soak of ['', 'soon', '-1', '1e3']) {
    assert.equal(rolloutIn({ ...usualRollout, soak }, undefined), undefined)
    assert.equal(mistakeIn({ ...usualRollout, soak }, 'soak'), 'Enter a number.')
  }
  assert.equal(mistakeIn({ ...usualRollout, canary: 'eu-1' }, 'canary'), undefined)
})

test('there is no request while a canary is not an edge of the layer', () => {
  const edges = [{ id: 'eu-1', region: 'eu', status: 'pending' as const, reason: null }]
  assert.equal(rolloutIn({ ...usualRollout, canary: 'eu-1 us-9' }, edges), undefined)
  assert.deepEqual(rolloutIn({ ...usualRollout, canary: 'eu-1' }, edges)?.canaryEdges, ['eu-1'])
})
