import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OrderedEdge } from '@imapfleet/api'
import { complainOf } from './give-order.ts'

const done: OrderedEdge = {
  ...{ id: 'eu-1', region: 'eu', status: 'answered', reason: null, result: { sessions: 2 } },
}
const without = (id: string, status: 'failed' | 'silent', reason: string): OrderedEdge => ({
  ...{ id, region: 'eu', status, reason, result: null },
})

test('an order that every edge has answered is a success', () => {
  complainOf({ edges: [done] })
})

test('edges that failed or were silent are named with the reason, and the exit status is that of a refusal', () => {
  const edges = [
    done,
    without('eu-2', 'failed', 'no such upstream'),
    without('eu-3', 'silent', 'it did not answer in time'),
  ]
  assert.throws(() => complainOf({ edges }), {
    kind: 'refused',
    message: 'eu-2 failed (no such upstream); eu-3 was silent (it did not answer in time)',
  })
})

test('many edges with the same reason are one sentence with the first of them', () => {
  const silent = Array.from({ length: 40 }, (_, index) =>
    without(`eu-${index + 1}`, 'silent', 'it did not answer in time'),
  )
  assert.throws(() => complainOf({ edges: [...silent, without('us-1', 'silent', 'it is silent'), done] }), {
    message:
      'eu-1, eu-2, eu-3, eu-4, eu-5 and 35 more were silent (it did not answer in time); us-1 was silent (it is silent)',
  })
  assert.throws(() => complainOf({ edges: silent.slice(0, 6) }), { message: /^eu-1, .*, eu-6 were silent/ })
})
