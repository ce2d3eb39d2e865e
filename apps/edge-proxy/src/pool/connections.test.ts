import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Link } from '../net/link.ts'
import { overSocket } from '../net/socket-transport.ts'
import { connectionOver } from '../server/scripted-server.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import { connectionFor, requestOf } from './admission.test-support.ts'
import { Connections, type ConnectionState } from './connections.ts'

type State = ConnectionState | 'absent'
type Event = ConnectionState | 'close'

/** The state after each event in each state. `error`: the event is refused and changes nothing. */
const table: Record<State, Record<Event, State | 'error'>> = {
  absent: { leased: 'leased', resetting: 'error', idle: 'error', close: 'absent' },
  leased: { leased: 'error', resetting: 'resetting', idle: 'idle', close: 'absent' },
  resetting: { leased: 'leased', resetting: 'error', idle: 'idle', close: 'absent' },
  idle: { leased: 'leased', resetting: 'resetting', idle: 'error', close: 'absent' },
}
const holder = { address: '192.0.2.7', isConnected: true, loginSignal: AbortSignal.any([]), family: '' }
const states = Object.keys(table) as State[]
const events = ['leased', 'resetting', 'idle', 'close'] as const

/** The moves that lead to each state. */
const way: Record<State, ConnectionState[]> = {
  absent: [],
  leased: ['leased'],
  resetting: ['leased', 'resetting'],
  idle: ['leased', 'resetting', 'idle'],
}

const fresh = () => connectionOver(new Link(overSocket(new Socket())))

/** The state by membership in the sets. Asserts that it is in at most one, and that `stateOf` agrees. */
function whereIs(all: Connections, connection: ServerConnection): State {
  const server = all.at(connection.serverName)
  const sets = (['leased', 'resetting', 'idle'] as const).filter((name) => server[name].has(connection))
  assert.ok(sets.length <= 1, `in ${sets.join(' and ')}`)
  assert.equal(all.stateOf(connection), sets[0] ?? 'closed')
  assert.equal(all.of(connection.identity).includes(connection), sets.length === 1)
  return sets[0] ?? 'absent'
}

function move(all: Connections, connection: ServerConnection, to: ConnectionState): void {
  if (to === 'leased') all.toLeased(connection, holder)
  else if (to === 'resetting') all.toResetting(connection)
  else all.toIdle(connection)
}

for (const state of states)
  for (const event of events) {
    const expected = table[state][event]
    test(`${state}, ${event === 'close' ? 'closed' : `to ${event}`}: ${expected}`, () => {
      const all = new Connections()
      const connection = fresh()
      for (const step of way[state]) move(all, connection, step)
      assert.equal(whereIs(all, connection), state)
      if (event === 'close') {
        assert.equal(all.close(connection), state !== 'absent')
        assert.equal(connection.link.isOpen, state === 'absent')
      } else if (expected === 'error') assert.throws(() => move(all, connection, event))
      else move(all, connection, event)
      assert.equal(whereIs(all, connection), expected === 'error' ? state : expected)
    })
  }

test('only the last session that a connection was leased to holds it', () => {
  const all = new Connections()
  const connection = fresh()
  all.toLeased(connection, holder)
  assert.equal(all.holderOf(connection), holder)
  all.toResetting(connection)
  assert.equal(all.holderOf(connection), undefined)
  const settle = () => {}
  all.awaitReset(connection, { holder, settle })
  assert.equal(all.resetWaiterOf(connection)?.settle, settle)
  all.toIdle(connection)
  assert.equal(all.resetWaiterOf(connection), undefined)
})

test('after any history every connection is in the set of its state, and in no other', () => {
  const history = fc.array(fc.tuple(fc.nat(3), fc.constantFrom(...events)), { maxLength: 40 })
  fc.assert(
    fc.property(history, (steps) => {
      const all = new Connections()
      const connections = Array.from({ length: 4 }, fresh)
      const expected: State[] = connections.map(() => 'absent')
      for (const [index, event] of steps) {
        const next = table[expected[index]!][event]
        if (event === 'close') all.close(connections[index]!)
        else if (next !== 'error') move(all, connections[index]!, event)
        if (next !== 'error') expected[index] = next
        assert.deepEqual(
          connections.map((connection) => whereIs(all, connection)),
          expected,
        )
        assert.equal([...all.all()].length, expected.filter((state) => state !== 'absent').length)
      }
    }),
    { seed: 19, numRuns: 300 },
  )
})

test('a connection is listed for its identity and for the user who opened it, in any case, until it is closed', () => {
  const all = new Connections()
  const [one, two] = [connectionFor(requestOf('Joe')), connectionFor(requestOf('JOE'))]
  for (const connection of [one, two]) all.toLeased(connection, holder)
  assert.deepEqual(all.openedBy('joe'), [one, two])
  assert.deepEqual(all.openedBy('Joe'), [])
  all.close(one)
  assert.deepEqual([all.openedBy('joe'), all.of(one.identity), all.of(two.identity)], [[two], [], [two]])
  all.close(two)
  assert.deepEqual([all.openedBy('joe'), all.of(two.identity)], [[], []])
})

test('a dial holds its place, of the server and of the user, until it ends', () => {
  const all = new Connections()
  const request = requestOf('joe')
  const dial = all.beginDial(request)
  all.beginDial(requestOf('jane'))
  assert.deepEqual([all.count('dialing'), all.dialsOf(request.identity)], [2, [dial]])
  all.endDial(dial)
  all.endDial(dial)
  assert.deepEqual([all.count('dialing'), all.dialsOf(request.identity)], [1, []])
})

test('no list is kept for a user without connections and dials', () => {
  const all = new Connections()
  const request = requestOf('joe')
  const connection = connectionFor(request)
  all.endDial(all.beginDial(request))
  all.toLeased(connection, holder)
  all.close(connection)
  // All unknown users share the same empty list.
  assert.equal(all.of(request.identity), all.of('never'))
  assert.equal(all.openedBy('joe'), all.openedBy('never'))
  assert.equal(all.dialsOf(request.identity), all.dialsOf('never'))
})

test('peaks are the highest counts since they were reset', () => {
  const all = new Connections()
  const [one, two] = [fresh(), fresh()]
  for (const connection of [one, two]) all.toLeased(connection, holder)
  all.close(two)
  assert.deepEqual([all.peak('leased'), all.count('leased')], [2, 1])
  all.resetPeaks()
  assert.equal(all.peak('leased'), 1)
})
