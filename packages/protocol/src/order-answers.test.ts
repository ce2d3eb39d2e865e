import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode, messageBytesMax } from './envelope.ts'
import {
  AnswerParts,
  orderAnswerSchema,
  toAnswers,
  type OrderAnswer,
  type OrderOutcome,
} from './order-answers.ts'
import type { Connection, OrderKind } from './orders.ts'

const id = '0191d5a0-0000-7000-8000-000000000001'
const head = { v: 1, edge: 'eu-1', region: 'eu', boot: id, at: 1, order: id } as const

/** Through the wire and back. */
function carried(kind: OrderKind, outcome: OrderOutcome): { messages: number; outcome: unknown } {
  const messages = toAnswers(head, outcome).map(encode)
  const parts = new AnswerParts(kind)
  let whole: unknown
  for (const bytes of messages) {
    assert.equal(whole, undefined, 'nothing follows the last message')
    const decoded = decode(orderAnswerSchema, bytes)
    assert.ok(decoded.ok)
    whole = parts.add(decoded.value)
  }
  return { messages: messages.length, outcome: whole }
}

const connections = (count: number, userLength: number): Connection[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ user: '\x01'.repeat(userLength), upstream: 'main', state: 'idle', since: 1, uses: index },
  }))

test('an outcome is joined from its messages as it was split', () => {
  const outcomes: [OrderKind, OrderOutcome][] = [
    ['kick-user', { ok: true, result: { sessions: 3 } }],
    ['newlog', { ok: true, result: {} }],
    ['who', { ok: true, result: [] }],
    ['who', { ok: true, result: connections(3, 3) }],
    ['who', { ok: false, reason: 'the order has expired' }],
  ]
  for (const [kind, outcome] of outcomes) assert.deepEqual(carried(kind, outcome), { messages: 1, outcome })
})

test('each message of a long list is within the size limit, however long its items are', () => {
  for (const [count, userLength] of [
    [20_000, 3],
    [600, 1024],
    [4, 65_536],
  ] as const) {
    const outcome = { ok: true, result: connections(count, userLength) } as const
    for (const answer of toAnswers(head, outcome)) assert.ok(encode(answer).length <= messageBytesMax)
    const back = carried('who', outcome)
    assert.ok(back.messages > 1)
    assert.deepEqual(back.outcome, outcome)
  }
})

test('a reason of any length and with any character is delivered', () => {
  const answered = carried('who', { ok: false, reason: `no\0 ${'\u{1f4e7}'.repeat(4096)}` })
  assert.match((answered.outcome as { reason: string }).reason, /^no \u{1f4e7}+/u)
})

const answer = (said: Partial<OrderAnswer>): OrderAnswer => ({
  ...head,
  ok: true,
  result: null,
  more: false,
  ...said,
})

test('a result that is not of the kind of the order is a failure, and the reason names the field', () => {
  const outcome = new AnswerParts('kick-user').add(answer({ result: { sessions: 'many' } }))
  assert.match(outcome && !outcome.ok ? outcome.reason : '', /^its answer is malformed \(sessions: /)
  const chunked = new AnswerParts('kick-user').add(answer({ result: { sessions: 1 }, more: true }))
  assert.match(chunked && !chunked.ok ? chunked.reason : '', /more than one message/)
  const parts = new AnswerParts('who')
  assert.equal(parts.add(answer({ result: connections(1, 1), more: true })), undefined)
  assert.equal(parts.add(answer({ result: 'the rest' }))?.ok, false)
})

test('a failure without a reason gets one', () => {
  assert.deepEqual(new AnswerParts('version').add(answer({ ok: false })), {
    ok: false,
    reason: 'it gave no reason',
  })
})
