import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationOf, momentOf } from './time.ts'

test('a time of today has no date, of another day the day, of another year also the year', () => {
  const now = new Date(2026, 10, 27, 15, 0, 0)
  assert.equal(momentOf(new Date(2026, 10, 27, 9, 5, 7), now), '09:05:07')
  assert.equal(momentOf(new Date(2026, 10, 26, 9, 5, 7), now), '26 Nov 09:05:07')
  assert.equal(momentOf(new Date(2025, 10, 26, 9, 5, 7), now), '26 Nov 2025 09:05:07')
})

test('a duration has its two largest units, and is never negative', () => {
  assert.equal(durationOf(-5), '0 s')
  assert.equal(durationOf(40_999), '40 s')
  assert.equal(durationOf(12 * 60_000), '12 min')
  assert.equal(durationOf(190 * 60_000), '3 h 10 min')
  assert.equal(durationOf(48 * 3_600_000), '2 d')
  assert.equal(durationOf(50 * 3_600_000), '2 d 2 h')
})
