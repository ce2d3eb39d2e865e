import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdmissionAtWork, requestOf, withIdle } from './admission.test-support.ts'
import { Dial } from './connections.ts'

test('the number of connections is limited for each server separately', () => {
  const work = new AdmissionAtWork()
  assert.deepEqual([work.login('a'), work.login('b')], ['taken', 'taken'])
  assert.equal(work.login('a', {}, { server: 'other' }), 'taken')
  assert.equal(work.login('c', { queueMax: 0 }), 'queue-full')
  work.close(work.of('a'))
  assert.equal(work.login('c'), 'taken')
})

test('a connection that is being reset keeps its place', () => {
  const work = new AdmissionAtWork()
  for (const user of ['a', 'b']) assert.equal(work.login(user), 'taken')
  for (const user of ['a', 'b']) work.connections.toResetting(work.of(user))
  assert.equal(work.login('c', { queueMax: 0 }), 'queue-full')
  assert.equal(
    work.login('a', { connectionsMax: 3, connectionsPerUserMax: 1, queueMax: 0 }),
    'too-many-of-user',
  )
  work.close(work.of('a'))
  assert.equal(work.login('c'), 'taken')
})

test('waiting logins are served in order, except those whose clients have disconnected', async () => {
  const work = new AdmissionAtWork()
  void work.login('a')
  void work.login('b')
  const holder = { address: '192.0.2.7', isConnected: true, loginSignal: AbortSignal.any([]), family: '' }
  const gone = work.admission.take({ ...requestOf('c'), holder })
  const next = work.take('d')
  assert.equal(work.take('e'), 'queue-full')
  assert.equal(work.waiting, 2)
  holder.isConnected = false
  work.close(work.of('a'))
  assert.equal(await gone, 'abandoned')
  assert.ok((await next) instanceof Dial)
  assert.equal(work.waiting, 0)
  // The server has not answered the login that got the place.
  assert.equal(work.take('e', { queueMax: 0 }), 'queue-full')
})

test('clients that have disconnected do not fill the queue', async () => {
  const work = new AdmissionAtWork()
  void work.login('a')
  void work.login('b')
  const holder = { address: '192.0.2.7', isConnected: true, loginSignal: AbortSignal.any([]), family: '' }
  const gone = work.admission.take({ ...requestOf('c', { queueMax: 1 }), holder })
  holder.isConnected = false
  const next = work.take('d', { queueMax: 1 })
  assert.equal(await gone, 'abandoned')
  assert.equal(work.waiting, 1)
  work.close(work.of('a'))
  assert.ok((await next) instanceof Dial)
})

test('the wait for a place is limited in time', async () => {
  const work = new AdmissionAtWork()
  void work.login('a')
  void work.login('b')
  assert.equal(await work.take('c', { queueTimeoutMs: 20 }), 'timed-out')
  assert.equal(work.waiting, 0)
  work.close(work.of('a'))
  assert.equal(work.login('d'), 'taken')
})

test('without a limit per user, a login waits for a reset, and connects when that takes too long', async () => {
  const work = new AdmissionAtWork()
  const limits = { connectionsMax: 20, queueTimeoutMs: 20 }
  for (let count = 0; count < 9; count++) assert.equal(work.login('a', limits), 'taken')
  work.connections.toResetting(work.of('a'))
  const place = work.take('a', limits)
  assert.equal(work.waiting, 1)
  assert.ok((await place) instanceof Dial)
  const full = { ...limits, connectionsMax: 10 }
  assert.equal(await work.take('a', full), 'timed-out')
})

test('the number of connections per user is limited, also for waiting logins', async () => {
  const work = new AdmissionAtWork()
  const asked = { connectionsMax: 3, connectionsPerUserMax: 1 }
  assert.equal(work.login('a', asked), 'taken')
  assert.equal(work.login('a', { ...asked, queueMax: 0 }), 'too-many-of-user')
  assert.equal(await work.login('a', { ...asked, queueTimeoutMs: 20 }), 'too-many-of-user')
  assert.equal(work.login('b', asked), 'taken')
  const two = [1, 2].map(async () => work.login('a', { ...asked, queueTimeoutMs: 50 }))
  work.close(work.of('a'))
  assert.deepEqual(await Promise.all(two), ['taken', 'too-many-of-user'])
})

test('a user at the limit does not block the next login in the queue', async () => {
  const work = new AdmissionAtWork()
  const asked = { connectionsMax: 2, connectionsPerUserMax: 1, queueTimeoutMs: 100 }
  void work.login('a', asked)
  void work.login('b', asked)
  const again = work.login('a', asked)
  const other = work.login('c', asked)
  work.close(work.of('b'))
  assert.equal(await other, 'taken')
  assert.equal(await again, 'too-many-of-user')
})

test('no connection is evicted for a login before the server has accepted it', () => {
  const work = withIdle(['a', 'b'])
  const wrong = work.dial('c')
  assert.deepEqual(work.evicted, [])
  work.admission.giveUp(wrong)
  assert.equal(work.accept(work.dial('c')), true)
  assert.deepEqual(work.evicted, ['a'])
  assert.equal(work.take('d', { queueMax: 0, connectionsSpareMax: 0, connectionsMax: 1 }), 'queue-full')
})

test('a user keeps all idle connections until the server has accepted the new login', () => {
  const work = withIdle(['b', 'a'])
  const asked = { connectionsMax: 9, connectionsPerUserMax: 1 }
  work.admission.giveUp(work.dial('a', asked))
  assert.deepEqual(work.evicted, [])
  assert.equal(work.accept(work.dial('a', asked)), true)
  assert.deepEqual(work.evicted, ['a'])
})

