import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { percentile } from './histogram.ts'
import { edgeMetrics } from './metrics.ts'
import { Metrics } from './registry.ts'

test('the same label values always give the same counter', () => {
  const metrics = new Metrics(edgeMetrics)
  const { counters } = metrics
  counters.sessions_total({ ending: 'logout' }).value += 2
  counters.sessions_total({ ending: 'logout' }).value++
  counters.sessions_total({ ending: 'client-gone' }).value++
  counters.client_bytes_total.value += 8
  assert.equal(counters.sessions_total({ ending: 'logout' }), counters.sessions_total({ ending: 'logout' }))
  const { counters: seen } = metrics.snapshot()
  assert.equal(seen['sessions_total{ending="logout"}'], 3)
  assert.equal(seen['sessions_total{ending="client-gone"}'], 1)
  assert.equal(seen['client_bytes_total'], 8)
})

test('series differ if any label value differs, and labels have the order of the row', () => {
  const row = { kind: 'counter', help: '', labels: ['upstream', 'result'] } as const
  const metrics = new Metrics({ logins_total: row })
  const { logins_total: logins } = metrics.counters
  const pairs = ['a', 'b', 'a"', 'a,b', ''].flatMap((upstream) =>
    ['a', 'b', ''].map((result) => ({ result, upstream })),
  )
  for (const [index, labels] of pairs.entries()) logins(labels).value = index + 1
  assert.deepEqual(
    pairs.map((labels) => logins(labels).value),
    pairs.map((_, index) => index + 1),
  )
  assert.ok('logins_total{upstream="a,b",result="b"}' in metrics.snapshot().counters)
})

test('a counter without labels and a histogram are in the snapshot before anything was counted', () => {
  const { counters, histograms } = new Metrics(edgeMetrics).snapshot()
  assert.equal(counters['reports_dropped_total'], 0)
  assert.deepEqual(histograms['lease_wait_seconds'], { sum: 0, counts: {} })
  assert.ok(Object.keys(counters).every((key) => !key.includes('{')))
})

test('a gauge is read at each snapshot, and is absent without a source', () => {
  const metrics = new Metrics(edgeMetrics)
  let idle = 0
  metrics.gauge('upstreams_idle', () => idle)
  metrics.gauge('upstream_healthy', () => [
    [{ upstream: 'main' }, 1],
    [{ upstream: 'old' }, 0],
  ])
  for (idle of [3, 0, 5])
    assert.deepEqual(metrics.snapshot().gauges, {
      upstreams_idle: idle,
      'upstream_healthy{upstream="main"}': 1,
      'upstream_healthy{upstream="old"}': 0,
    })
})

test('a counter with its own source is read at each snapshot', () => {
  const metrics = new Metrics(edgeMetrics)
  let seconds = 0
  metrics.counterFrom('cpu_seconds_total', () => seconds)
  for (seconds of [1.5, 2]) assert.equal(metrics.snapshot().counters['cpu_seconds_total'], seconds)
})

test('a wrong name, a missing label and a reading of the wrong shape are type errors', () => {
  const metrics = new Metrics(edgeMetrics)
  const misuses = () => {
    // @ts-expect-error -- no such gauge
    metrics.gauge('upstreams_idel', () => 1)
    // @ts-expect-error -- a counter is no gauge
    metrics.gauge('client_bytes_total', () => 1)
    // @ts-expect-error -- has a label
    metrics.gauge('upstream_healthy', () => 1)
    // @ts-expect-error -- has a label
    metrics.counterFrom('sessions_total', () => 1)
    // @ts-expect-error -- one label is missing
    metrics.counters.logins_total({ upstream: 'main' })
    // @ts-expect-error -- has no label
    metrics.counters.client_bytes_total({ upstream: 'main' })
    // @ts-expect-error -- no such histogram
    metrics.histograms.logins_total.observe(1)
  }
  assert.equal(typeof misuses, 'function')
})

test('no duration is lost: the count is exact, the sum is exact, a percentile is right within a bucket', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 50 }),
      (milliseconds) => {
        const metrics = new Metrics(edgeMetrics)
        for (const value of milliseconds) metrics.histograms.login_seconds.observe(value)
        const { sum, counts } = metrics.snapshot().histograms['login_seconds']!
        const total = Object.values(counts).reduce((all, count) => all + count, 0)
        assert.equal(total, milliseconds.length)
        assert.ok(
          Math.abs(sum - milliseconds.reduce((all, value) => all + value, 0) / 1000) < 1e-6 * (1 + sum),
        )
        const highest = Math.max(...milliseconds) / 1000
        assert.ok(percentile(counts, 1)! >= highest * 0.999)
        assert.ok(percentile(counts, 1)! <= Math.max(highest * 1.1, 1.1e-6))
      },
    ),
    { seed: 24, numRuns: 300 },
  )
})
