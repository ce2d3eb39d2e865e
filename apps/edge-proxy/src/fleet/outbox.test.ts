import assert from 'node:assert/strict'
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { edgeMetrics, Log, Metrics } from '@imapfleet/observe'
import { reportId, wireVersion, type Report } from '@imapfleet/protocol'
import { ScriptedNats } from './fleet.test-support.ts'
import { Outbox } from './outbox.ts'

const stateDir = temporaryDirectory('outbox')

const boot = '0d6c1a4e-5b2a-4b7e-8f11-2f1f0c9d7e55'
const report = (sequence: number): Report => ({
  ...{ v: wireVersion, edge: 'eu-1', region: 'eu', boot, at: 1000 + sequence, startedAt: 1000, sequence },
  ...{ counters: {}, gauges: {}, histograms: {} },
})

function outboxOf(max: number, nats?: ScriptedNats, directory = stateDir) {
  const { reports_dropped_total: dropped, reports_resent_total: resent } = new Metrics(edgeMetrics).counters
  let now = 0
  const log = new Log({ level: 'error', format: 'text' }, () => {})
  return {
    dropped,
    resent,
    later: (ms: number) => void (now += ms),
    outbox: new Outbox({
      stateDir: directory,
      max,
      dropped,
      resent,
      refused() {},
      fleet: () => nats?.handles,
      log,
      now: () => now,
    }),
  }
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

test('saved reports are sent once, in order, and then no report is left to save', async () => {
  const { outbox } = outboxOf(10)
  for (const sequence of [1, 2, 3]) outbox.add(report(sequence))
  outbox.save()
  const nats = new ScriptedNats()
  const { outbox: next } = outboxOf(10, nats)
  next.load()
  next.add(report(4))
  await Promise.all([next.send(), next.send()])
  assert.deepEqual(
    nats.stored.map(({ subject, message }) => [subject, (message as Report).sequence]),
    [1, 2, 3, 4].map((sequence) => ['imapfleet.report.eu.eu-1', sequence]),
  )
  assert.deepEqual(
    nats.stored.map(({ id }) => id),
    [1, 2, 3, 4].map((sequence) => reportId(report(sequence))),
  )
  assert.equal(next.size, 0)
  next.save()
  assert.equal(existsSync(join(stateDir, 'outbox.jsonl')), false)
})

test('if more reports were saved than the outbox may contain, the oldest are dropped and counted', () => {
  const { outbox } = outboxOf(10)
  for (const sequence of [1, 2, 3, 4]) outbox.add(report(sequence))
  outbox.save()
  const { outbox: next, dropped } = outboxOf(3)
  next.load()
  next.add(report(5))
  assert.deepEqual([next.size, dropped.value], [3, 2])
})

test('a report that NATS lost is sent again under another id, so that JetStream stores it', async () => {
  const nats = new ScriptedNats()
  const { outbox, later, resent, dropped } = outboxOf(10, nats, temporaryDirectory('outbox'))
  for (const sequence of [1, 2, 3]) outbox.add(report(sequence))
  await outbox.send()
  outbox.confirm('eu-1', { v: wireVersion, boot, sequences: [1, 3] })
  later(30_000)
  outbox.add(report(4))
  await outbox.send()
  assert.deepEqual(
    nats.stored.slice(3).map(({ id }) => id),
    [reportId(report(4)), `${reportId(report(2))}/1`],
  )
  assert.deepEqual([resent.value, dropped.value], [1, 0])
})

test('reports that control has not stored at a stop are sent again by the next run', async () => {
  const directory = temporaryDirectory('outbox')
  const { outbox } = outboxOf(10, new ScriptedNats(), directory)
  for (const sequence of [1, 2, 3]) outbox.add(report(sequence))
  await outbox.send()
  outbox.confirm('eu-1', { v: wireVersion, boot, sequences: [2] })
  outbox.save()
  const nats = new ScriptedNats()
  const { outbox: next } = outboxOf(10, nats, directory)
  next.load()
  await next.send()
  assert.deepEqual(
    nats.stored.map(({ message }) => (message as Report).sequence),
    [1, 3],
  )
})

test('a report that cannot be saved is an exception, so that the loss is logged', () => {
  const file = join(temporaryDirectory('outbox'), 'file')
  writeFileSync(file, '')
  const { outbox } = outboxOf(10, undefined, file)
  outbox.load()
  outbox.save()
  outbox.add(report(1))
  assert.throws(() => outbox.save())
})

test('a replaced process saves to a separate file, and the next start loads both files', () => {
  const directory = temporaryDirectory('outbox')
  const { outbox: older } = outboxOf(10, undefined, directory)
  older.add(report(1))
  older.leave(boot)
  const { outbox: newer } = outboxOf(10, undefined, directory)
  newer.load()
  newer.add(report(2))
  newer.save()
  older.save()
  const { outbox: next } = outboxOf(10, undefined, directory)
  next.load()
  assert.equal(next.size, 2)
  const { outbox: last } = outboxOf(10, undefined, directory)
  last.load()
  assert.equal(last.size, 0)
})
