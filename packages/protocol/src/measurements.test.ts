import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketBound, bucketCount, edgeMetrics, Metrics, seriesKey } from '@imapfleet/observe'
import * as fc from 'fast-check'
import { decode, encode } from './envelope.ts'
import { seriesOfEdgeMax } from './measurements.ts'
import { presenceSchema } from './presence.ts'
import { reportSchema, type Report } from './report.ts'

const sender = { v: 1, edge: 'eu-1', region: 'eu', boot: '0191d5a0-0000-7000-8000-000000000001', at: 1 }
const reportWith = (measured: object) =>
  decode(
    reportSchema,
    encode({ ...sender, startedAt: 1, sequence: 1, counters: {}, gauges: {}, histograms: {}, ...measured }),
  )
const heartbeatWith = (measured: object) =>
  decode(
    presenceSchema,
    encode({
      ...sender,
      version: '1',
      startedAt: 1,
      state: 'serving',
      config: { applied: 0 },
      revocations: 0,
      gauges: {},
      degraded: [],
      listeners: [],
      ...measured,
    }),
  )
const accepted = (measured: object): Report => {
  const decoded = reportWith(measured)
  return decoded.ok ? decoded.value : assert.fail(decoded.reason)
}
const refusal = (measured: object): string => {
  const [report, heartbeat] = [reportWith(measured), heartbeatWith(measured)]
  const isCommon = !('histograms' in measured)
  if (isCommon) assert.equal(report.ok, heartbeat.ok)
  return report.ok ? assert.fail(`${JSON.stringify(measured)} was accepted`) : report.reason
}

test('what an edge counts passes unchanged', () => {
  const metrics = new Metrics(edgeMetrics)
  metrics.counters.logins_total({ upstream: 'main', result: 'ok' }).value = 5
  metrics.counterFrom('cpu_seconds_total', () => 1.75)
  metrics.gauge('upstream_healthy', () => [
    [{ upstream: 'main' }, 1],
    [{ upstream: `0_a-${'z'.repeat(59)}` }, 0],
  ])
  metrics.gauge('certificate_expiry_seconds', () => [[{ owner: 'listeners.imaps' }, 1_800_000_000.5]])
  for (const milliseconds of [0, 0.0001, 0.001, 1, 1.0000001, 1234, 86_400_000])
    metrics.histograms.session_seconds.observe(milliseconds)
  const { counters, gauges, histograms, leftOut } = accepted(metrics.snapshot())
  assert.deepEqual({ counters, gauges, histograms }, metrics.snapshot())
  assert.equal(leftOut, undefined)
})

test('metrics and labels that the table does not have are left out and counted, and the rest is accepted', () => {
  const { counters, gauges, histograms, leftOut } = accepted({
    counters: {
      client_bytes_total: 1,
      of_a_newer_version_total: 2,
      'sessions_total{ending="logout",node="a"}': 3,
      sessions_total: 4,
      // Metrics of control and of the fleet are not an edge's to report.
      control_reports_total: 5,
      'logins_total{upstream="main",result="invented"}': 5,
      'sessions_total{ending="constructor"}': 6,
      constructor: 6,
      toString: 7,
    },
    gauges: { edge_up: 0 },
    histograms: { new_seconds: { sum: 0, counts: {} } },
  })
  assert.deepEqual(
    { counters, gauges, histograms },
    { counters: { client_bytes_total: 1 }, gauges: {}, histograms: {} },
  )
  assert.deepEqual(leftOut, { unknown: 10, invalid: 0, beyondLimit: 0 })
})

test('a key cannot break a line, repeat a series in another spelling, or be of another kind', () => {
  const forged = 'client_bytes_total 1\nimapfleet_edge_up{edge="us-1"} 0'
  for (const key of [
    forged,
    'upstream_reuses_total{upstream="x\n"}',
    'upstream_reuses_total{upstream="x\\n"}',
    'upstream_reuses_total{upstream="x\r"}',
    'upstream_reuses_total{upstream=""}',
    'upstream_reuses_total{upstream="a b"}',
    'upstream_reuses_total{upstream="\u0000"}',
    'upstream_reuses_total{upstream="\ud800"}',
    'upstream_reuses_total{upstream="é"}',
    `upstream_reuses_total{upstream="${'x'.repeat(101)}"}`,
    'upstream_reuses_total{upstream="a"} ',
    'upstream_reuses_total{ upstream="a"}',
    'logins_total{result="ok",upstream="a"}',
    'logins_total{upstream="a",upstream="b",result="ok"}',
    'upstream_reuses_total{upstream="a"}}',
    'upstreams_idle',
    `client_bytes_total${' '.repeat(300)}`,
  ]) {
    const { counters, leftOut } = accepted({ counters: { [key]: 1, client_connections_total: 2 } })
    assert.deepEqual(counters, { client_connections_total: 2 }, key)
    assert.equal(leftOut!.unknown + leftOut!.invalid, 1, key)
    const heartbeat = heartbeatWith({ counters: { [key]: 1 } })
    assert.ok(heartbeat.ok && Object.keys(heartbeat.value.counters!).length === 0, key)
  }
})

