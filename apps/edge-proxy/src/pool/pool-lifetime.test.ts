import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wire } from '../imap/cuts.test-support.ts'
import { serverAt, wellBehaved } from '../server/scripted-server.test-support.ts'
import {
  but,
  swapIn,
  giveBackTo,
  poolAtWork,
  poolConfig,
  untilTrue,
  type PoolAtWork,
} from './pool.test-support.ts'
import type { Pool } from './pool.ts'

const times = { idleTimeoutMs: 10_000, lifetimeMaxMs: 100_000, proveIdleAfterMs: 5000, usesMax: 3 }

/** One idle connection of joe. */
async function withIdle(settings: Parameters<typeof poolAtWork>[0] = { pool: times }) {
  const work = await poolAtWork(settings)
  const { connection } = await work.lease('joe')
  await giveBackTo(work.pool, connection)
  return { ...work, connection }
}

const round = ({ pool }: PoolAtWork) => pool.sweep()

test('a connection is not reused after the idle timeout, whether or not the sweep has run', async () => {
  const work = await withIdle()
  work.clock.now += times.idleTimeoutMs
  round(work)
  await untilTrue(() => work.pool.connections.count('idle') === 1)
  work.clock.now += 1
  assert.equal((await work.lease('joe')).reused, false)
  assert.equal(work.count('upstream_drops_total{reason="idle-timeout"}'), 1)

  const reaped = await withIdle()
  reaped.clock.now += times.idleTimeoutMs + 1
  round(reaped)
  assert.equal(reaped.pool.connections.count('idle'), 0)
  await reaped.accounted()
})

test('a connection is closed after `usesMax` sessions', async () => {
  const { pool, lease, count } = await poolAtWork({ pool: times })
  const seen = new Set()
  for (let session = 0; session < times.usesMax; session++) {
    const { connection } = await lease('joe')
    seen.add(connection)
    await giveBackTo(pool, connection)
  }
  assert.equal(seen.size, 1)
  assert.equal((await lease('joe')).reused, false)
  assert.equal(count('reuse_refused_total{reason="used-up"}'), 1)
})

test('a connection is closed after `lifetimeMaxMs`, however busy it is', async () => {
  const busy = await poolAtWork({ pool: times })
  const { connection } = await busy.lease('joe')
  busy.clock.now += times.lifetimeMaxMs + 1
  await giveBackTo(busy.pool, connection)
  assert.equal(busy.count('reuse_refused_total{reason="too-old"}'), 1)

  const work = await poolAtWork({ pool: { ...times, idleTimeoutMs: 200_000 } })
  await giveBackTo(work.pool, (await work.lease('joe')).connection)
  work.clock.now += times.lifetimeMaxMs + 1
  round(work)
  assert.equal(work.count('upstream_drops_total{reason="too-old"}'), 1)
})

test('a connection that was idle for a while is proven before it is leased, or replaced', async () => {
  const alive = await withIdle()
  alive.clock.now += times.proveIdleAfterMs + 1
  const before = alive.scripted.asked.length
  assert.equal((await alive.lease('joe')).connection, alive.connection)
  assert.deepEqual(alive.scripted.asked.slice(before), ['NOOP'])

  const dead = await withIdle()
  dead.settings.current.pool = poolConfig({ ...times, resetTimeoutMs: 100 })
  dead.scripted.script = but({ NOOP: undefined })
  dead.clock.now += times.proveIdleAfterMs + 1
  assert.equal((await dead.lease('joe')).reused, false)
  assert.equal(dead.count('reuse_refused_total{reason="barrier-timed-out"}'), 1)
  await dead.accounted()
})

test('the sweep proves idle connections before a session would have to wait for the proof', async () => {
  const work = await withIdle()
  work.clock.now += times.proveIdleAfterMs - 1
  round(work)
  await untilTrue(() => work.connection.provenAt === work.clock.now)
  assert.equal(work.pool.connections.stateOf(work.connection), 'idle')
  work.scripted.script = but({ NOOP: 'TAG BAD no\r\n' })
  work.clock.now += times.proveIdleAfterMs - 1
  round(work)
  await untilTrue(() => work.pool.connections.count('idle') === 0)
  await work.accounted()
})

