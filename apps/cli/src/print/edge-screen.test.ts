import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeStats } from '@imapfleet/protocol'
import { plain } from './colour.ts'
import { byLabel, edgeScreen, percentileOf, sumOf, type StatsReading } from './edge-screen.ts'

const page = { width: undefined, paint: plain }
const start = '2026-03-01T10:00:00Z'

function lookAt(at: number, reuses: number, startedAt = start, more: Partial<EdgeStats> = {}): StatsReading {
  const stats: EdgeStats = {
    edge: 'eu-1',
    region: 'eu',
    version: '0.1.0',
    state: 'serving',
    statistics: {
      startedAt,
      resetAt: startedAt,
      clients: { current: 2, peak: 9, total: 40 },
      active: { current: 1, peak: 3 },
      cached: { current: 7, peak: 8 },
      logins: { total: 20, reused: 10, opened: 10, reuseRatio: 0.5 },
      selectCache: { hits: 3, misses: 1, hitRatio: 0.75 },
    },
    counters: {
      'upstream_reuses_total{upstream="main"}': reuses,
      'logins_total{upstream="main",result="refused"}': 5,
      'reuse_refused_total{reason="mid-literal"}': 4,
      'reuse_refused_total{reason="never"}': 0,
      client_bytes_total: 2048,
    },
    gauges: {
      'upstream_healthy{upstream="main"}': 1,
      'upstream_healthy{upstream="old"}': 0,
      leases_waiting: 6,
    },
    histograms: {},
    ...more,
  }
  return { stats, at }
}
const rowOf = (lines: string[], label: string) =>
  lines
    .map((line) => line.trim().split(/ {2,}/))
    .find(([first]) => first === label)
    ?.slice(1)

test('the screen has every number of pimpstat', () => {
  const lines = edgeScreen(lookAt(Date.parse('2026-03-01T12:05:00Z'), 10), undefined, page)
  assert.deepEqual(rowOf(lines, 'Clients'), ['2', '9', '40', '-'])
  assert.deepEqual(rowOf(lines, 'Upstreams active'), ['1', '3'])
  assert.deepEqual(rowOf(lines, 'Upstreams cached'), ['7', '8'])
  assert.deepEqual(rowOf(lines, 'Logins'), ['20', '-'])
  assert.deepEqual(rowOf(lines, 'reused'), ['10', '-'])
  assert.deepEqual(rowOf(lines, 'opened'), ['10', '-'])
  assert.deepEqual(rowOf(lines, 'reuse ratio'), ['50.0 %'])
  assert.deepEqual(rowOf(lines, 'SELECT cache hits'), ['3'])
  assert.deepEqual(rowOf(lines, 'SELECT cache misses'), ['1'])
  assert.deepEqual(rowOf(lines, 'SELECT cache ratio'), ['75.0 %'])
  assert.match(lines[1] ?? '', /^started .* \(2 h 5 min ago\)$/)
})

test('the time of the last reset of counters is shown, if there was one', () => {
  const look = lookAt(0, 1)
  look.stats.statistics.resetAt = '2026-03-01T11:00:00Z'
  assert.match(edgeScreen(look, undefined, page)[1] ?? '', /counted since 2026-03-01 /)
})

test('a rate is the increase since the previous screen, per second', () => {
  const lines = edgeScreen(lookAt(12_000, 30), lookAt(10_000, 20), page)
  assert.deepEqual(rowOf(lines, 'reused'), ['10', '5'])
})

test('the first screen after a restart has no rates', () => {
  const lines = edgeScreen(lookAt(12_000, 3), lookAt(10_000, 20, '2026-02-01T10:00:00Z'), page)
  assert.deepEqual(rowOf(lines, 'reused'), ['10', '-'])
})

test('an upstream that does not answer and the reasons for refused reuse are shown', () => {
  const lines = edgeScreen(lookAt(10_000, 20), undefined, page)
  assert.ok(lines.includes('upstream old is down'))
  assert.ok(!lines.includes('upstream main is down'))
  assert.deepEqual(rowOf(lines, 'not reused'), ['mid-literal 4'])
})

test('the name of an edge is printed without control characters', () => {
  const [head] = edgeScreen(lookAt(0, 0, start, { edge: 'eu\x1b[2J' }), undefined, page)
  assert.match(head ?? '', /^eu\\x1b\[2J \(eu\)/)
})

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
