import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OrderView } from '@imapfleet/protocol'
import { z } from 'zod'
import { complainOf, judge } from './account.ts'

type Edge = OrderView['edges'][number]

const edge = (id: string, more: Partial<Edge> = {}): Edge => ({
  ...{ id, region: 'eu', status: 'answered', reason: null, result: null },
  ...more,
})
const orderOf = (...edges: Edge[]): OrderView => ({
  id: '7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e',
  givenBy: 'alice',
  at: '2026-03-01T10:00:00.000Z',
  target: { kind: 'all' },
  action: { kind: 'kick-user', user: 'bob' },
  finishedAt: null,
  edges,
})
const schema = z.object({ sessions: z.int() })

test('an order that every edge has answered is no failure', () => {
  const { order, told } = judge(orderOf(edge('eu-1', { result: { sessions: 2 } })), schema)
  assert.deepEqual(told, [{ edge: 'eu-1', region: 'eu', result: { sessions: 2 } }])
  complainOf(order)
})

test('every edge that failed or was silent is named, with its reason, and the status is that of a refusal', () => {
  const order = orderOf(
    edge('eu-1'),
    edge('eu-2', { status: 'failed', reason: 'no such upstream' }),
    edge('eu-3', { status: 'silent' }),
  )
  assert.throws(() => complainOf(order), {
    kind: 'refused',
    message: 'eu-2 failed (no such upstream); eu-3 was silent',
  })
})

test('an answer that is not what the order asks for counts as failed, not as nothing done', () => {
  const { order, told } = judge(orderOf(edge('eu-1', { result: { sessions: 'many' } })), schema)
  assert.deepEqual(told, [])
  assert.throws(() => complainOf(order), /eu-1 failed \(its answer is not understood/)
  const left = judge(orderOf(edge('eu-1', { reason: 'larger than 16 MiB' })), schema)
  assert.throws(() => complainOf(left.order), /eu-1 failed \(larger than 16 MiB\)/)
})
