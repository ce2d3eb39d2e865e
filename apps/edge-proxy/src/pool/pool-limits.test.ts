import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverAt } from '../server/scripted-server.test-support.ts'
import { but, swapIn, giveBackTo, poolAtWork, untilTrue } from './pool.test-support.ts'

test('a login whose user’s connection is being reset waits for that reset only', async () => {
  const { pool, lease, logins, scripted, accounted } = await poolAtWork()
  const { connection } = await lease('joe')
  scripted.script = but({ NOOP: undefined })
  const given = giveBackTo(pool, connection)
  await untilTrue(() => scripted.asked.includes('NOOP'))
  const barrier = scripted.tags.at(-1)!
  const [claimed, fresh] = [lease('joe'), lease('joe')]
  assert.equal((await fresh).reused, false)
  assert.equal(pool.connections.stateOf(connection), 'resetting')
  scripted.script = but({})
  scripted.connections[0]!.say(`${barrier} OK done\r\n`)
  await given
  assert.deepEqual([(await claimed).connection, (await claimed).reused], [connection, true])
  assert.equal(pool.connections.stateOf(connection), 'leased')
  assert.equal(logins(), 2)
  await accounted()
})

test('a login that waited for a reset that failed gets a new connection', async () => {
  const { pool, lease, scripted, accounted } = await poolAtWork({ pool: { resetTimeoutMs: 100 } })
  const { connection } = await lease('joe')
  scripted.script = but({ NOOP: undefined })
  const given = giveBackTo(pool, connection)
  const next = lease('joe')
  await given
  assert.equal((await next).reused, false)
  assert.notEqual((await next).connection, connection)
  await accounted()
})

test('a login that waited for a reset in which the edge threw gets a new connection', async () => {
  const { pool, lease, scripted, count, accounted } = await poolAtWork()
  const { connection } = await lease('joe')
  scripted.script = but({ NOOP: undefined })
  const given = giveBackTo(pool, connection)
  const next = lease('joe')
  await untilTrue(() => scripted.asked.includes('NOOP'))
  const { connections } = pool
  const leaseConnection = connections.toLeased.bind(connections)
  connections.toLeased = () => {
    connections.toLeased = leaseConnection
    throw new Error('a mistake')
  }
  scripted.connections[0]!.say(`${scripted.tags.at(-1)} OK done\r\n`)
  await given
  assert.equal((await next).reused, false)
  assert.equal(count('reuse_refused_total{reason="failed-here"}'), 1)
  await accounted()
})

test('a login does not wait for the reset of a connection that does not fit it', async () => {
  const { pool, login, lease, scripted } = await poolAtWork()
  const { connection } = await lease('joe')
  scripted.script = but({ NOOP: undefined, LOGIN: 'TAG NO no\r\n' })
  const given = giveBackTo(pool, connection)
  assert.equal((await login('joe', 'wrong')).kind, 'refused')
  assert.equal((await login('jane')).kind, 'refused')
  assert.equal(pool.connections.stateOf(connection), 'resetting')
  scripted.connections[0]!.socket.end()
  await given
})

test('at the limit of a server, its oldest idle connection is evicted', async () => {
  const { pool, lease, scripted, count, clock, accounted } = await poolAtWork({
    limits: { connectionsMax: 3 },
  })
  const elsewhere = await lease('ann', 'secret', { server: serverAt(scripted.port, {}, 'other') })
  await giveBackTo(pool, elsewhere.connection)
  const leases = [await lease('joe'), await lease('jane'), await lease('jim')]
  for (const { connection } of leases) {
    clock.now += 1000
    await giveBackTo(pool, connection)
  }
  const [joe, jane, jim] = leases.map(({ connection }) => connection)
  // A proof does not count as a use.
  for (const connection of [joe!, jane!]) await pool.refresh(connection)
  assert.equal((await lease('jack')).reused, false)
  assert.equal(count('upstream_drops_total{reason="evicted"}'), 1)
  await untilTrue(() => !joe!.link.isOpen)
  for (const connection of [jane!, jim!]) assert.equal(pool.connections.stateOf(connection), 'idle')
  assert.equal(pool.connections.stateOf(elsewhere.connection), 'idle')
  await accounted()
})

