import assert from 'node:assert/strict'
import { test } from 'node:test'
import { areReportsLate } from './late-reports.ts'

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
