import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OrderView } from '@imapfleet/api'
import { plain } from './colour.ts'
import { accountLines, actionText, orderColumns, outcomeText } from './order.ts'
import { table } from './table.ts'

const order: OrderView = {
  id: '7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e',
  givenBy: 'alice',
  at: '2026-03-01T10:00:00.000Z',
  target: { kind: 'all' },
  action: { kind: 'kick-user', user: 'bob' },
  finishedAt: '2026-03-01T10:00:01.000Z',
  counts: { answered: 1, failed: 1, silent: 1 },
  next: null,
  edges: [
    { id: 'eu-1', region: 'eu', status: 'answered', reason: null, result: { sessions: 2 } },
    { id: 'eu-2', region: 'eu', status: 'failed', reason: 'bad \x1b[2J', result: null },
    { id: 'us-1', region: 'us', status: 'silent', reason: 'it did not answer', result: null },
  ],
}

test('an order is printed in words, and its outcome with failed and silent edges', () => {
  assert.equal(actionText(order.action), 'kick-user bob')
  assert.equal(actionText({ kind: 'newlog' }), 'newlog')
  assert.equal(outcomeText(order), '1 of 3 answered, 1 failed, 1 silent')
  assert.equal(outcomeText({ ...order, finishedAt: null }), 'waiting for edges')
})

test('an edge that failed is printed with its reason, which cannot control the terminal', () => {
  const lines = accountLines(order, () => 'done', { width: undefined, paint: plain })
  assert.deepEqual(lines, [
    'EDGE  REGION  STATUS    ANSWER',
    'eu-1  eu      answered  done',
    'eu-2  eu      failed    bad \\x1b[2J',
    'us-1  us      silent    it did not answer',
  ])
})

test('a list of orders on a narrow terminal says what each order was and how it ended', () => {
  const { operation: _operation, ...listed } = order
  const lines = table(orderColumns, [listed], { width: 60, paint: plain })
  assert.match(lines[0] ?? '', /^ID +ORDER +OUTCOME$/)
  assert.ok(lines.every((line) => line.length <= 60))
})