test('logins without a place wait in order, and each gets a connection of its own user', async () => {
  const { pool, lease, login, accounted } = await poolAtWork({
    limits: { connectionsMax: 1, queueMax: 2, queueTimeoutMs: 5000 },
  })
  const first = await lease('joe')
  const [jane, jim] = [lease('jane'), lease('jim')]
  assert.deepEqual(await login('jack'), {
    kind: 'refused',
    cause: 'limit',
    status: 'NO',
    text: '[LIMIT] Too many connections, try again later',
    logText: '[LIMIT] Too many connections, try again later',
  })
  assert.equal(pool.connections.count('waiting'), 2)
  await giveBackTo(pool, first.connection)
  const { connection } = await jane
  assert.equal(connection.user, 'jane')
  assert.equal(pool.connections.count('waiting'), 1)
  await giveBackTo(pool, connection)
  assert.equal((await jim).connection.user, 'jim')
  assert.equal(pool.connections.count('leased'), 1)
  await accounted()
})

test('a waiting login gets the place of a connection that is closed', async () => {
  const { pool, lease } = await poolAtWork({ limits: { connectionsMax: 1 } })
  const { connection } = await lease('joe')
  const waiting = lease('jane')
  await untilTrue(() => pool.connections.count('waiting') === 1)
  await giveBackTo(pool, connection, { refusal: 'open-literal' })
  assert.equal(pool.connections.count('waiting'), 0)
  assert.equal((await waiting).reused, false)
})

test('a waiting login gets the connection that a session of its user gives back', async () => {
  const { pool, lease, logins } = await poolAtWork({ limits: { connectionsMax: 1 } })
  const first = await lease('joe')
  const second = lease('joe')
  await untilTrue(() => pool.connections.count('waiting') === 1)
  await giveBackTo(pool, first.connection)
  assert.equal((await second).connection, first.connection)
  assert.equal(logins(), 1)
})

/** A login of joe that waits to connect, behind a login of another user to a server that sends no greeting. */
async function waitingToConnect() {
  const at = await poolAtWork({ limits: { connectsMax: 1 } })
  const { pool, lease, scripted, server } = at
  const first = await lease('joe')
  scripted.greeting = undefined
  const other = lease('ann')
  await untilTrue(() => scripted.open === 2)
  const greetLater = () => {
    scripted.greeting = '* OK ready\r\n'
    scripted.connections.at(-1)!.say('* OK ready\r\n')
  }
  const second = (secret?: string) => {
    const login = lease('joe', secret)
    return { login, isWaiting: untilTrue(() => server.gate.waiting === 1) }
  }
  return { ...at, first, other, second, greetLater, pool }
}

test('a login that waits to connect gets the connection that a session of its user gives back', async () => {
  const { pool, server, first, other, second, greetLater, logins, accounted } = await waitingToConnect()
  const { login, isWaiting } = second()
  await isWaiting
  await giveBackTo(pool, first.connection)
  const leased = await login
  assert.deepEqual([leased.connection, leased.reused], [first.connection, true])
  assert.equal(server.gate.waiting, 0)
  assert.equal(pool.connections.count('dialing'), 1, 'its place is free')
  assert.equal(logins(), 1)
  greetLater()
  assert.equal((await other).reused, false)
  await accounted()
})

test('a login that waits to connect does not get a connection that another secret opened', async () => {
  const { pool, server, first, other, second, greetLater, accounted } = await waitingToConnect()
  const { login, isWaiting } = second('another secret')
  await isWaiting
  await giveBackTo(pool, first.connection)
  assert.equal(pool.connections.count('idle'), 1)
  assert.equal(server.gate.waiting, 1)
  greetLater()
  assert.equal((await login).reused, false)
  await other
  await accounted()
})

test('a login that waits to connect gets a connection of its secret, also behind a login with another secret', async () => {
  const { pool, server, first, other, lease, greetLater, accounted } = await waitingToConnect()
  const stranger = lease('joe', 'another secret')
  await untilTrue(() => server.gate.waiting === 1)
  const own = lease('joe')
  await untilTrue(() => server.gate.waiting === 2)
  await giveBackTo(pool, first.connection)
  assert.equal((await own).connection, first.connection)
  greetLater()
  assert.equal((await stranger).reused, false)
  await other
  await accounted()
})

test('a login that waits between two attempts to connect gets the connection that a session of its user gives back', async () => {
  const { pool, scripted, lease, logins, accounted } = await poolAtWork({
    limits: { connectAttempts: 2, connectDelayMs: 600_000, breakerFailures: 0 },
  })
  const first = await lease('joe')
  scripted.greeting = '* BYE not now\r\n'
  const second = lease('joe')
  await untilTrue(() => scripted.connections.length === 2 && scripted.open === 1)
  await giveBackTo(pool, first.connection)
  assert.equal((await second).connection, first.connection)
  assert.equal(logins(), 1)
  await accounted()
})

