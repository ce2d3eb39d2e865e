import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlMetrics, edgeMetrics } from './metrics.ts'
import { printPrometheus } from './prometheus.ts'
import { Metrics } from './registry.ts'

test('a page has each metric once, with its help text and the series of all sources', () => {
  const page = printPrometheus(edgeMetrics, [
    {
      labels: { edge: 'a"b', region: 'eu' },
      counters: { client_bytes_total: 1 },
      gauges: { upstreams_idle: 4 },
    },
    {
      labels: { edge: 'c', region: 'us' },
      counters: { client_bytes_total: 2, 'sessions_total{ending="logout"}': 3 },
      gauges: { upstreams_idle: 0 },
    },
  ])
  assert.equal(
    page,
    [
      '# HELP imapfleet_sessions_total Sessions ended, by ending.',
      '# TYPE imapfleet_sessions_total counter',
      'imapfleet_sessions_total{edge="c",region="us",ending="logout"} 3',
      '# HELP imapfleet_client_bytes_total Bytes received from clients.',
      '# TYPE imapfleet_client_bytes_total counter',
      String.raw`imapfleet_client_bytes_total{edge="a\"b",region="eu"} 1`,
      'imapfleet_client_bytes_total{edge="c",region="us"} 2',
      '# HELP imapfleet_upstreams_idle Idle upstream connections kept for their user (cached).',
      '# TYPE imapfleet_upstreams_idle gauge',
      String.raw`imapfleet_upstreams_idle{edge="a\"b",region="eu"} 4`,
      'imapfleet_upstreams_idle{edge="c",region="us"} 0',
      '',
    ].join('\n'),
  )
})

test('the metrics of a process without source labels have only their own labels', () => {
  const metrics = new Metrics(controlMetrics)
  metrics.counters.control_reports_total.value += 42
  metrics.counters.control_invalid_messages_total({ sent_as: 'report' }).value++
  const lines = printPrometheus(controlMetrics, [metrics.snapshot()]).split('\n')
  assert.ok(lines.includes('imapfleet_control_reports_total 42'))
  assert.ok(lines.includes('imapfleet_control_heartbeats_total 0'))
  assert.ok(lines.includes('imapfleet_control_invalid_messages_total{sent_as="report"} 1'))
})

test('a histogram is printed cumulatively, up to +Inf, with its sum and count', () => {
  const metrics = new Metrics(edgeMetrics)
  for (const milliseconds of [0.2, 3, 3, 40_000]) metrics.histograms.login_seconds.observe(milliseconds)
  const { histograms } = metrics.snapshot()
  const lines = printPrometheus(edgeMetrics, [{ histograms, labels: { edge: 'a' } }]).split('\n')
  const of = (start: string) =>
    Number(
      lines
        .find((line) => line.startsWith(start))
        ?.split(' ')
        .at(-1),
    )
  const name = 'imapfleet_login_seconds'
  assert.deepEqual(
    ['0.0001', '0.001', '0.005', '10', '60', '+Inf'].map((le) => of(`${name}_bucket{edge="a",le="${le}"}`)),
    [0, 1, 3, 3, 4, 4],
  )
  assert.equal(of(`${name}_count{edge="a"}`), 4)
  assert.ok(Math.abs(of(`${name}_sum{edge="a"}`) - 40.0062) < 1e-9)
})

test('nothing that a source sends can break the page: unknown metrics and labels are left out, values are escaped', () => {
  const page = printPrometheus(edgeMetrics, [
    {
      labels: { edge: 'a', 'region="x"} 1\nforged': 'b' },
      counters: {
        'sessions_total{ending="x\ny"}': 1,
        'sessions_total{edge="other",ending="z"}': 2,
        'sessions_total{"} 9\nforged 1': 3,
        'unheard_of_total 1\nforged': 4,
        constructor: 5,
        edge_up: 6,
        upstreams_idle: 7,
        'sessions_total{ending="z",edge="again"}': 8,
        client_bytes_total: '1\nforged 2' as unknown as number,
      },
      histograms: {
        unheard_of_seconds: { sum: 1, counts: { 3: 1 } },
        constructor: { sum: 1, counts: {} },
        client_bytes_total: { sum: 1, counts: {} },
        login_seconds: { sum: '1\nforged 2' as unknown as number, counts: {} },
      },
    },
  ])
  assert.deepEqual(page.split('\n').slice(2), [
    String.raw`imapfleet_sessions_total{edge="a",ending="x\ny"} 1`,
    'imapfleet_sessions_total{edge="a",ending="z"} 2',
    'imapfleet_sessions_total{edge="a",ending=""} 3',
    '',
  ])
})
