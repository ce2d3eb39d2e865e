import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode, reportSchema } from '@imapfleet/protocol'
import { figuresAt } from './figures.ts'

test('control accepts every figure of a simulated edge', () => {
  const sender = { v: 1, edge: 'eu-1', region: 'eu', boot: '0191d5a0-0000-7000-8000-000000000001', at: 1 }
  for (const sequence of [1, 50, 8_640]) {
    const figures = figuresAt(sequence)
    const decoded = decode(reportSchema, encode({ ...sender, startedAt: 1, sequence, ...figures }))
    assert.ok(decoded.ok, decoded.ok ? '' : decoded.reason)
    const { counters, gauges, histograms, leftOut } = decoded.value
    assert.deepEqual({ counters, gauges, histograms, leftOut }, { ...figures, leftOut: undefined })
  }
})
