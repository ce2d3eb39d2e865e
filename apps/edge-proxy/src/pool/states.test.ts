import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Link } from '../net/link.ts'
import { overSocket } from '../net/socket-transport.ts'
import { upstreamOver } from '../server/scripted-server.test-support.ts'
import { States, type ConnectionState } from './states.ts'

type State = ConnectionState | 'absent'
type Event = ConnectionState | 'drop'

/** Where each event takes a connection from each state; `error`: it may not happen, and changes nothing. */
const table: Record<State, Record<Event, State | 'error'>> = {
  absent: { leased: 'leased', resetting: 'error', idle: 'error', drop: 'absent' },
  leased: { leased: 'error', resetting: 'resetting', idle: 'idle', drop: 'absent' },
  resetting: { leased: 'leased', resetting: 'error', idle: 'idle', drop: 'absent' },
  idle: { leased: 'leased', resetting: 'resetting', idle: 'error', drop: 'absent' },
}
const states = Object.keys(table) as State[]
const events = ['leased', 'resetting', 'idle', 'drop'] as const

/** The shortest way to each state. */
const way: Record<State, ConnectionState[]> = {
  absent: [],
  leased: ['leased'],
  resetting: ['leased', 'resetting'],
  idle: ['leased', 'resetting', 'idle'],
}

const fresh = () => upstreamOver(new Link(overSocket(new Socket())))

/** The state by membership: in one set at most, and as `stateOf` has it. */
function whereIs(all: States, upstream: ReturnType<typeof fresh>): State {
  const sets = (['leased', 'resetting', 'idle'] as const).filter((name) => all[name].has(upstream))
  assert.ok(sets.length <= 1, `in ${sets.join(' and ')}`)
  assert.equal(all.stateOf(upstream), sets[0])
  return sets[0] ?? 'absent'
}

for (const state of states)
  for (const event of events) {
    const expected = table[state][event]
    test(`${state}, ${event === 'drop' ? 'dropped' : `to ${event}`}: ${expected}`, () => {
      const all = new States()
      const upstream = fresh()
      for (const step of way[state]) all.move(upstream, step)
      assert.equal(whereIs(all, upstream), state)
      if (event === 'drop') {
        assert.equal(all.drop(upstream), state !== 'absent')
        assert.equal(upstream.link.isOpen, state === 'absent')
      } else if (expected === 'error') assert.throws(() => all.move(upstream, event))
      else all.move(upstream, event)
      assert.equal(whereIs(all, upstream), expected === 'error' ? state : expected)
    })
  }

test('after any history every connection is in the set of its state, and in no other', () => {
  const history = fc.array(fc.tuple(fc.nat(3), fc.constantFrom(...events)), { maxLength: 40 })
  fc.assert(
    fc.property(history, (steps) => {
      const all = new States()
      const upstreams = Array.from({ length: 4 }, fresh)
      const expected: State[] = upstreams.map(() => 'absent')
      for (const [index, event] of steps) {
        const next = table[expected[index]!][event]
        if (event === 'drop') all.drop(upstreams[index]!)
        else if (next !== 'error') all.move(upstreams[index]!, event)
        if (next !== 'error') expected[index] = next
        assert.deepEqual(
          upstreams.map((upstream) => whereIs(all, upstream)),
          expected,
        )
        assert.equal([...all.all()].length, expected.filter((state) => state !== 'absent').length)
      }
    }),
    { seed: 19, numRuns: 300 },
  )
})

test('connections that are being opened are counted until they are open or have failed', () => {
  const all = new States()
  all.dialBegins()
  all.dialBegins()
  all.dialEnds()
  assert.equal(all.dialing, 1)
})
