import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '@imapfleet/protocol'
import { poolsOf, rowsOf } from './connections.ts'

const connection = (user: string, upstream: string, state: Connection['state']): Connection => ({
  ...{ user, upstream, state, since: 0, uses: 1 },
})

test('a pool is one edge and one upstream; a user with two connections is one user', () => {
  const told = [
    {
      edge: 'eu-1',
      region: 'eu',
      result: [
        connection('alice', 'main', 'idle'),
        connection('alice', 'main', 'leased'),
        connection('bob', 'main', 'idle'),
        connection('bob', 'old', 'dialing'),
      ],
    },
    { edge: 'us-1', region: 'us', result: [connection('alice', 'main', 'resetting')] },
    { edge: 'us-2', region: 'us', result: [] },
  ]
  const none = { dialing: 0, leased: 0, resetting: 0, idle: 0 }
  assert.deepEqual(poolsOf(rowsOf(told)), [
    { ...none, edge: 'eu-1', upstream: 'main', users: 2, leased: 1, idle: 2 },
    { ...none, edge: 'eu-1', upstream: 'old', users: 1, dialing: 1 },
    { ...none, edge: 'us-1', upstream: 'main', users: 1, resetting: 1 },
  ])
})
