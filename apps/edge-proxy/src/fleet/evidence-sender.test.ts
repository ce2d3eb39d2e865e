import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import type { NatsHandles } from '@imapfleet/nats'
import { edgeMetrics, Log, Metrics } from '@imapfleet/observe'
import {
  decode,
  evidenceBytesMax,
  evidencePauseMs,
  evidenceSchema,
  type EvidenceMessage,
} from '@imapfleet/protocol'
import { untilTrue } from '../pool/pool.test-support.ts'
import { runtime } from '../runtime.ts'
import { EvidenceSender } from './evidence-sender.ts'

const sender = { edge: 'eu-1', region: 'eu', boot: '0191d5a0-0000-7000-8000-000000000001' }

/** A sender with a stand-in for NATS, which is up at first. */
function atWork({ max = 100, stateDir = temporaryDirectory('evidence') } = {}) {
  const messages: EvidenceMessage[] = []
  const nats = { isUp: true, answer: (): Promise<void> => Promise.resolve() }
  const publish = async (subject: string, data: Uint8Array) => {
    assert.equal(subject, 'imapfleet.evidence.eu.eu-1')
    assert.ok(data.length <= evidenceBytesMax)
    const decoded = decode(evidenceSchema, data)
    assert.ok(decoded.ok)
    await nats.answer()
    messages.push(decoded.value)
  }
  const { counters } = new Metrics(edgeMetrics)
  const evidence = new EvidenceSender({
    sender,
    stateDir,
    fleet: () => (nats.isUp ? ({ jetstream: { publish } } as unknown as NatsHandles) : undefined),
    sent: counters.evidence_sent_total,
    overflowed: counters.evidence_overflows_total,
    refused() {},
    log: new Log({ level: 'debug', format: 'text' }, () => {}),
    max,
  })
  const sent = () => messages.flatMap(({ changes }) => changes.map(({ kind, user }) => `${kind} ${user}`))
  return { evidence, messages, nats, sent, counters, file: join(stateDir, 'evidence.json'), stateDir }
}

test('changes are sent immediately, and changes of the same turn in one message', async () => {
  const { evidence, messages, sent, counters } = atWork()
  evidence.add({ kind: 'proven', user: 'joe' })
  evidence.add({ kind: 'refused', user: 'jane' })
  await untilTrue(() => evidence.isEmpty)
  assert.deepEqual(sent(), ['proven joe', 'refused jane'])
  assert.equal(messages.length, 1)
  assert.equal(counters.evidence_sent_total.value, 2)
})

test('between two messages there is a pause, so that the limit of the stream is not reached', async (t) => {
  let now = 5_000
  const due = new Map<unknown, { at: number; callback: () => void }>()
  t.mock.method(runtime, 'now', () => now)
  t.mock.method(runtime, 'after', (ms: number, callback: () => void) => {
    const timer = { unref: () => timer }
    due.set(timer, { at: now + ms, callback })
    return timer
  })
  t.mock.method(runtime, 'cancel', (timer: unknown) => void due.delete(timer))
  const pass = (ms: number) => {
    now += ms
    for (const [timer, { at, callback }] of [...due]) if (at <= now && due.delete(timer)) callback()
  }
  const { evidence, messages } = atWork()
  const add = async (user: string) => {
    evidence.add({ kind: 'proven', user })
    await untilTrue(() => due.size === 1)
  }
  await add('a')
  pass(0)
  await untilTrue(() => evidence.isEmpty)
  for (const [count, user] of ['b', 'c'].entries()) {
    await add(user)
    pass(evidencePauseMs - 1)
    assert.deepEqual([messages.length, due.size], [count + 1, 1])
    pass(1)
    await untilTrue(() => evidence.isEmpty)
    assert.equal(messages.length, count + 2)
  }
  // After a longer pause, the next message is sent immediately.
  pass(evidencePauseMs)
  await add('d')
  pass(0)
  await untilTrue(() => evidence.isEmpty)
  assert.equal(messages.length, 4)
})

test('each user waits once, with the latest change', async () => {
  const { evidence, nats, sent } = atWork()
  nats.isUp = false
  evidence.add({ kind: 'proven', user: 'joe' })
  evidence.add({ kind: 'refused', user: 'joe' })
  assert.equal(evidence.size, 1)
  nats.isUp = true
  await evidence.send()
  assert.deepEqual(sent(), ['refused joe'])
})

