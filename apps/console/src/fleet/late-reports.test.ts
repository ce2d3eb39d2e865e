import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthyEdge, testedAt } from './edge-view.test-support.ts'
import { areFirstReportsDue, areReportsLate } from './late-reports.ts'

test('reports are late if the answer ends minutes before now', () => {
  const ends = (to: string, range = '-1h') =>
    areReportsLate({ from: '2026-01-01T00:00:00Z', to: `2026-01-01T${to}Z` }, range)
  assert.equal(ends('00:59:50'), false)
  assert.equal(ends('00:57:00'), false)
  assert.equal(ends('00:56:59'), true)
  assert.equal(ends('00:56:59', '-60m'), true)
  // The answer begins with a whole step, so it can end later than that.
  assert.equal(ends('01:00:20'), false)
  for (const absolute of ['2026-01-01T00:00:00Z', '', '1', '-h'])
    assert.equal(ends('00:10:00', absolute), false, absolute)
})

test('the first reports are due only if an edge has just started', () => {
  const due = (said: Partial<typeof healthyEdge>) =>
    areFirstReportsDue([healthyEdge, { ...healthyEdge, ...said }], testedAt)
  const startedAt = '2026-11-27T11:59:30Z'
  assert.equal(due({}), false)
  assert.equal(due({ startedAt }), true)
  assert.equal(due({ startedAt, state: 'silent' }), false)
  assert.equal(due({ startedAt, forgottenAt: startedAt }), false)
  assert.equal(due({ startedAt: '2026-11-27T13:00:00Z', clockSkewMs: 7_200_000 }), false)
  assert.equal(areFirstReportsDue([], testedAt), false)
})
