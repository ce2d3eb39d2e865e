import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { edgeMetrics, Log, Metrics } from '@imapfleet/observe'
import { wireVersion, type Report } from '@imapfleet/protocol'
import { Outbox } from './outbox.ts'

const stateDir = temporaryDirectory('outbox')

const boot = '0d6c1a4e-5b2a-4b7e-8f11-2f1f0c9d7e55'
const report = (sequence: number): Report => ({
  ...{ v: wireVersion, edge: 'eu-1', region: 'eu', boot, at: 1000 + sequence, startedAt: 1000, sequence },
  ...{ counters: {}, gauges: {}, histograms: {} },
})

function outboxOf(max: number) {
  const dropped = new Metrics(edgeMetrics).counters.reports_dropped_total
  const log = new Log({ level: 'error', format: 'text' }, () => {})
  return { dropped, outbox: new Outbox({ stateDir, max, dropped, fleet: () => undefined, log }) }
}

test('reports that were not sent are loaded once after a restart, and unreadable lines are skipped', () => {
  const { outbox } = outboxOf(10)
  for (const sequence of [1, 2, 3]) outbox.add(report(sequence))
  outbox.save()
  appendFileSync(join(stateDir, 'outbox.jsonl'), '{"v":1\n')
  const { outbox: next } = outboxOf(10)
  next.load()
  assert.equal(next.size, 3)
  const { outbox: third } = outboxOf(10)
  third.load()
  assert.equal(third.size, 0)
})

test('a full outbox drops the oldest report and counts it', () => {
  const { outbox, dropped } = outboxOf(2)
  for (const sequence of [1, 2, 3]) outbox.add(report(sequence))
  assert.deepEqual([outbox.size, dropped.value], [2, 1])
})
