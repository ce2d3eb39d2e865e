import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { percentile, reportSchema } from '@imapfleet/protocol'
import { Counters } from './counters.ts'

test('whoever asks for the same series counts in the same place', () => {
  const counters = new Counters()
  counters.counter('sessions_total', { ending: 'logout' }).value += 2
  counters.counter('sessions_total', { ending: 'logout' }).value++
  counters.counter('sessions_total', { ending: 'client-gone' }).value++
  const { counters: seen } = counters.snapshot()
  assert.equal(seen['sessions_total{ending="logout"}'], 3)
  assert.equal(seen['sessions_total{ending="client-gone"}'], 1)
})

test('gauges are asked for when somebody looks, and never kept', () => {
  const counters = new Counters()
  let idle = 0
  counters.gauges(() => ({ upstreams_idle: idle }))
  counters.gauges(() => ({ traces_active: 7 }))
  for (idle of [3, 0, 5])
    assert.deepEqual(
      [counters.snapshot().gauges['upstreams_idle'], counters.snapshot().gauges['traces_active']],
      [idle, 7],
    )
})

test('a source of gauges may bring its counters up to date, and they are seen at once', () => {
  const counters = new Counters()
  const bytes = counters.counter('client_bytes_total')
  counters.gauges(() => {
    bytes.value = 42
    return {}
  })
  assert.equal(counters.snapshot().counters['client_bytes_total'], 42)
})

test('memory and processor time are in every snapshot', () => {
  const { counters, gauges } = new Counters().snapshot()
  assert.ok(counters['cpu_seconds_total']! > 0)
  assert.ok(gauges['memory_rss_bytes']! > 1_000_000)
})

test('no duration is lost: the count is exact, the sum is exact, a percentile is right within a bucket', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 50 }),
      (milliseconds) => {
        const counters = new Counters()
        const timings = counters.timings('login_seconds')
        for (const value of milliseconds) timings.observe(value)
        const { sum, counts } = counters.snapshot().histograms['login_seconds']!
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

test('a snapshot is what a report may hold', () => {
  const counters = new Counters()
  counters.counter('logins_total', { upstream: 'main', result: 'ok' }).value = 5
  counters.timings('session_seconds').observe(1234)
  const report = {
    v: 1,
    edge: 'edge',
    region: 'eu',
    boot: '7b8f4a3e-3d0c-4a63-8d0b-1f9d6f5f3c11',
    at: 1,
    startedAt: 1,
    sequence: 1,
    ...counters.snapshot(),
  }
  assert.equal(reportSchema.safeParse(report).success, true)
})
