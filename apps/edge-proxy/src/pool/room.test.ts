import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { Link } from '../net/link.ts'
import { overSocket } from '../net/socket-transport.ts'
import { upstreamOver } from '../server/scripted-server.test-support.ts'
import { Room, type Claim, type Limited, type Place } from './room.ts'

const limits = {
  connectionsMax: 2,
  connectionsPerUserMax: 0,
  connectionsSpareMax: 1,
  queueMax: 2,
  queueTimeoutMs: 5000,
}

/** Of an upstream `main` whose connections are all in use, unless told otherwise. */
function claim(user: string, asked: Partial<typeof limits> = {}, more: Partial<Claim> = {}): Claim {
  return {
    upstream: 'main',
    identity: user,
    limits: { ...limits, ...asked },
    isWanted: () => true,
    isProven: () => false,
    fits: () => false,
    idle: () => 0,
    free: () => assert.fail('nothing is idle'),
    ...more,
  }
}

/** A login that the server accepts at once, if there is a place for it. */
function take(room: Room, user: string, asked: Partial<typeof limits> = {}, more: Partial<Claim> = {}) {
  const attempt = claim(user, asked, more)
  const place = room.take(attempt)
  if (place === 'taken') assert.equal(room.admit(attempt), true)
  return place
}

/** Connections of these users at `main`, all of them idle, longest first; whoever gives way is noted. */
function idleIn(room: Room, users: string[]) {
  for (const user of users) assert.equal(take(room, user), 'taken')
  const idle = [...users]
  const freed: string[] = []
  const isMeant = (of: Limited, user: string) => (one: string) => of === 'upstream' || one === user
  const by = (user: string, asked: Partial<typeof limits> = {}, more: Partial<Claim> = {}) =>
    claim(user, asked, {
      idle: (of) => idle.filter(isMeant(of, user)).length,
      free: (of) => {
        const [oldest] = idle.splice(idle.findIndex(isMeant(of, user)), 1)
        freed.push(oldest!)
        room.leave('main', oldest!)
      },
      ...more,
    })
  return { idle, freed, by }
}

test('there is room for so many, at each upstream by itself', () => {
  const room = new Room()
  assert.deepEqual(
    ['a', 'b'].map((user) => take(room, user)),
    ['taken', 'taken'],
  )
  assert.equal(take(room, 'a', {}, { upstream: 'other' }), 'taken')
  assert.equal(take(room, 'c', { queueMax: 0 }), 'queue-full')
  room.leave('main', 'a')
  assert.equal(take(room, 'c'), 'taken')
})

test('whoever waits is served in turn, and told apart from whoever has gone', async () => {
  const room = new Room()
  void take(room, 'a')
  void take(room, 'b')
  const gone = take(room, 'c', {}, { isWanted: () => false })
  const next = take(room, 'd')
  assert.equal(take(room, 'e'), 'queue-full')
  assert.equal(room.waitingTotal, 2)
  room.leave('main', 'a')
  assert.deepEqual(await Promise.all([gone, next]), ['left', 'taken'])
  assert.equal(room.waitingTotal, 0)
  // Whoever was given the place is still to be judged.
  assert.equal(take(room, 'e', { queueMax: 0 }), 'queue-full')
})

test('waiting is bounded in time', async () => {
  const room = new Room()
  void take(room, 'a')
  void take(room, 'b')
  assert.equal(await take(room, 'c', { queueTimeoutMs: 20 }), 'timed-out')
  assert.equal(room.waitingTotal, 0)
  room.leave('main', 'a')
  assert.equal(take(room, 'd'), 'taken')
})

test('one user has so many places and no more, waiting or not', async () => {
  const room = new Room()
  const asked = { connectionsMax: 3, connectionsPerUserMax: 1 }
  assert.equal(take(room, 'a', asked), 'taken')
  assert.equal(take(room, 'a', { ...asked, queueMax: 0 }), 'too-many-of-user')
  assert.equal(await take(room, 'a', { ...asked, queueTimeoutMs: 20 }), 'too-many-of-user')
  assert.equal(take(room, 'b', asked), 'taken')
  const two: (Place | Promise<Place>)[] = [
    take(room, 'a', { ...asked, queueTimeoutMs: 50 }),
    take(room, 'a', { ...asked, queueTimeoutMs: 50 }),
  ]
  room.leave('main', 'a')
  assert.equal(await two[0], 'taken')
  assert.equal(await two[1], 'too-many-of-user')
})

test('a user at the limit does not stand in the way of the next one in the queue', async () => {
  const room = new Room()
  const asked = { connectionsMax: 2, connectionsPerUserMax: 1, queueTimeoutMs: 100 }
  void take(room, 'a', asked)
  void take(room, 'b', asked)
  const again = take(room, 'a', asked)
  const other = take(room, 'c', asked)
  room.leave('main', 'b')
  assert.equal(await other, 'taken')
  assert.equal(await again, 'too-many-of-user')
})