test('a login that waited too long is refused with [LIMIT], not like a wrong password', async () => {
  const { lease, login, pool } = await poolAtWork({ limits: { connectionsMax: 1, queueTimeoutMs: 20 } })
  const first = await lease('joe')
  const late = await login('jane')
  assert.ok(late.kind === 'refused')
  assert.deepEqual([late.cause, late.status, late.text.startsWith('[LIMIT] ')], ['limit', 'NO', true])
  await giveBackTo(pool, first.connection)
  assert.equal((await lease('jane')).reused, false)
})

test('a failed login gives up its place', async () => {
  const { lease, login, scripted, accounted } = await poolAtWork({
    limits: { connectionsMax: 1, queueMax: 0 },
  })
  for (let attempt = 0; attempt < 3; attempt++)
    assert.equal(((await login('joe', 'wrong')) as { cause?: string }).cause, 'wrong-credentials')
  scripted.greeting = '* BYE full\r\n'
  for (let attempt = 0; attempt < 3; attempt++)
    assert.equal(((await login('joe')) as { cause?: string }).cause, 'unavailable')
  scripted.greeting = '* OK ready\r\n'
  await lease('joe')
  await accounted()
})

test('the limit per user applies to each user separately', async () => {
  const { lease, login, pool } = await poolAtWork({ limits: { connectionsPerUserMax: 2, queueMax: 0 } })
  await Promise.all([lease('joe'), lease('joe')])
  const third = await login('joe')
  assert.ok(third.kind === 'refused' && third.cause === 'limit')
  await lease('jane')
  assert.equal(pool.connections.count('leased'), 3)
})

test('without a limit per user no login waits, and beyond 9 connections each new one evicts an idle connection of the user', async () => {
  const { lease, pool, count, accounted } = await poolAtWork({ limits: { queueMax: 0 } })
  const leases = await Promise.all(Array.from({ length: 12 }, () => lease('joe')))
  assert.equal(pool.connections.count('leased'), 12)
  for (const { connection } of leases.slice(0, 3)) {
    connection.enabledByOne(['CONDSTORE'], 'CONDSTORE')
    await giveBackTo(pool, connection)
  }
  await giveBackTo(pool, (await lease('jane')).connection)
  for (let more = 1; more <= 5; more++) {
    assert.equal((await lease('joe')).reused, false)
    await untilTrue(() => pool.connections.count('idle') === 1 + Math.max(0, 3 - more))
  }
  assert.equal(count('upstream_drops_total{reason="evicted"}'), 3)
  await accounted()
})

test('without a limit per user, a login that waits for a reset connects when another login gets that connection', async () => {
  const { pool, lease, scripted, count, accounted } = await poolAtWork({ limits: { queueTimeoutMs: 60_000 } })
  const leases = []
  for (let each = 0; each < 9; each++) leases.push(await lease('joe'))
  scripted.script = but({ NOOP: undefined })
  const given = giveBackTo(pool, leases[0]!.connection)
  await untilTrue(() => scripted.asked.includes('NOOP'))
  const barrier = scripted.tags.at(-1)!
  const [claimed, other] = [lease('joe'), lease('joe', 'other')]
  await untilTrue(() => pool.connections.count('waiting') === 1)
  scripted.script = but({ LOGIN: 'TAG OK done\r\n' })
  scripted.connections[0]!.say(`${barrier} OK done\r\n`)
  await given
  assert.deepEqual([(await claimed).reused, (await other).reused], [true, false])
  assert.equal(count('upstream_drops_total{reason="evicted"}'), 0)
  await accounted()
})

test('without a limit per user, wrong passwords evict nothing and make no login wait', async () => {
  const { lease, login, pool, count, accounted } = await poolAtWork({ limits: { queueMax: 0 } })
  const leases = await Promise.all(Array.from({ length: 9 }, () => lease('joe')))
  await giveBackTo(pool, leases[0]!.connection)
  const wrong = await Promise.all(Array.from({ length: 5 }, () => login('joe', 'wrong')))
  assert.deepEqual(
    new Set(wrong.map((answer) => 'cause' in answer && answer.cause)),
    new Set(['wrong-credentials']),
  )
  assert.equal(count('upstream_drops_total{reason="evicted"}'), 0)
  assert.equal((await lease('joe')).reused, true)
  await accounted()
})

test('an idle connection that does not fit is evicted for a login of the same user', async () => {
  const { lease, pool } = await poolAtWork({ limits: { connectionsPerUserMax: 1, queueMax: 0 } })
  const { connection } = await lease('joe')
  connection.enabledByOne(['CONDSTORE'], 'CONDSTORE')
  await giveBackTo(pool, connection)
  assert.equal(pool.connections.stateOf(connection), 'idle')
  assert.equal((await lease('joe')).reused, false)
  await untilTrue(() => !connection.link.isOpen)
})

