import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeView } from '@imapfleet/api'
import { complainOfDrain, isSettled, progressOf } from './drain.ts'

const edgeOf = (id: string, state: EdgeView['state'], clients: number): EdgeView => ({
  ...{ id, state, region: 'eu', version: '0.1.0', boot: 'b', degraded: [], problems: [], listeners: [] },
  startedAt: '2026-03-01T10:00:00.000Z',
  lastSeenAt: '2026-03-01T10:00:00.000Z',
  connections: { cached: 0, active: 0, clients },
  config: { wanted: 1, applied: 1, rejected: null },
})

test('an edge is drained when it drains and has no clients left, and silent edges are not waited for', () => {
  assert.equal(isSettled(edgeOf('eu-1', 'serving', 0), true), false)
  assert.equal(isSettled(edgeOf('eu-1', 'draining', 2), true), false)
  assert.equal(isSettled(edgeOf('eu-1', 'draining', 0), true), true)
  assert.equal(isSettled(edgeOf('eu-1', 'silent', 2), true), true)
  assert.equal(isSettled(edgeOf('eu-1', 'draining', 0), false), false)
  assert.equal(isSettled(edgeOf('eu-1', 'serving', 5), false), true)
})

test('the result names silent edges, and edges with clients left if the command waited for them', () => {
  const edges = [edgeOf('eu-1', 'draining', 0), edgeOf('eu-2', 'draining', 2), edgeOf('eu-3', 'silent', 0)]
  assert.throws(() => complainOfDrain(edges, true, true), {
    kind: 'refused',
    message:
      'the change is recorded, but eu-2 still has 2 clients; eu-3 is silent and will follow when it returns',
  })
  assert.throws(() => complainOfDrain(edges, true, false), {
    message: /^the change is recorded, but eu-3 is silent/,
  })
  complainOfDrain(edges.slice(0, 2), true, false)
})

test('progress shows the clients left on each edge, or their sum if there are many edges', () => {
  const two = [edgeOf('eu-1', 'draining', 1), edgeOf('eu-2', 'serving', 3), edgeOf('eu-3', 'draining', 0)]
  assert.equal(progressOf(two, true), 'eu-1: 1 client left, eu-2: serving still')
  const many = Array.from({ length: 12 }, (_, index) => edgeOf(`eu-${index}`, 'draining', 2))
  assert.equal(progressOf(many, true), '12 edges: 24 clients left')
  assert.equal(progressOf([edgeOf('eu-1', 'draining', 0)], false), 'eu-1: draining still')
  assert.equal(progressOf([edgeOf('eu-1', 'serving', 9)], false), '')
})
