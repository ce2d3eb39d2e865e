import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { History } from '@imapfleet/api'
import { refusalMetrics, refusalsOf } from './refusals.ts'

const historyWith = (totals: Record<string, number>): History => ({
  from: '2026-11-27T10:00:00Z',
  to: '2026-11-27T11:00:00Z',
  stepSeconds: 3600,
  resolution: '1m',
  groupBy: 'fleet',
  metrics: refusalMetrics,
  groups: [{ group: 'fleet', values: [], totals: refusalMetrics.map((metric) => totals[metric] ?? 0) }],
})

test('reasons are in words, the most frequent first, and add up to the total', () => {
  const { all, reasons, sessions } = refusalsOf(
    historyWith({
      reuse_refused_total: 10,
      sessions_total: 200,
      'reuse_refused_total{reason="notify"}': 2,
      'reuse_refused_total{reason="open-literal"}': 5,
    }),
  )
  assert.deepEqual([all, sessions], [10, 200])
  assert.deepEqual(
    reasons.map(({ reason, count }) => [reason, count]),
    [
      ['open-literal', 5],
      ['other', 3],
      ['notify', 2],
    ],
  )
})

test('without refusals the list is empty, and control accepts all reasons in one query', () => {
  assert.deepEqual(refusalsOf({ ...historyWith({}), groups: [] }), { all: 0, reasons: [], sessions: null })
  assert.ok(refusalMetrics.length <= 50)
})