test('nobody gives way to a login before it is judged, nor to one that is refused', () => {
  const room = new Room()
  const { freed, by } = idleIn(room, ['a', 'b'])
  const attempt = by('c')
  assert.equal(room.take(attempt), 'taken')
  assert.deepEqual(freed, [])
  room.giveUp(attempt)
  assert.equal(room.take(attempt), 'taken')
  assert.equal(room.admit(attempt), true)
  assert.deepEqual(freed, ['a'])
  assert.equal(take(room, 'd', { queueMax: 0 }), 'queue-full')
})

test('a user whose connections are all idle keeps them until the new login is judged', () => {
  const room = new Room()
  const { freed, by } = idleIn(room, ['b', 'a'])
  const attempt = by('a', { connectionsMax: 9, connectionsPerUserMax: 1 })
  assert.equal(room.take(attempt), 'taken')
  room.giveUp(attempt)
  assert.equal(room.take(attempt), 'taken')
  assert.equal(room.admit(attempt), true)
  assert.deepEqual(freed, ['a'])
})

test('logins under way take room, but nobody gives way to them', () => {
  const room = new Room()
  const { freed, by } = idleIn(room, ['a'])
  const [wrong, right] = [by('c'), by('d')]
  assert.deepEqual([room.take(wrong), room.take(right)], ['taken', 'taken'])
  assert.equal(room.admit(right), true)
  room.giveUp(wrong)
  assert.deepEqual(freed, [])
})

test('a login whose secret is known to be right, or where none may be spare, is given room at once', () => {
  for (const [asked, more] of [
    [{}, { isProven: () => true }],
    [{ connectionsSpareMax: 0 }, {}],
  ] as const) {
    const room = new Room()
    const { freed, by } = idleIn(room, ['a', 'b'])
    assert.equal(room.take(by('c', asked, more)), 'taken')
    assert.deepEqual(freed, ['a'])
  }
})

test('as many may be spare as it says, and as there are idle ones to give way', async () => {
  const room = new Room()
  const { by } = idleIn(room, ['a', 'b'])
  const [one, two, three] = ['c', 'd', 'e'].map((user) => by(user, { connectionsSpareMax: 3 }))
  assert.deepEqual([room.take(one!), room.take(two!)], ['taken', 'taken'])
  const waiting = room.take(three!)
  assert.equal(room.waitingTotal, 1)
  room.giveUp(one!)
  assert.equal(await waiting, 'taken')

  const other = new Room()
  const { by: byOther } = idleIn(other, ['a', 'b'])
  const [first, second] = [byOther('c'), byOther('d')]
  assert.equal(other.take(first), 'taken')
  const next = other.take(second)
  assert.equal(other.waitingTotal, 1)
  assert.equal(other.admit(first), true)
  assert.equal(await next, 'taken')
})

test('a login that was judged too late, when nothing is idle any more, has no room', () => {
  const room = new Room()
  const { idle, freed, by } = idleIn(room, ['a', 'b'])
  const attempt = by('c')
  assert.equal(room.take(attempt), 'taken')
  const inUse = idle.splice(0)
  assert.equal(room.admit(attempt), false)
  idle.push(...inUse)
  assert.deepEqual(freed, [])
  assert.equal(room.take(attempt), 'taken')
})

test('a place that was judged too late is for whoever waits', async () => {
  const room = new Room()
  const { idle, by } = idleIn(room, ['a'])
  const asked = { connectionsPerUserMax: 1, queueTimeoutMs: 50 }
  const attempt = by('a', asked)
  assert.equal(room.take(attempt), 'taken')
  idle.pop()
  const waiting = room.take(by('b', asked))
  assert.equal(room.waitingTotal, 1)
  assert.equal(room.admit(attempt), false)
  assert.equal(await waiting, 'taken')
})

test('who waits is given one place, however many are made for others at the same time', async () => {
  const room = new Room()
  const { idle, freed, by } = idleIn(room, ['a', 'b'])
  const inUse = idle.splice(0)
  const asked = { connectionsSpareMax: 0, queueMax: 3, queueTimeoutMs: 50 }
  const waiting = ['c', 'd', 'e'].map(async (user) => room.take(by(user, asked)))
  idle.push(...inUse)
  room.serve('main')
  assert.deepEqual(await Promise.all(waiting), ['taken', 'taken', 'timed-out'])
  assert.deepEqual(freed, ['a', 'b'])
  for (const user of ['c', 'd']) room.giveUp(by(user))
  assert.deepEqual([take(room, 'e'), take(room, 'f')], ['taken', 'taken'])
})

test('a connection that becomes idle is for whoever waits longest of those whom it fits, else it gives way', async () => {
  const room = new Room()
  const { idle, by } = idleIn(room, ['a', 'b'])
  const inUse = idle.splice(0)
  const rested = upstreamOver(new Link(overSocket(new Socket())))
  const other = room.take(by('c'))
  const same = room.take(by('a', {}, { fits: (upstream) => upstream === rested }))
  idle.push(inUse[0]!)
  room.rested(rested)
  assert.equal(await same, 'look-again')
  assert.equal(room.waitingTotal, 1)
  room.rested(rested)
  assert.equal(await other, 'taken')
})
