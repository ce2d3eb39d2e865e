import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byLabel, percentileOf, sumOf } from './series.ts'

const counters = {
  'logins_total{upstream="main",result="ok"}': 5,
  'logins_total{upstream="main",result="no"}': 1,
  'logins_total{upstream="other",result="ok"}': 2,
  logins_totally_else: 100,
}

test('a sum includes every series of the metric with these labels, and no other metric', () => {
  assert.equal(sumOf(counters, 'logins_total'), 8)
  assert.equal(sumOf(counters, 'logins_total', { result: 'ok' }), 7)
  assert.equal(sumOf(counters, 'sessions_total'), 0)
})

test('the values of a label come with their sums, highest first', () => {
  const drops = {
    'upstream_drops_total{reason="a"}': 1,
    'upstream_drops_total{reason="b"}': 3,
    'upstream_drops_total{reason="c"}': 0,
  }
  assert.deepEqual(byLabel(drops, 'upstream_drops_total', 'reason'), [
    ['b', 3],
    ['a', 1],
    ['c', 0],
  ])
})

test('the percentile of an empty histogram is null, not zero', () => {
  assert.equal(percentileOf({}, 'login_seconds', 0.5), null)
  assert.equal(percentileOf({ login_seconds: { sum: 0, counts: {} } }, 'login_seconds', 0.5), null)
})
