import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { encode, subjects, type OrderAnswer } from '@imapfleet/protocol'
import { Answers } from './gather.ts'

const order = randomUUID()

const from = (boot: string, said: Partial<OrderAnswer>) => {
  const answer = {
    v: 1,
    edge: 'eu-1',
    region: 'eu',
    boot,
    at: 0,
    order,
    ok: true,
    result: null,
    more: false,
    ...said,
  }
  return { subject: subjects.answer({ region: 'eu', edge: 'eu-1' }, order), data: encode(answer) }
}

const [one, two] = [randomUUID(), randomUUID()]

test('if two processes use one edge id, the order is ambiguous, and both answers are told', () => {
  const answers = new Answers('kick-user')
  assert.deepEqual(answers.add(from(one, { result: { sessions: 1 } })), { edge: 'eu-1', processes: 1 })
  assert.deepEqual(answers.outcomes.get('eu-1'), { ok: true, result: { sessions: 1 } })
  assert.deepEqual(answers.add(from(two, { ok: false, reason: 'no' })), { edge: 'eu-1', processes: 2 })
  assert.deepEqual(answers.outcomes.get('eu-1'), {
    ok: false,
    reason:
      `2 processes use its id, and each has carried out the order (boot ${one}: ended 1 session; boot ${two}: no): ` +
      'give each its own edge.id',
  })
})

test('the parts of a long answer are not mixed with those of another process', () => {
  const answers = new Answers('who')
  const connection = { user: 'joe', upstream: 'main', state: 'idle', since: 0, uses: 1 }
  assert.equal(answers.add(from(one, { result: [connection], more: true })), undefined)
  answers.add(from(two, { result: [] }))
  assert.deepEqual(answers.outcomes.get('eu-1'), { ok: true, result: [] })
  assert.equal(answers.add(from(one, { result: [connection] }))?.processes, 2)
  assert.match(JSON.stringify(answers.outcomes.get('eu-1')), /2 connections.*0 connections/)
})

test('a process answers once, and an edge with endless processes fills no memory', () => {
  const answers = new Answers('kick-user')
  answers.add(from(one, { result: { sessions: 1 } }))
  assert.equal(answers.add(from(one, { result: { sessions: 2 } })), undefined)
  assert.deepEqual(answers.outcomes.get('eu-1'), { ok: true, result: { sessions: 1 } })
  for (let count = 0; count < 100; count++) answers.add(from(randomUUID(), { result: { sessions: 0 } }))
  assert.match(JSON.stringify(answers.outcomes.get('eu-1')), /8 processes/)
})

test('an edge with an endless answer takes no room from the answers of others', () => {
  const answers = new Answers('who')
  const connection = { user: 'x'.repeat(900), upstream: 'main', state: 'idle', since: 0, uses: 1 }
  const part = Array.from({ length: 1_000 }, () => connection)
  for (let count = 0; count < 30; count++) answers.add(from(one, { result: part, more: true }))
  assert.match(JSON.stringify(answers.outcomes.get('eu-1')), /omitted because it exceeds 4 MiB/)
  for (let edge = 2; edge < 12; edge++) {
    const id = `eu-${edge}`
    const { data } = from(two, { edge: id, result: part })
    const subject = subjects.answer({ region: 'eu', edge: id }, order)
    assert.deepEqual(answers.add({ subject, data }), { edge: id, processes: 1 })
    assert.equal(answers.outcomes.get(id)?.ok, true, id)
  }
})
