import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Leased } from './lease.ts'
import { giveBackTo, poolAtWork, swapIn, untilTrue, type PoolAtWork } from './pool.test-support.ts'

const webmail = { family: 'webmail' }
const plain = { family: 'plain' }

/** Runs a session that enables CONDSTORE by a command, unless its connection has it, or one that does not use it. */
async function session(
  { lease, pool }: PoolAtWork,
  who: { family: string; secret?: string },
  usesCondstore: boolean,
): Promise<Leased> {
  const leased = await lease('joe', who.secret ?? 'secret', { family: who.family })
  if (usesCondstore) leased.connection.condstoreEnabled()
  await giveBackTo(pool, leased.connection, { usesCondstore })
  return leased
}

test('a program that enables CONDSTORE by a command gets a connection that has it, and other programs get a clean one', async () => {
  const work = await poolAtWork()
  const first = await session(work, webmail, true)
  for (let page = 2; page <= 5; page++) {
    const { connection, reused, tellReuse } = await session(work, webmail, true)
    assert.equal(connection, first.connection)
    assert.deepEqual([reused, tellReuse], [true, false])
  }
  assert.equal(work.logins(), 1)
  for (let page = 1; page <= 3; page++) {
    const { connection, reused, tellReuse } = await session(work, plain, false)
    assert.notEqual(connection, first.connection)
    assert.equal(connection.enabledKey, '')
    // No ENABLE was sent, so the notice would be harmless.
    assert.equal(tellReuse, reused)
  }
  assert.equal(work.logins(), 2)
  await work.accounted()
})

test('a connection with CONDSTORE is preferred to a clean one, also while it is being reset', async () => {
  const work = await poolAtWork()
  const { lease, pool } = work
  const [one, other] = [await lease('joe', 'secret', webmail), await lease('joe', 'secret', webmail)]
  one.connection.condstoreEnabled()
  await giveBackTo(pool, one.connection, { usesCondstore: true })
  await giveBackTo(pool, other.connection)
  const idle = await lease('joe', 'secret', webmail)
  assert.equal(idle.connection, one.connection)
  const [ended, next] = [
    giveBackTo(pool, idle.connection, { usesCondstore: true }),
    // Only the clean one is idle now.
    lease('joe', 'secret', webmail),
  ]
  assert.equal((await next).connection, other.connection)
  const waiting = lease('joe', 'secret', webmail)
  await ended
  assert.equal((await waiting).connection, one.connection)
  assert.equal(work.logins(), 2)
})

test('without an idle connection that has CONDSTORE, the program gets a clean one', async () => {
  const work = await poolAtWork()
  const first = await session(work, webmail, true)
  const clean = await session(work, plain, false)
  work.pool.drop(first.connection, 'evicted')
  const { connection } = await session(work, webmail, true)
  assert.equal(connection, clean.connection)
  assert.equal(work.logins(), 2)
})

test('another program does not get a connection with CONDSTORE, neither after its reset nor for a place in the queue', async () => {
  for (const limits of [{}, { connectionsMax: 1, connectionsSpareMax: 0 }]) {
    const work = await poolAtWork({ limits })
    const { connection } = await work.lease('joe', 'secret', webmail)
    connection.condstoreEnabled()
    // The connection is being reset when the other program logs in.
    const given = giveBackTo(work.pool, connection, { usesCondstore: true })
    const other = await work.lease('joe', 'secret', plain)
    await given
    assert.notEqual(other.connection, connection)
    assert.equal(other.connection.hasCondstore, false)
    await giveBackTo(work.pool, other.connection)
  }
})

test('a program that stops using CONDSTORE gets clean connections again', async () => {
  const work = await poolAtWork()
  const first = await session(work, webmail, true)
  let pages = 0
  while ((await session(work, webmail, false)).connection === first.connection) pages++
  assert.equal(pages, 100)
  assert.equal(work.logins(), 2)
})

test('a connection with CONDSTORE is not leased to a session with another secret', async () => {
  const work = await poolAtWork()
  const first = await session(work, webmail, true)
  const { connection } = await session(work, { ...webmail, secret: 'my secret' }, true)
  assert.notEqual(connection, first.connection)
})

test('ENABLE CONDSTORE and CONDSTORE by a command use separate connections', async () => {
  const work = await poolAtWork()
  const { lease, pool, server } = work
  const [byCommand, byEnable, clean] = [
    await lease('joe', 'secret', webmail),
    await lease('joe', 'secret', plain),
    await lease('joe', 'secret', plain),
  ]
  byCommand.connection.condstoreEnabled()
  byEnable.connection.enabledByOne(['CONDSTORE'], 'CONDSTORE')
  await giveBackTo(pool, byCommand.connection, { usesCondstore: true })
  assert.equal((await session(work, plain, false)).tellReuse, false)
  await giveBackTo(pool, byEnable.connection)
  assert.equal(swapIn(pool, server, 'condstore', clean.connection), byCommand.connection)
  const next = await lease('joe', 'secret', plain)
  // A client that relies on its earlier ENABLE must send it again.
  assert.equal(next.tellReuse, false)
  await untilTrue(() => pool.connections.isIdle(clean.connection) || next.connection === clean.connection)
  assert.equal(swapIn(pool, server, 'CONDSTORE', next.connection), byEnable.connection)
})

test('after a session moved to a connection with CONDSTORE, its program is known', async () => {
  const work = await poolAtWork()
  const { lease, pool, server } = work
  const first = await session(work, webmail, true)
  const { connection } = await lease('joe', 'secret', plain)
  assert.equal(swapIn(pool, server, 'condstore', connection), first.connection)
  await giveBackTo(pool, first.connection, { usesCondstore: true })
  assert.equal((await session(work, plain, true)).connection, first.connection)
  assert.equal(work.logins(), 2)
})

test('a program that sends ENABLE and then enables CONDSTORE by a command moves to the connection that has both', async () => {
  const work = await poolAtWork()
  const { lease, pool, server } = work
  const first = await lease('joe', 'secret', webmail)
  first.connection.enabledByOne(['UTF8=ACCEPT'], 'UTF8=ACCEPT')
  first.connection.condstoreEnabled()
  await giveBackTo(pool, first.connection, { usesCondstore: true })
  for (let page = 2; page <= 5; page++) {
    const { connection } = await lease('joe', 'secret', webmail)
    assert.equal(swapIn(pool, server, 'UTF8=ACCEPT', connection), first.connection)
    await giveBackTo(pool, first.connection, { usesCondstore: true })
    await untilTrue(() => pool.connections.isIdle(connection))
  }
  assert.equal(work.logins(), 2)
  // Another program enables the same extension, but not CONDSTORE.
  const other = await lease('joe', 'secret', plain)
  assert.equal(swapIn(pool, server, 'UTF8=ACCEPT', other.connection), undefined)
})

test('a session that has enabled CONDSTORE by a command never moves to a connection without it', async () => {
  const work = await poolAtWork()
  const { lease, pool, server } = work
  const [enabled, own] = [await lease('joe', 'secret', plain), await lease('joe', 'secret', plain)]
  enabled.connection.enabledByOne(['QRESYNC'], 'QRESYNC')
  await giveBackTo(pool, enabled.connection)
  own.connection.condstoreEnabled()
  assert.equal(swapIn(pool, server, 'QRESYNC', own.connection), undefined)
})