test('one sweep proves at most 100 connections', async () => {
  const { pool, lease, clock } = await poolAtWork({ pool: times })
  const users = Array.from({ length: 101 }, (_, index) => `user${index}`)
  const leased = await Promise.all(users.map((user) => lease(user)))
  await Promise.all(leased.map(({ connection }) => giveBackTo(pool, connection)))
  clock.now += times.proveIdleAfterMs - 1
  pool.sweep()
  assert.equal(pool.connections.count('resetting'), 100)
  await untilTrue(() => pool.connections.count('idle') === 101)
})

test('a revocation closes idle connections, and closes leased ones after their sessions', async () => {
  const { pool, lease, count, accounted } = await poolAtWork()
  const [idle, used, other] = [await lease('joe'), await lease('joe'), await lease('jane')]
  await giveBackTo(pool, idle.connection)
  await giveBackTo(pool, other.connection)
  assert.equal(
    pool.purge(({ user }) => user === 'joe', 'revoked'),
    2,
  )
  assert.equal(count('upstream_drops_total{reason="revoked"}'), 1)
  assert.equal(used.connection.link.isOpen, true)
  await giveBackTo(pool, used.connection)
  assert.equal(count('reuse_refused_total{reason="revoked"}'), 1)
  assert.deepEqual(pool.connections.idle(), [other.connection])
  await accounted()
})

test('a revocation applies to connections that are being reset or opened', async () => {
  const resetting = await poolAtWork()
  const { connection } = await resetting.lease('joe')
  const given = giveBackTo(resetting.pool, connection)
  resetting.pool.purge(() => true, 'revoked')
  await given
  assert.equal(resetting.count('reuse_refused_total{reason="revoked"}'), 1)

  const opening = await poolAtWork()
  const login = opening.lease('joe')
  await untilTrue(() => opening.pool.connections.count('dialing') === 1)
  opening.pool.purge(({ user }) => user === 'joe', 'revoked')
  const opened = await login
  await giveBackTo(opening.pool, opened.connection)
  assert.equal(opening.pool.connections.count('idle'), 0)
  // A purge concerns only present connections: the next one is kept.
  await giveBackTo(opening.pool, (await opening.lease('joe')).connection)
  assert.equal(opening.pool.connections.count('idle'), 1)
})

test('a revocation applies to connections by the name whose password opened them', async () => {
  const { pool, lease, scripted } = await poolAtWork()
  scripted.script = (asked) => (asked.verb === 'AUTHENTICATE' ? `${asked.tag} OK in\r\n` : wellBehaved(asked))
  const { connection } = await lease('admin', 'secret', { authzid: Buffer.from('joe'), mechanism: 'PLAIN' })
  assert.deepEqual([connection.user, connection.openedBy], ['joe', 'admin'])
  assert.equal(
    pool.purge(({ openedBy }) => openedBy === 'admin', 'revoked'),
    1,
  )
  await giveBackTo(pool, connection)
  assert.equal(pool.connections.count('idle'), 0)
})

test('a revocation applies to connections that are being opened to any server, and to no other user', async () => {
  const { pool, lease, server, scripted } = await poolAtWork()
  const elsewhere = serverAt(scripted.port, {}, 'elsewhere')
  const logins = [lease('jane'), lease('joe'), lease('joe', 'secret', { server: elsewhere })]
  await untilTrue(() => pool.connections.count('dialing') === 3)
  pool.purge(({ user }) => user === 'joe', 'revoked')
  for (const { connection } of await Promise.all(logins)) await giveBackTo(pool, connection)
  assert.deepEqual(
    pool.connections.idle().map(({ user, serverName }) => [user, serverName]),
    [['jane', server.name]],
  )
})

test('while reuse is suspended, every login gets a new connection', async () => {
  const { pool, lease } = await withIdle()
  const resume = pool.suspendReuse()
  const fresh = await lease('joe')
  assert.equal(fresh.reused, false)
  resume()
  assert.equal((await lease('joe')).reused, true)
})

