import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OrderedEdge } from '@imapfleet/api'
import type { Connection } from '@imapfleet/protocol'
import { poolsOf, connectionRows } from './connections.ts'

const connection = (user: string, upstream: string, state: Connection['state']): Connection => ({
  ...{ user, upstream, state, since: 0, uses: 1 },
})

const answered = (id: string, ...result: Connection[]): OrderedEdge<'who'> => ({
  ...{ id, region: 'eu', status: 'answered', reason: null, result },
})

test('a pool is one edge and one upstream, and a user with two connections counts once', () => {
  const edges = [
    answered(
      'eu-1',
      connection('alice', 'main', 'idle'),
      connection('alice', 'main', 'leased'),
      connection('bob', 'main', 'idle'),
      connection('bob', 'old', 'resetting'),
    ),
    answered('us-1', connection('alice', 'main', 'resetting')),
    answered('us-2'),
  ]
  const none = { leased: 0, resetting: 0, idle: 0 }
  assert.deepEqual(poolsOf(connectionRows({ edges })), [
    { ...none, edge: 'eu-1', upstream: 'main', users: 2, leased: 1, idle: 2 },
    { ...none, edge: 'eu-1', upstream: 'old', users: 1, resetting: 1 },
    { ...none, edge: 'us-1', upstream: 'main', users: 1, resetting: 1 },
  ])
})

test('an edge that did not answer has no rows', () => {
  const silent = { id: 'eu-2', region: 'eu', status: 'silent', reason: 'no answer', result: null } as const
  assert.deepEqual(connectionRows({ edges: [silent] }), [])
})