test('dials take places, but do not evict connections', () => {
  const work = withIdle(['a'])
  const [wrong, right] = [work.dial('c'), work.dial('d')]
  assert.equal(work.accept(right), true)
  work.admission.giveUp(wrong)
  assert.deepEqual(work.evicted, [])
})

test('a login with a proven secret, or without spare connections, evicts immediately', () => {
  const proven = withIdle(['a'])
  assert.equal(proven.login('c', {}, { secret: 'known' }), 'taken')
  proven.dial('c', {}, { secret: 'known' })
  assert.deepEqual(proven.evicted, ['a'])

  const hard = withIdle(['a', 'b'])
  hard.dial('c', { connectionsSpareMax: 0 })
  assert.deepEqual(hard.evicted, ['a'])
})

test('the place of an evicted connection goes to the login that evicted it', () => {
  const work = withIdle(['a', 'b'])
  const asked = { connectionsMax: 3 }
  assert.equal(work.login('c', asked, { secret: 'known' }), 'taken')
  work.dial('d', asked)
  void work.take('e', asked)
  work.dial('c', asked, { secret: 'known' })
  assert.deepEqual(work.evicted, ['a'])
  assert.equal(work.waiting, 1)
})

test('dials may exceed the limit by the spare connections, and by no more than the idle connections that could be evicted', async () => {
  const work = withIdle(['a', 'b'])
  const [one] = ['c', 'd'].map((user) => work.dial(user, { connectionsSpareMax: 3 }))
  const waiting = work.take('e', { connectionsSpareMax: 3 })
  assert.equal(work.waiting, 1)
  work.admission.giveUp(one!)
  assert.ok((await waiting) instanceof Dial)

  const other = withIdle(['a', 'b'])
  const first = other.dial('c')
  const next = other.take('d')
  assert.equal(other.waiting, 1)
  assert.equal(other.accept(first), true)
  assert.ok((await next) instanceof Dial)
})

test('a login that succeeds after all idle connections were leased gets no place', () => {
  const work = withIdle(['a', 'b'])
  const dial = work.dial('c')
  const holder = { address: '192.0.2.8', isConnected: true, loginSignal: AbortSignal.any([]), family: '' }
  for (const user of ['a', 'b']) work.connections.toLeased(work.of(user), holder)
  assert.equal(work.accept(dial), false)
  for (const user of ['a', 'b']) work.rest(user)
  assert.deepEqual(work.evicted, [])
  work.dial('c')
})

test('the place of a login that was accepted too late goes to the next waiting login', async () => {
  const work = withIdle(['a'])
  const asked = { connectionsPerUserMax: 1, queueTimeoutMs: 50 }
  const dial = work.dial('a', asked)
  work.connections.toLeased(work.of('a'), {
    address: '192.0.2.8',
    isConnected: true,
    loginSignal: AbortSignal.any([]),
    family: '',
  })
  const waiting = work.login('b', asked)
  assert.equal(work.waiting, 1)
  assert.equal(work.accept(dial), false)
  assert.equal(await waiting, 'taken')
})

test('a waiting login gets one place, however many evictions happen at the same time', async () => {
  const work = withIdle(['a', 'b'])
  const holder = { address: '192.0.2.8', isConnected: true, loginSignal: AbortSignal.any([]), family: '' }
  for (const user of ['a', 'b']) work.connections.toLeased(work.of(user), holder)
  const asked = { connectionsSpareMax: 0, queueMax: 3, queueTimeoutMs: 50 }
  const waiting = ['c', 'd', 'e'].map(async (user) => work.take(user, asked))
  for (const user of ['a', 'b']) {
    work.connections.toResetting(work.of(user))
    work.connections.toIdle(work.of(user))
  }
  work.admission.serveQueue('main')
  const [c, d, e] = await Promise.all(waiting)
  assert.ok(c instanceof Dial && d instanceof Dial)
  assert.equal(e, 'timed-out')
  assert.deepEqual(work.evicted, ['a', 'b'])
  for (const dial of [c, d]) work.admission.giveUp(dial)
  assert.deepEqual([work.login('e'), work.login('f')], ['taken', 'taken'])
})

test('a connection that becomes idle goes to the longest-waiting login that it fits, or is evicted', async () => {
  const work = new AdmissionAtWork()
  for (const user of ['a', 'b']) assert.equal(work.login(user, {}, { secret: user }), 'taken')
  const other = work.login('c')
  const same = work.login('a', {}, { secret: 'a' })
  work.rest('a')
  assert.equal(await same, 'look-again')
  assert.equal(work.waiting, 1)
  work.connections.toLeased(work.of('a'), {
    address: '192.0.2.8',
    isConnected: true,
    loginSignal: AbortSignal.any([]),
    family: '',
  })
  work.rest('a')
  assert.equal(await other, 'taken')
  assert.deepEqual(work.evicted, ['a'])
})

test('a connection that becomes idle goes to the next login that it fits if the client of the first has disconnected', async () => {
  const work = new AdmissionAtWork()
  for (const user of ['a', 'b']) assert.equal(work.login(user, {}, { secret: user }), 'taken')
  const holder = { address: '192.0.2.7', isConnected: true, loginSignal: AbortSignal.any([]), family: '' }
  void work.admission.take({ ...requestOf('a', {}, { secret: 'a' }), holder })
  const next = work.take('a', {}, { secret: 'a' })
  holder.isConnected = false
  work.rest('a')
  assert.equal(await next, 'look-again')
})

test('a connection that becomes idle is not kept for another user with the same password', async () => {
  const work = new AdmissionAtWork()
  for (const user of ['a', 'b']) assert.equal(work.login(user, {}, { secret: 'same' }), 'taken')
  const other = work.login('c', {}, { secret: 'same' })
  work.rest('a')
  assert.equal(await other, 'taken')
  assert.deepEqual(work.evicted, ['a'])
})
