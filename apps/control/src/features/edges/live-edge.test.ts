import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Counted } from './table.ts'
import { ratesOf } from './live-edge.ts'

const counted = (
  at: number,
  counters: Record<string, number>,
  counts: Record<string, number> = {},
): Counted => ({
  at,
  counters,
  logins: { sum: 1, counts },
})

test('rates are the increase between two heartbeats, by the clock of the edge', () => {
  const before = counted(
    1_000,
    { 'sessions_total{ending="logout"}': 10, 'upstream_reuses_total{upstream="a"}': 8 },
    { 80: 10 },
  )
  const now = counted(
    6_000,
    {
      'sessions_total{ending="logout"}': 30,
      'sessions_total{ending="client-gone"}': 5,
      'upstream_reuses_total{upstream="a"}': 26,
      'upstream_connections_total{upstream="a"}': 2,
      'logins_total{upstream="a",result="ok"}': 20,
      'logins_total{upstream="a",result="failed"}': 5,
    },
    { 80: 10, 104: 3, 112: 1 },
  )
  const rates = ratesOf(now, before)
  assert.deepEqual(
    [rates.sessionsPerSecond, rates.loginsPerSecond, rates.reuseRatio, rates.errorsPerSecond],
    [5, 5, 0.9, 1],
  )
  // Earlier logins do not count; they are in the bucket of 2^(104/8) µs.
  assert.equal(rates.loginP50Ms, 8.192)
})

test('an unknown rate is null, not zero: after one heartbeat, without logins, after a clock went back', () => {
  const one = counted(1_000, {})
  assert.equal(ratesOf(one, null).sessionsPerSecond, null)
  assert.equal(ratesOf(one, counted(2_000, {})).sessionsPerSecond, null)
  const idle = ratesOf(counted(6_000, {}), one)
  assert.deepEqual([idle.sessionsPerSecond, idle.reuseRatio, idle.loginP50Ms], [0, null, null])
})

test('metrics whose names begin alike are not confused', () => {
  const before = counted(0, {})
  const now = counted(1_000, { sessions_total_of_others: 7, 'sessions_total{ending="logout"}': 1 })
  assert.equal(ratesOf(now, before).sessionsPerSecond, 1)
})
