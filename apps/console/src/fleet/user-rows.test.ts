import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchingConnections, sortedUsers, userRowsOf, type FleetConnection } from './user-rows.ts'

const connection = (user: string, rest: Partial<FleetConnection> = {}): FleetConnection => ({
  user,
  edge: 'eu-1',
  region: 'eu',
  upstream: 'main',
  state: 'idle',
  since: 1_000,
  uses: 1,
  ...rest,
})
const session = (startedAt: number, clientBytes: number, upstreamBytes: number) => ({
  state: 'leased' as const,
  client: '10.0.0.7',
  session: { startedAt, clientBytes, upstreamBytes, command: 'FETCH' },
})
const connections = [
  connection('ann', { since: 5_000 }),
  connection('ann', { edge: 'us-1', region: 'us', ...session(300, 10, 90) }),
  connection('ann', { ...session(200, 1, 4) }),
  connection('ben', { ...session(900, 0, 1_000) }),
  connection('cleo', { state: 'resetting' }),
  // An edge of an earlier release.
  connection('dora', { state: 'leased' }),
]
const users = (rows: readonly { user: string }[]) => rows.map(({ user }) => user)

test('the connections of a user over all edges are one row', () => {
  assert.deepEqual(userRowsOf(connections)[0], {
    user: 'ann',
    sessions: 2,
    idle: 1,
    edges: 2,
    oldestAt: 200,
    bytes: 105,
    lastUsedAt: 5_000,
  })
})

test('the users with most sessions come first, and without a value last in both directions', () => {
  const rows = userRowsOf(connections)
  assert.deepEqual(users(sortedUsers(rows, { key: 'sessions', isDescending: true })), [
    'ann',
    'ben',
    'dora',
    'cleo',
  ])
  assert.deepEqual(users(sortedUsers(rows, { key: 'bytes', isDescending: true })), [
    'ben',
    'ann',
    'dora',
    'cleo',
  ])
  assert.deepEqual(users(sortedUsers(rows, { key: 'bytes', isDescending: false })), [
    'ann',
    'ben',
    'dora',
    'cleo',
  ])
  assert.deepEqual(users(sortedUsers(rows, { key: 'age', isDescending: false })).slice(0, 2), ['ben', 'ann'])
  assert.deepEqual(users(sortedUsers(rows, { key: 'user', isDescending: true }))[0], 'dora')
})

test('connections are found by user, edge, client address, command and state', () => {
  const found = (text: string) => users(matchingConnections(connections, text))
  assert.deepEqual(found('us-1'), ['ann'])
  assert.deepEqual(found('10.0.0.7 fetch'), ['ann', 'ann', 'ben'])
  assert.deepEqual(found('in use dora'), ['dora'])
  assert.equal(found('').length, connections.length)
})