test('changes that arrive while a message is being sent are sent afterwards, also those of the same user', async () => {
  const { evidence, nats, sent } = atWork()
  const { promise, resolve } = Promise.withResolvers<void>()
  nats.answer = () => promise
  evidence.add({ kind: 'proven', user: 'joe' })
  const sending = evidence.send()
  evidence.add({ kind: 'proven', user: 'joe' })
  evidence.add({ kind: 'proven', user: 'jane' })
  resolve()
  await sending
  await evidence.flush()
  assert.deepEqual(sent(), ['proven joe', 'proven joe', 'proven jane'])
})

test('messages that NATS does not acknowledge are sent again', async () => {
  const { evidence, nats, sent } = atWork()
  nats.answer = () => Promise.reject(new Error('no'))
  evidence.add({ kind: 'proven', user: 'joe' })
  await evidence.send()
  assert.deepEqual([evidence.size, sent()], [1, []])
  nats.answer = () => Promise.resolve()
  await untilTrue(() => evidence.isEmpty)
  assert.deepEqual(sent(), ['proven joe'])
})

test('if too many users wait, they are removed, and the other edges are told to treat all users as changed', async () => {
  const { evidence, nats, messages, counters } = atWork({ max: 3 })
  nats.isUp = false
  for (const user of ['a', 'b', 'c', 'd', 'e']) evidence.add({ kind: 'proven', user })
  assert.ok(evidence.size <= 3)
  assert.equal(counters.evidence_overflows_total.value, 1)
  nats.isUp = true
  // An overflow while that message is in flight must also be sent.
  nats.answer = async () => {
    nats.answer = () => Promise.resolve()
    for (const user of ['f', 'g', 'h', 'i', 'j']) evidence.add({ kind: 'proven', user })
  }
  await evidence.flush()
  assert.deepEqual(
    messages.map(({ isIncomplete }) => isIncomplete),
    [true, true],
  )
  assert.ok(evidence.isEmpty)
  evidence.add({ kind: 'proven', user: 'k' })
  await evidence.flush()
  assert.equal(messages.at(-1)?.isIncomplete, false)
})

test('a message is never too large, however long the names are', async () => {
  const { evidence, messages, sent } = atWork({ max: 10_000 })
  for (let count = 0; count < 1500; count++)
    evidence.add({ kind: 'proven', user: `${count}${'\u0001'.repeat(300)}` })
  await evidence.flush()
  assert.equal(sent().length, 1500)
  assert.ok(messages.length > 1)
})

test('changes that could not be sent before a stop are sent by the next run', async () => {
  const first = atWork()
  first.nats.isUp = false
  first.evidence.add({ kind: 'proven', user: 'joe' })
  await first.evidence.flush()
  first.evidence.save()
  const { evidence, sent, file, messages } = atWork({ stateDir: first.stateDir })
  evidence.load()
  await evidence.send()
  assert.deepEqual([sent(), messages[0]?.isIncomplete], [['proven joe'], false])
  assert.equal(existsSync(file), false)
})

test('if the edge is killed while NATS is down, its next run reports that changes are missing', async () => {
  const killed = atWork()
  killed.nats.isUp = false
  killed.evidence.add({ kind: 'proven', user: 'joe' })
  await untilTrue(() => existsSync(killed.file))
  assert.doesNotMatch(readFileSync(killed.file, 'utf8'), /joe/)
  for (const content of [undefined, 'garbage', '']) {
    if (content !== undefined) writeFileSync(killed.file, content)
    const { evidence, messages, file } = atWork({ stateDir: killed.stateDir })
    evidence.load()
    await evidence.send()
    assert.deepEqual([messages.length, messages[0]?.isIncomplete], [1, true])
    assert.equal(existsSync(file), false)
  }
})

test('a run without changes leaves no file, and sends nothing', async () => {
  const { evidence, messages, file } = atWork()
  evidence.load()
  await evidence.send()
  await evidence.flush()
  evidence.save()
  assert.deepEqual([messages.length, existsSync(file)], [0, false])
})

test('changes that a replaced process could not send are sent after the next start, and its file is then removed', async () => {
  const older = atWork()
  older.nats.isUp = false
  older.evidence.add({ kind: 'proven', user: 'joe' })
  older.evidence.leave()
  const newer = atWork({ stateDir: older.stateDir })
  newer.evidence.load()
  newer.nats.isUp = false
  newer.evidence.add({ kind: 'proven', user: 'ann' })
  newer.evidence.save()
  older.evidence.save()
  const { evidence, sent } = atWork({ stateDir: older.stateDir })
  evidence.load()
  await evidence.send()
  assert.deepEqual(sent().toSorted(), ['proven ann', 'proven joe'])
  assert.deepEqual(readdirSync(older.stateDir), [])
})