test('while reuse is suspended, a login does not wait for a connection that is being reset', async () => {
  const { pool, lease, scripted, connection } = await withIdle()
  await lease('joe')
  scripted.script = but({ NOOP: undefined })
  void giveBackTo(pool, connection)
  pool.suspendReuse()
  assert.equal((await lease('joe')).reused, false)
  assert.equal(pool.connections.stateOf(connection), 'resetting')
})

test('while reuse is suspended, a connection that becomes idle is evicted for the longest-waiting login', async () => {
  const { pool, lease } = await poolAtWork({ limits: { connectionsMax: 1 } })
  const { connection } = await lease('joe')
  pool.suspendReuse()
  const jane = lease('jane')
  // Still waiting at the end of the test.
  lease('joe').catch(() => undefined)
  await untilTrue(() => pool.connections.count('waiting') === 2)
  void giveBackTo(pool, connection)
  assert.equal((await jane).reused, false)
  assert.equal(pool.connections.count('waiting'), 1)
})

test('while reuse is suspended, ENABLE does not move a session to another connection', async () => {
  const { pool, lease, server } = await poolAtWork()
  const enabled = (await lease('joe')).connection
  enabled.enabledByOne(['QRESYNC'], 'QRESYNC')
  const { connection } = await lease('joe')
  await giveBackTo(pool, enabled)
  const resume = pool.suspendReuse()
  assert.equal(swapIn(pool, server, 'QRESYNC', connection), undefined)
  resume()
  assert.equal(swapIn(pool, server, 'QRESYNC', connection), enabled)
})

test('a connection leased before a change of the configuration is closed after its session', async () => {
  const { pool, lease, login, scripted, server, count } = await poolAtWork()
  const { connection } = await lease('joe')
  // From now on, settings of another generation are in force.
  await login('jane', 'wrong', { server: serverAt(scripted.port, {}, server.name, 2) })
  await giveBackTo(pool, connection)
  assert.equal(pool.connections.stateOf(connection), 'closed')
  assert.equal(count('reuse_refused_total{reason="config-changed"}'), 1)
})

test('the sweep closes connections whose token has expired', async () => {
  const { pool, lease, clock, count, scripted } = await poolAtWork()
  scripted.script = but({ AUTHENTICATE: 'TAG OK in\r\n' })
  const payload = Buffer.from(JSON.stringify({ exp: clock.wall / 1000 + 60 })).toString('base64url')
  const secret = wire(`user=joe\x01auth=Bearer eyJhbGciOiJub25lIn0.${payload}.sig\x01\x01`)
  await giveBackTo(pool, (await lease('joe', '', { mechanism: 'XOAUTH2', secret })).connection)
  clock.wall += 60_000
  pool.sweep()
  assert.equal(pool.connections.count('idle'), 0)
  assert.equal(count('upstream_drops_total{reason="credentials-expired"}'), 1)
})

test('reuse is resumed when the last of several suspensions has ended', async () => {
  const { pool, lease } = await withIdle()
  const [first, second] = [pool.suspendReuse(), pool.suspendReuse()]
  first()
  first()
  assert.equal((await lease('joe')).reused, false)
  second()
  assert.equal((await lease('joe')).reused, true)
})

test('a connection is not leased if its user is revoked, or reuse suspended, while it is being proven', async () => {
  for (const [happen, reason] of [
    [(pool: Pool) => void pool.purge(({ user }) => user === 'joe', 'revoked'), 'revoked'],
    [(pool: Pool) => void pool.suspendReuse(), undefined],
  ] as const) {
    const { pool, lease, scripted, clock, connection, count, accounted } = await withIdle()
    clock.now += times.proveIdleAfterMs + 1
    scripted.script = but({ NOOP: undefined })
    const proofs = scripted.asked.length
    const leasing = lease('joe')
    await untilTrue(() => scripted.asked.length > proofs)
    happen(pool)
    scripted.connections[0]!.say(`${scripted.tags.at(-1)} OK done\r\n`)
    assert.equal((await leasing).reused, false)
    if (reason !== undefined) assert.equal(count(`reuse_refused_total{reason="${reason}"}`), 1)
    else assert.equal(pool.connections.stateOf(connection), 'idle')
    await accounted()
  }
})