test('a value that no edge can have refuses the message, and the reason names the series', () => {
  assert.equal(
    refusal({ counters: { client_bytes_total: 1e308 } }),
    'counters.client_bytes_total: has a value that no edge can have',
  )
  for (const counters of [
    { client_bytes_total: -1 },
    { client_bytes_total: 0.5 },
    { client_bytes_total: 2 ** 53 },
  ])
    assert.match(refusal({ counters }), /^counters\.client_bytes_total: /)
  for (const gauges of [
    { upstreams_idle: -1 },
    { upstreams_idle: 1e300 },
    { 'upstream_healthy{upstream="a"}': 2 },
  ])
    assert.match(refusal({ gauges }), /^gauges\./)
  for (const counters of [
    [1],
    'x',
    null,
    { client_bytes_total: '1' },
    { client_bytes_total: null },
    { client_bytes_total: {} },
  ])
    assert.match(refusal({ counters }), /^counters(\.client_bytes_total)?: /)
})

test('a histogram has whole counts in known buckets, and a sum that fits them', () => {
  const login = (histogram: object) => reportWith({ histograms: { login_seconds: histogram } }).ok
  assert.equal(login({ sum: bucketBound(80) * 3, counts: { 80: 3 } }), true)
  assert.equal(login({ sum: bucketBound(79) * 3, counts: { 80: 3 } }), true)
  assert.equal(login({ sum: 0, counts: {} }), true)
  assert.equal(login({ sum: 86_400, counts: { [bucketCount - 1]: 1 } }), true)
  for (const wrong of [
    { sum: 1e308, counts: { 80: 3 } },
    { sum: 1e308, counts: { [bucketCount - 1]: 3 } },
    { sum: 1, counts: {} },
    { sum: 1, counts: { 80: 3 } },
    { sum: 0, counts: { 80: 3 } },
    { sum: -1, counts: { 0: 1 } },
    { sum: 1, counts: { 80: 1.5 } },
    { sum: 1, counts: { 80: -1 } },
    { sum: 1, counts: { 80: 2 ** 60 } },
    { sum: 1, counts: { '080': 1 } },
    { sum: 1, counts: { [bucketCount]: 1 } },
    { sum: 1, counts: { '-1': 1 } },
    // Together too many.
    { sum: 2 ** 53 * bucketBound(80), counts: { 80: 2 ** 53 - 1, 81: 1 } },
    { sum: 1, counts: [] },
    { counts: {} },
  ])
    assert.equal(login(wrong), false, JSON.stringify(wrong))
  assert.equal(heartbeatWith({ logins: { sum: 1e308, counts: { 80: 3 } } }).ok, false)
})

test('one message has at most the series of one edge', () => {
  const many = (count: number, name: 'upstream_healthy' | 'upstream_reuses_total') =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [seriesKey(name, { upstream: `u${index}` }), 1]),
    )
  const { counters, gauges, leftOut } = accepted({
    counters: many(seriesOfEdgeMax - 10, 'upstream_reuses_total'),
    gauges: many(30, 'upstream_healthy'),
  })
  assert.equal(Object.keys(counters).length + Object.keys(gauges).length, seriesOfEdgeMax)
  assert.deepEqual(leftOut, { unknown: 0, invalid: 0, beyondLimit: 20 })
})

test('whatever the keys, what is accepted is a series of the table in its only spelling', () => {
  const names = Object.keys(edgeMetrics)
  const pieces = fc.constantFrom(
    '{',
    '}',
    '"',
    '=',
    ',',
    '\\',
    '\n',
    ' ',
    'upstream',
    'result',
    'ending',
    'a',
    'edge',
    '__proto__',
  )
  const key = fc
    .tuple(fc.constantFrom(...names, '__proto__', ''), fc.array(pieces, { maxLength: 12 }))
    .map(([name, rest]) => name + rest.join(''))
  fc.assert(
    fc.property(fc.array(key, { maxLength: 20 }), (keys) => {
      const text = `{${keys.map((each) => `${JSON.stringify(each)}:1`).join(',')}}`
      const { counters } = accepted({ counters: JSON.parse(text) as object })
      for (const each of Object.keys(counters))
        assert.match(each, /^[a-z_]+(\{([a-z]+="[A-Za-z0-9_.:/-]+",?)+\})?$/)
    }),
    { seed: 20_261_201, numRuns: 2_000 },
  )
})

test('a message without series that are left out has no such field, whatever its sender claims', () => {
  const { leftOut } = accepted({ leftOut: { unknown: 5, invalid: 0, beyondLimit: 0 } })
  assert.equal(leftOut, undefined)
})
