import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeStats } from '@imapfleet/protocol'
import { plain } from './colour.ts'
import { edgeScreen } from './edge-screen.ts'

const page = { width: undefined, paint: plain }
const stats = (at: number, logins: number, more: Partial<EdgeStats> = {}): EdgeStats => ({
  edge: 'eu-1',
  region: 'eu',
  version: '0.1.0',
  state: 'serving',
  at,
  startedAt: 0,
  resetAt: null,
  counters: {
    'logins_total{upstream="main",result="ok"}': logins,
    'upstream_reuses_total{upstream="main"}': logins / 2,
    select_cache_hits_total: 3,
    select_cache_misses_total: 1,
    'reuse_refused_total{reason="mid-literal"}': 4,
  },
  gauges: { clients_connected: 2, upstreams_idle: 7 },
  peaks: { clients_connected: 9, upstreams_idle: 8 },
  histograms: {},
  degraded: [],
  ...more,
})
const rowOf = (lines: string[], label: string) =>
  lines
    .map((line) => line.split(/ {2,}/))
    .find(([first]) => first === label)
    ?.slice(1)

test('current and peak stand side by side', () => {
  const lines = edgeScreen(stats(10_000, 20), undefined, page)
  assert.deepEqual(rowOf(lines, 'Clients'), ['2', '9'])
  assert.deepEqual(rowOf(lines, 'Upstreams cached'), ['7', '8'])
})

test('a rate is what was counted since the look before, for each second', () => {
  const lines = edgeScreen(stats(12_000, 30), stats(10_000, 20), page)
  assert.deepEqual(rowOf(lines, 'Logins'), ['30', '5'])
})

test('the first look, a restart and a reset have no rate', () => {
  const now = stats(12_000, 30)
  for (const before of [undefined, stats(10_000, 99, { startedAt: -1 }), stats(10_000, 99, { resetAt: 5 })])
    assert.deepEqual(rowOf(edgeScreen(now, before, page), 'Logins'), ['30', '-'])
})

test('ratios and the reasons for refused reuse are shown', () => {
  const lines = edgeScreen(stats(10_000, 20), undefined, page)
  assert.deepEqual(rowOf(lines, 'Reuse ratio'), ['50.0 %'])
  assert.deepEqual(rowOf(lines, 'SELECT cache ratio'), ['75.0 %'])
  assert.deepEqual(rowOf(lines, 'not reused'), ['mid-literal 4'])
})

test('what is wrong is shown, without its control characters', () => {
  const lines = edgeScreen(stats(10_000, 20, { degraded: ['upstream \x1b[2Jdown'] }), undefined, page)
  assert.ok(lines.includes('degraded: upstream \\x1b[2Jdown'))
})