test('a session is moved only to a recently proven connection, and another connection is proven for the next session', async () => {
  const { pool, lease, scripted, server, clock, settings } = await poolAtWork({ pool: times })
  const enabled = (await lease('joe')).connection
  enabled.enabledByOne(['QRESYNC'], 'QRESYNC')
  await giveBackTo(pool, enabled)
  const { connection } = await lease('joe')
  const doubts = [
    () => (clock.now += settings.current.pool.proveIdleAfterMs + 1),
    async () => {
      scripted.connections[0]!.say('* 3 EXISTS\r\n')
      await untilTrue(() => enabled.provenAt === -Infinity)
    },
  ]
  for (const doubt of doubts) {
    await doubt()
    assert.equal(swapIn(pool, server, 'QRESYNC', connection), undefined)
    await untilTrue(() => pool.connections.stateOf(enabled) === 'idle')
  }
  assert.equal(swapIn(pool, server, 'QRESYNC', connection), enabled)
})

test('a login that waits for a reset does not get the connection if reuse is suspended in the meantime', async () => {
  const { pool, lease, scripted } = await withIdle()
  const { connection } = await lease('joe')
  scripted.script = but({ NOOP: undefined })
  const proofs = scripted.asked.length
  const given = giveBackTo(pool, connection)
  const leasing = lease('joe')
  await untilTrue(() => scripted.asked.length > proofs)
  pool.suspendReuse()
  scripted.connections[0]!.say(`${scripted.tags.at(-1)} OK done\r\n`)
  await given
  assert.equal((await leasing).reused, false)
  assert.equal(pool.connections.stateOf(connection), 'idle')
})

test('a connection is not reused after the token that opened it has expired', async () => {
  const { pool, login, clock, count, scripted } = await poolAtWork()
  scripted.script = but({ AUTHENTICATE: 'TAG OK in\r\n' })
  const payload = Buffer.from(JSON.stringify({ exp: clock.wall / 1000 + 60 })).toString('base64url')
  const secret = wire(`user=joe\x01auth=Bearer eyJhbGciOiJub25lIn0.${payload}.sig\x01\x01`)
  const who = { mechanism: 'XOAUTH2', secret } as const
  const opened = await login('joe', '', who)
  assert.ok(opened.kind === 'leased')
  await giveBackTo(pool, opened.connection)
  assert.equal(pool.connections.count('idle'), 1)
  clock.wall += 60_000
  const later = await login('joe', '', who)
  assert.ok(later.kind === 'leased' && !later.reused)
  assert.equal(count('upstream_drops_total{reason="credentials-expired"}'), 1)
})

test('connections to a server whose settings have changed are not leased', async () => {
  const { lease, scripted, connection, count } = await withIdle()
  const server = serverAt(scripted.port, {}, 'main', 2)
  assert.equal((await lease('joe', 'secret', { server })).reused, false)
  assert.equal(connection.link.isOpen, false)
  assert.equal(count('upstream_drops_total{reason="config-changed"}'), 1)
})

test('a login to a server whose settings have changed does not get the connection whose reset it waited for', async () => {
  const { pool, lease, scripted, count } = await poolAtWork()
  const { connection } = await lease('joe')
  const given = giveBackTo(pool, connection)
  const changed = serverAt(scripted.port, {}, connection.serverName, connection.generation + 1)
  const next = lease('joe', 'secret', { server: changed })
  await given
  assert.equal((await next).reused, false)
  assert.equal(count('reuse_refused_total{reason="config-changed"}'), 1)
  assert.equal(connection.link.isOpen, false)
})

test('a shorter idle timeout applies to connections that are idle already', async () => {
  const work = await withIdle()
  work.clock.now += 4000
  work.settings.current.pool = poolConfig({ ...times, idleTimeoutMs: 3000 })
  round(work)
  assert.equal(work.pool.connections.count('idle'), 0)
})

test('a closed pool closes idle connections, and keeps none that is given back', async () => {
  const { pool, lease, accounted, count } = await withIdle()
  const used = await lease('jane')
  pool.close()
  assert.equal(pool.connections.count('idle'), 0)
  await giveBackTo(pool, used.connection)
  assert.equal(count('reuse_refused_total{reason="shutdown"}'), 1)
  await accounted()
  assert.equal(pool.connections.count('leased'), 0)
})