test('a connection with enabled extensions is leased only to sessions that enable exactly these', async () => {
  const { pool, lease, server, accounted } = await poolAtWork()
  const enabled = (await lease('joe')).connection
  enabled.enabledByOne(['QRESYNC'], 'QRESYNC')
  await giveBackTo(pool, enabled)
  const clean = await lease('joe')
  assert.equal(clean.reused, false)
  assert.equal(swapIn(pool, server, 'CONDSTORE', clean.connection), undefined)
  assert.equal(swapIn(pool, server, 'QRESYNC', (await lease('jane')).connection), undefined)
  assert.equal(swapIn(pool, server, 'QRESYNC', clean.connection), enabled)
  assert.equal(pool.connections.stateOf(enabled), 'leased')
  assert.equal(enabled.uses, 2)
  await accounted()
})

test('a user whose client has enabled an extension never gets the notice of reuse', async () => {
  const { pool, lease, server } = await poolAtWork()
  const clean = (await lease('joe')).connection
  const enabling = (await lease('joe')).connection
  swapIn(pool, server, 'QRESYNC', enabling)
  enabling.enabledByOne(['QRESYNC'], 'QRESYNC')
  // Neither during that session nor after it.
  for (let round = 0; round < 2; round++) {
    await giveBackTo(pool, clean)
    const again = await lease('joe')
    assert.deepEqual([again.reused, again.connection, again.tellReuse], [true, clean, false])
    if (round === 0) await giveBackTo(pool, enabling)
  }
  await giveBackTo(pool, (await lease('jane')).connection)
  assert.equal((await lease('jane')).tellReuse, true)
})

test('an ENABLE that enables nothing does not count as enabled', async () => {
  const { pool, lease, server } = await poolAtWork()
  const { connection } = await lease('joe')
  swapIn(pool, server, 'X-UNKNOWN', connection)
  connection.enabledByOne([], 'X-UNKNOWN')
  await giveBackTo(pool, connection)
  const again = await lease('joe')
  assert.deepEqual([again.reused, again.tellReuse], [true, true])
})

test('a session that is moved to another connection gives back the first one', async () => {
  const { pool, lease, server, accounted } = await poolAtWork()
  const enabled = (await lease('joe')).connection
  enabled.enabledByOne(['QRESYNC'], 'QRESYNC')
  await giveBackTo(pool, enabled)
  const { connection } = await lease('joe')
  assert.equal(swapIn(pool, server, 'QRESYNC', connection), enabled)
  await untilTrue(() => pool.connections.stateOf(connection) === 'idle')
  assert.equal((await lease('joe')).connection, connection)
  await accounted()
})

test('a user whose client has enabled an extension by a command other than ENABLE never gets the notice of reuse', async () => {
  const { pool, lease } = await poolAtWork()
  const { connection } = await lease('joe')
  connection.enabled(['CONDSTORE'])
  await giveBackTo(pool, connection, { refusal: 'extensions-enabled' })
  await giveBackTo(pool, (await lease('joe')).connection)
  const again = await lease('joe')
  assert.deepEqual([again.reused, again.tellReuse], [true, false])
})

test('a connection that is opened ahead stays within connectionsMax, and leaves its place to a login', async () => {
  for (const state of ['ready', 'opening'] as const) {
    const { lease, scripted, server } = await poolAtWork({ limits: { connectionsMax: 2 } })
    server.knowledge?.measured(40, 0)
    const first = lease('joe')
    await untilTrue(() => scripted.asked.length > 0)
    const { greeting } = scripted
    if (state === 'opening') scripted.greeting = ''
    await first
    await untilTrue(() => scripted.connections.length === 2 && server.connectAhead.state === state)
    scripted.greeting = greeting
    await lease('amy')
    assert.equal(server.connectAhead.state, 'none')
    await untilTrue(() => scripted.open === 2)
    assert.equal(scripted.connections.length, state === 'ready' ? 2 : 3)
  }
})

test('no connection is opened ahead at a limit that the server has shown', async () => {
  const { lease, login, scripted, server, count } = await poolAtWork()
  await lease('joe')
  scripted.script = but({ LOGIN: 'TAG NO [LIMIT] too many connections from this host\r\n' })
  assert.equal((await login('amy')).kind, 'refused')
  assert.equal(count('upstream_full_total{upstream="main",reason="server-limit"}'), 1)
  scripted.script = but({})
  server.knowledge?.measured(40, 0)
  const { length } = scripted.connections
  await lease('amy')
  assert.equal(scripted.connections.length, length + 1)
  assert.equal(server.connectAhead.state, 'none')
})
