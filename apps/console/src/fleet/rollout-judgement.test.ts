import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailureCounts, RolloutHealth } from '@imapfleet/api'
import { judgedRows, nextStepOf } from './rollout-judgement.ts'

const counts = (failedLogins: number, logins: number, failedDials = 0, dials = 0): FailureCounts => ({
  failedLogins,
  logins,
  failedDials,
  dials,
})
const health = (before: FailureCounts, now: FailureCounts, rest = counts(1, 1000)): RolloutHealth => ({
  since: '2026-11-28T03:00:00Z',
  until: '2026-11-28T03:01:00Z',
  reached: { edges: 1, before, now },
  rest: { edges: 3, before: counts(0, 0), now: rest },
  loginsMin: 20,
  dialsMin: 10,
})
const verdicts = (given: RolloutHealth) => judgedRows(given, 0.05).map(({ verdict }) => verdict)

test('shares are compared with those before, and the limit is that of control', () => {
  assert.deepEqual(judgedRows(health(counts(10, 1000), counts(12, 200)), 0.05)[0], {
    what: 'Failed logins',
    before: '1.0 % of 1,000',
    now: '6.0 % of 200',
    rest: '0.1 % of 1,000',
    limit: '6 %',
    verdict: 'good',
  })
  assert.deepEqual(verdicts(health(counts(10, 1000), counts(13, 200))), ['bad', 'few'])
  assert.deepEqual(verdicts(health(counts(0, 100, 0, 50), counts(0, 100, 9, 10))), ['good', 'bad'])
})

test('too few are not judged, and without earlier figures every failure counts', () => {
  assert.deepEqual(verdicts(health(counts(0, 0), counts(19, 19))), ['few', 'few'])
  assert.deepEqual(verdicts(health(counts(0, 0), counts(2, 20))), ['bad', 'few'])
})

test('the next step says what happens and when', () => {
  const edges: [] = []
  const waves = [
    { name: 'canary', state: 'current' as const, edges },
    { name: 'us', state: 'waiting' as const, edges },
  ]
  assert.match(
    nextStepOf({ waiting: { for: 'soak', secondsLeft: 90 }, waves }) ?? '',
    /^In 1 min the wave us/,
  )
  assert.match(
    nextStepOf({ waiting: { for: 'soak', secondsLeft: 9 }, waves: waves.slice(0, 1) }) ?? '',
    /^In 9 s the rollout is completed/,
  )
  assert.match(nextStepOf({ waiting: { for: 'apply', secondsLeft: 20 }, waves }) ?? '', /within 20 s/)
  assert.equal(nextStepOf({ waiting: null, waves }), undefined)
})
