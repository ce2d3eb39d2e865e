import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketOf, percentile } from '@imapfleet/observe'
import { parseExpressions } from './expression.ts'
import { historyOf, type GroupBy } from './answer.ts'
import type { HistoryRow } from './rows.ts'
import type { Window } from './window.ts'

const window: Window = { from: 0, to: 35_000, stepMs: 10_000, points: 4 }

function increase(
  edge: string,
  step: number,
  counters: Record<string, number>,
  seconds: number[] = [],
): HistoryRow {
  const counts: Record<string, number> = {}
  for (const value of seconds) {
    const bucket = String(bucketOf(value * 1e6))
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  const histograms = { login_seconds: { sum: seconds.reduce((sum, each) => sum + each, 0), counts } }
  const at = step * window.stepMs
  return { edge, region: edge.slice(0, 2), at, counters, gauges: {}, histograms }
}

const ok = (upstream: string) => `logins_total{upstream="${upstream}",result="ok"}`
const no = (upstream: string) => `logins_total{upstream="${upstream}",result="no"}`
const increases = [
  increase('eu-1', 0, { [ok('a')]: 3, [no('a')]: 1 }, [0.001, 0.001, 0.001]),
  increase('eu-2', 0, { [ok('b')]: 5 }, [0.1]),
  increase('us-1', 1, {}),
  increase('eu-1', 3, { [ok('a')]: 10 }),
]

const ask = (text: string, groupBy: GroupBy, rows: HistoryRow[] = increases) =>
  historyOf(parseExpressions(text), groupBy, window, '10s', rows)

test('a step without reports is null, and a step without events is 0', () => {
  const [fleet] = ask('logins_total', 'fleet').groups
  assert.deepEqual(fleet, { group: 'fleet', values: [[9, 0, null, 10]], totals: [19] })
})

test('each group has its own sum, and only groups with reports are listed', () => {
  const byRegion = ask('logins_total', 'region').groups
  assert.deepEqual(byRegion, [
    { group: 'eu', values: [[9, null, null, 10]], totals: [19] },
    { group: 'us', values: [[null, 0, null, null]], totals: [0] },
  ])
  assert.deepEqual(
    ask('logins_total', 'edge').groups.map(({ group, totals }) => [group, ...totals]),
    [
      ['eu-1', 14],
      ['eu-2', 5],
      ['us-1', 0],
    ],
  )
  assert.deepEqual(
    ask('logins_total', 'upstream').groups.map(({ group, totals }) => [group, ...totals]),
    [
      ['a', 14],
      ['b', 5],
    ],
  )
})

test('labels select series of a metric', () => {
  const [fleet] = ask(
    'logins_total{result="ok"},logins_total{result=no,upstream=a},logins_total{upstream="c"}',
    'fleet',
  ).groups
  assert.deepEqual(fleet?.totals, [18, 1, 0])
})

test('a rate is per second, also in a shorter last step', () => {
  const [fleet] = ask('logins_total:rate', 'fleet').groups
  assert.deepEqual(fleet?.values, [[0.9, 0, null, 2]])
  // No edge reported in the third step.
  assert.deepEqual(fleet?.totals, [19 / 25])
})

test('time without reports does not lower a rate, but a report without an upstream counts as zero', () => {
  const late = [increase('eu-1', 2, { [ok('a')]: 20 }), increase('us-1', 3, { [ok('b')]: 10 })]
  const ratesBy = (groupBy: GroupBy) =>
    ask('logins_total:rate', groupBy, late).groups.map(({ group, totals }) => [group, ...totals])
  assert.deepEqual(ratesBy('fleet'), [['fleet', 30 / 15]])
  assert.deepEqual(ratesBy('region'), [
    ['eu', 20 / 10],
    ['us', 10 / 5],
  ])
  assert.deepEqual(ratesBy('upstream'), [
    ['a', 20 / 15],
    ['b', 10 / 15],
  ])
})

test('a percentile is that of all logins together, not a mean of percentiles', () => {
  const [fleet] = ask(
    'login_seconds:p50,login_seconds:p99,login_seconds:count,login_seconds:avg',
    'fleet',
  ).groups
  const bound = (seconds: number) => percentile({ [bucketOf(seconds * 1e6)]: 1 }, 1)
  assert.deepEqual(fleet?.totals, [bound(0.001), bound(0.1), 4, (0.001 + 0.001 + 0.001 + 0.1) / 4])
  assert.deepEqual(fleet?.values[0], [bound(0.001), null, null, null])
  assert.deepEqual(fleet?.values[2], [4, 0, null, 0])
})

test('gauges are summed over edges', () => {
  const gauge = (edge: string, step: number, values: [number, number, number, number]): HistoryRow => {
    const [average, last, max, min] = values
    const gauges = { upstreams_idle: { count: 3, sum: average * 3, last, max, min } }
    return { edge, region: edge.slice(0, 2), at: step * window.stepMs, counters: {}, gauges, histograms: {} }
  }
  const gauges = [
    gauge('eu-1', 0, [2, 3, 4, 1]),
    gauge('eu-2', 0, [10, 10, 10, 10]),
    gauge('eu-1', 2, [6, 6, 6, 6]),
  ]
  const text = 'upstreams_idle,upstreams_idle:last,upstreams_idle:max,upstreams_idle:min'
  const [fleet] = ask(text, 'fleet', gauges).groups
  assert.deepEqual(fleet?.values, [
    [12, null, 6, null],
    [13, null, 6, null],
    [14, null, 6, null],
    [11, null, 6, null],
  ])
  assert.deepEqual(fleet?.totals, [9, 6, 14, 6])
})

test('a gauge that an edge did not report is unknown, not zero', () => {
  for (const groupBy of ['fleet', 'region', 'edge'] as const)
    assert.deepEqual(
      ask('upstreams_idle', groupBy).groups.filter(({ totals }) => totals[0] !== null),
      [],
    )
  assert.deepEqual(ask('upstreams_idle', 'fleet').groups[0]?.values, [[null, null, null, null]])
})

test('an answer with too many values is refused before it is built', () => {
  const long: Window = { from: 0, to: 20_000_000, stepMs: 10_000, points: 2_000 }
  const rows = (edges: number) =>
    Array.from({ length: edges }, (_, index) => increase(`eu-${index}`, 0, { [ok('a')]: 1 }))
  const values = (edges: number) =>
    historyOf(parseExpressions('logins_total'), 'edge', long, '10s', rows(edges)).groups.length
  assert.equal(values(1_000), 1_000)
  assert.throws(() => values(1_001), /more than 2000000 values/)
})

test('the history of a fleet without reports has only gaps', () => {
  const empty = historyOf(parseExpressions('logins_total'), 'fleet', window, '10s', [])
  assert.deepEqual(empty.groups, [{ group: 'fleet', values: [[null, null, null, null]], totals: [null] }])
})
