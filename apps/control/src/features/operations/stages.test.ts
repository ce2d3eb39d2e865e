import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextStep, planStages, type OperationProgress } from './stages.ts'

const edges = [
  { id: 'us-1', region: 'us' },
  { id: 'eu-2', region: 'eu' },
  { id: 'eu-1', region: 'eu' },
  { id: 'ap-1', region: 'ap' },
]

test('each region is one stage: the named ones first, in their order, the others by name', () => {
  assert.deepEqual(planStages(edges, ['us', 'moon']), [
    { region: 'us', edges: ['us-1'] },
    { region: 'ap', edges: ['ap-1'] },
    { region: 'eu', edges: ['eu-1', 'eu-2'] },
  ])
})

const progress = (more: Partial<OperationProgress>): OperationProgress => ({
  stages: planStages(edges, ['eu']),
  stage: 0,
  stageStartedAt: 1_000,
  settledAt: undefined,
  soakSeconds: 10,
  edges: [],
  ...more,
})
const done = (id: string) => ({ id, status: 'done', reason: null }) as const

test('a stage is worked on until no edge of it is pending, and no longer than a minute', () => {
  assert.deepEqual(nextStep(progress({}), 1_000), { kind: 'work' })
  assert.deepEqual(nextStep(progress({ edges: [done('eu-1')] }), 61_000), { kind: 'work' })
  assert.deepEqual(nextStep(progress({ edges: [done('eu-1')] }), 61_001), {
    kind: 'stop',
    reason: 'eu-2 did not finish within 60 s',
  })
})

test('the next stage starts only after the soak time of this one', () => {
  const both = [done('eu-1'), { id: 'eu-2', status: 'silent', reason: 'it is silent' } as const]
  assert.deepEqual(nextStep(progress({ edges: both }), 2_000), { kind: 'settle' })
  const settled = progress({ edges: both, settledAt: 2_000 })
  assert.deepEqual(nextStep(settled, 11_999), { kind: 'wait' })
  assert.deepEqual(nextStep(settled, 12_000), { kind: 'advance' })
})

test('an edge of the stage that failed stops the operation; one of an earlier stage does not', () => {
  const failed = { id: 'eu-1', status: 'failed', reason: 'there is no upstream named main' } as const
  assert.deepEqual(nextStep(progress({ edges: [failed] }), 1_500), {
    kind: 'stop',
    reason: 'eu-1 failed: there is no upstream named main',
  })
  assert.deepEqual(nextStep(progress({ edges: [failed], stage: 1 }), 1_500), { kind: 'work' })
})
