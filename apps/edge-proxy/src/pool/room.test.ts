import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Room, type Place } from './room.ts'

const limits = { connectionsMax: 2, connectionsPerUserMax: 0, queueMax: 2, queueTimeoutMs: 5000 }

/** Takes a place for a user of the upstream `main`, unless told otherwise. */
function take(
  room: Room,
  user: string,
  asked: Partial<typeof limits> = {},
  upstream = 'main',
  isWanted = () => true,
) {
  return room.take(upstream, user, { ...limits, ...asked }, { free() {}, isWanted })
}

test('there is room for so many, at each upstream by itself', () => {
  const room = new Room()
  assert.deepEqual(
    ['a', 'b'].map((user) => take(room, user)),
    ['taken', 'taken'],
  )
  assert.equal(take(room, 'a', {}, 'other'), 'taken')
  assert.equal(take(room, 'c', { queueMax: 0 }), 'queue-full')
  room.leave('main', 'a')
  assert.equal(take(room, 'c'), 'taken')
})

test('whoever waits is served in turn, and told apart from whoever has gone', async () => {
  const room = new Room()
  void take(room, 'a')
  void take(room, 'b')
  const gone = take(room, 'c', {}, 'main', () => false)
  const next = take(room, 'd')
  assert.equal(take(room, 'e'), 'queue-full')
  assert.equal(room.waitingTotal, 2)
  assert.equal(room.isWaitedFor('main'), true)
  assert.equal(room.isWaitedFor('other'), false)
  room.leave('main', 'a')
  assert.deepEqual(await Promise.all([gone, next]), ['left', 'taken'])
  assert.equal(room.waitingTotal, 0)
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

test('room is made by closing what is idle, where there is something', () => {
  const room = new Room()
  const freed: string[] = []
  const free = (of: 'upstream' | 'user') => {
    freed.push(of)
    room.leave('main', 'a')
  }
  void take(room, 'a')
  void take(room, 'b')
  assert.equal(room.take('main', 'c', limits, { free, isWanted: () => true }), 'taken')
  assert.deepEqual(freed, ['upstream'])
})

test('a connection that becomes idle wakes whoever waits for one of the same user', async () => {
  const room = new Room()
  void take(room, 'a')
  void take(room, 'b')
  const other = take(room, 'c')
  const same = take(room, 'a')
  assert.equal(room.wake('main', 'a'), true)
  assert.equal(await same, 'look-again')
  assert.equal(room.wake('main', 'a'), false)
  room.leave('main', 'b')
  assert.equal(await other, 'taken')
})
