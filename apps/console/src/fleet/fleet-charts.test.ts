import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { History } from '@imapfleet/api'
import { chartTimesOf, fleetChartMetrics, fleetChartsOf } from './fleet-charts.ts'

type Figures = Partial<Record<(typeof fleetChartMetrics)[number], readonly (number | null)[]>>

/** Totals are the sums. */
const historyOf = (groups: Readonly<Record<string, Figures>>, to = '2026-01-01T00:03:00.000Z'): History => ({
  ...{ from: '2026-01-01T00:00:00.000Z', to, stepSeconds: 60, resolution: '1m', groupBy: 'region' },
  metrics: [...fleetChartMetrics],
  groups: Object.entries(groups).map(([group, figures]) => {
    const values = fleetChartMetrics.map((metric) => [...(figures[metric] ?? [null, null, null])])
    return {
      group,
      values,
      totals: values.map((series) => series.reduce((a, b) => (b === null ? a : (a ?? 0) + b), null)),
    }
  }),
})
const chart = (history: History, title: string) => {
  const found = fleetChartsOf(history).find((each) => each.title === title)
  assert.ok(found, title)
  return found
}

const two = {
  eu: {
    'sessions_total:rate': [397, 397, 584],
    'logins_total{result="ok"}': [10, 20, 10],
    upstream_reuses_total: [9, 19, 8],
    'login_seconds:p95': [0.1, 0.1, 0.1],
  },
  us: {
    'sessions_total:rate': [3, 3, 3],
    'logins_total{result="ok"}': [30, 20, 10],
    upstream_reuses_total: [3, 1, 0],
    'login_seconds:p95': [0.2, 0.4, null],
  },
} as const

test('a step that the end of the history cuts short is not the current value, and is drawn as unfinished', () => {
  const cut = historyOf(two, '2026-01-01T00:02:08.000Z')
  assert.equal(chart(cut, 'Sessions per second').value, '400')
  assert.equal(chartTimesOf(cut).isUnfinished, true)
  const whole = historyOf(two)
  assert.equal(chart(whole, 'Sessions per second').value, '587')
  assert.deepEqual(chartTimesOf(whole), {
    times: [0, 60, 120].map((seconds) => Date.parse('2026-01-01T00:00:00Z') + seconds * 1000),
    endMs: Date.parse('2026-01-01T00:03:00Z'),
    isUnfinished: false,
  })
})

test('a few regions have a line each; the ratio of the fleet is that of its sums; the slowest region is named', () => {
  const reuse = chart(historyOf(two), 'Reuse ratio')
  assert.equal(reuse.value, '40.0 %')
  assert.deepEqual(
    reuse.lines.map(({ name, values }) => [name, values]),
    [
      ['eu', [90, 95, 80]],
      ['us', [10, 5, 0]],
    ],
  )
  const login = chart(historyOf(two), 'Login time, 95th percentile')
  assert.equal(login.remark, 'in us, the slowest')
})

test('many regions are one line: their sum, or the slowest of them in each step', () => {
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`r${index}`, two.us]))
  const history = historyOf({ ...many, eu: two.eu })
  assert.deepEqual(
    chart(history, 'Sessions per second').lines.map(({ values }) => values),
    [[424, 424, 611]],
  )
  assert.deepEqual(
    chart(history, 'Login time, 95th percentile').lines.map(({ values }) => values),
    [[0.2, 0.4, 0.1]],
  )
})

test('connections are shown against their limits, which are drawn only if they are near', () => {
  const using = (idle: number) =>
    chart(
      historyOf({
        eu: {
          clients_connected: [5, 5, 5],
          clients_limit: [1_000, 1_000, 1_000],
          upstreams_leased: [10, 10, 10],
          upstreams_idle: [idle, idle, idle],
          upstream_connections_limit: [100, 100, 100],
        },
      }),
      'Connections',
    )
  assert.equal(`${using(40).value} ${using(40).remark}`, '50 of 100 to servers; 5 clients')
  const gap = chart(
    historyOf({ eu: { upstreams_leased: [4, 6, null], upstreams_idle: [1, 1, null] } }),
    'Connections',
  )
  const one = chart(historyOf({ eu: { clients_connected: [1, 1, 1.2] } }), 'Connections')
  assert.match(one.remark, /; 1 client$/)
  assert.equal(gap.value, '7', 'nothing was reported in the last step yet')
  const names = (idle: number) => using(idle).lines.map(({ name }) => name)
  assert.deepEqual(names(40), ['clients', 'in use', 'idle', 'limit to servers'])
  assert.deepEqual(names(2), ['clients', 'in use', 'idle'])
})

test('without reports there are no values, and all steps', () => {
  const none = { ...historyOf({}), groups: [] }
  assert.deepEqual(
    fleetChartsOf(none).map(({ value }) => value),
    ['–', '–', '–', '–', '–', '–'],
  )
  assert.equal(chartTimesOf(none).times.length, 3)
})
