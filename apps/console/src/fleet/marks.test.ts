import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endWithMarks, happenedTo, marksOf, type Happened } from './marks.ts'

const at = (clock: string) => `2026-11-27T${clock}Z`
const happened: Happened = {
  revisions: [
    { revision: 3, createdAt: at('12:30:00'), createdBy: 'marie', layer: { kind: 'global' }, note: '' },
    {
      revision: 2,
      createdAt: at('12:10:00'),
      createdBy: 'marie',
      layer: { kind: 'region', name: 'eu' },
      note: 'longer',
    },
    { revision: 1, createdAt: at('09:00:00'), createdBy: 'marie', layer: { kind: 'global' }, note: '' },
  ],
  rollouts: [
    {
      revision: 3,
      layer: { kind: 'global' },
      state: 'rolled-back',
      reason: '9 % of 80 logins fail',
      createdAt: at('12:30:00'),
      createdBy: 'marie',
      finishedAt: at('12:40:00'),
    },
  ],
  drains: [{ at: at('12:20:00'), actor: 'tom', action: 'edges.drain', target: 'edge/eu-2' }],
  edges: [
    { id: 'eu-1', startedAt: at('12:05:10') },
    { id: 'eu-2', startedAt: at('12:15:01') },
    { id: 'eu-3', startedAt: at('12:15:40') },
  ],
}

test('what happened in the time range is listed once each, newest first', () => {
  const marks = marksOf(happened, Date.parse(at('12:00:00')), Date.parse(at('13:00:00')))
  assert.deepEqual(
    marks.map(({ at: time, text }) => `${new Date(time).toISOString().slice(11, 16)} ${text}`),
    [
      '12:40 Rollout of revision 3 was rolled back: 9 % of 80 logins fail',
      '12:30 Rollout of revision 3 began, by marie',
      '12:20 edge/eu-2 drained by tom',
      '12:15 2 edges started',
      '12:10 Revision 2 of region/eu by marie: longer',
      '12:05 eu-1 started',
    ],
  )
  assert.deepEqual(marks.map(({ href }) => href).slice(3), [undefined, '/config/2', '/edges/eu-1'])
})

test('on the page of an edge, what happened only to other regions and edges is not listed', () => {
  const textsOf = (id: string, region: string) =>
    marksOf(happenedTo({ id, region }, happened), Date.parse(at('12:00:00')), Date.parse(at('13:00:00'))).map(
      ({ text }) => text,
    )
  const ofAll = [
    'Rollout of revision 3 was rolled back: 9 % of 80 logins fail',
    'Rollout of revision 3 began, by marie',
  ]
  assert.deepEqual(textsOf('us-1', 'us'), ofAll)
  assert.deepEqual(textsOf('eu-1', 'eu'), [
    ...ofAll,
    'Revision 2 of region/eu by marie: longer',
    'eu-1 started',
  ])
  assert.deepEqual(textsOf('eu-2', 'eu'), [
    ...ofAll,
    'edge/eu-2 drained by tom',
    'eu-2 started',
    'Revision 2 of region/eu by marie: longer',
  ])
})

test('charts end with their last step, or with what happened after it', () => {
  const marks = marksOf(happened, Date.parse(at('12:00:00')), Date.parse(at('13:00:00')))
  assert.equal(endWithMarks(Date.parse(at('12:35:00')), marks), Date.parse(at('12:40:00')))
  assert.equal(endWithMarks(Date.parse(at('12:45:00')), marks), Date.parse(at('12:45:00')))
  assert.equal(endWithMarks(Date.parse(at('12:45:00')), []), Date.parse(at('12:45:00')))
})
