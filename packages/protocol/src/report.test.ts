import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeMetrics, Metrics } from '@imapfleet/observe'
import { reportSchema } from './report.ts'

test('a snapshot is what a report may hold', () => {
  const metrics = new Metrics(edgeMetrics)
  metrics.counters.logins_total({ upstream: 'main', result: 'ok' }).value = 5
  metrics.histograms.session_seconds.observe(1234)
  metrics.gauge('upstream_healthy', () => [[{ upstream: 'main' }, 1]])
  const report = {
    v: 1,
    edge: 'edge',
    region: 'eu',
    boot: '7b8f4a3e-3d0c-4a63-8d0b-1f9d6f5f3c11',
    at: 1,
    startedAt: 1,
    sequence: 1,
    ...metrics.snapshot(),
  }
  assert.equal(reportSchema.safeParse(report).success, true)
})
