import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wire } from '../imap/cuts.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import { cleanHandBack, serverAt } from '../server/scripted-server.test-support.ts'
import { but, giveBackTo, poolAtWork, poolConfig, untilTrue } from './pool.test-support.ts'

test('a user’s next session gets the connection of the last one, without a login', async () => {
  const { pool, lease, scripted, logins, count, accounted } = await poolAtWork()
  const first = await lease('joe')
  assert.deepEqual([first.reused, first.tellReuse], [false, false])
  await giveBackTo(pool, first.connection)
  const second = await lease('joe')
  assert.deepEqual([second.reused, second.tellReuse], [true, true])
  assert.equal(second.connection, first.connection)
  assert.deepEqual([scripted.connections.length, logins()], [1, 1])
  assert.equal(second.connection.uses, 2)
  await accounted()
  assert.equal(count('upstream_drops_total{reason="closed-by-peer"}'), 0)
})

test('a second user never receives the first user’s connection', async () => {
  const { pool, login, lease, scripted, server } = await poolAtWork()
  const { connection } = await lease('joe')
  await giveBackTo(pool, connection)
  const elsewhere = serverAt(scripted.port, {}, 'other')
  const others: Parameters<typeof login>[] = [
    ['jane'],
    ['joe@example.com'],
    ['Joe'],
    ['jo'],
    ['joe '],
    ['joe', 'secret', { authzid: wire('jane') }],
    ['joe', 'secret', { mechanism: 'XOAUTH2' }],
    ['joe', 'secret', { server: elsewhere }],
    ['joe', 'secret', { server: serverAt(scripted.port, {}, server.name, 2) }],
  ]
  for (const who of others) {
    const other = await login(...who)
    assert.ok(
      other.kind === 'refused' || (!other.reused && other.connection !== connection),
      JSON.stringify(who),
    )
  }
})

test('a wrong password neither uses nor evicts the idle connection, and the server checks it', async () => {
  const { pool, login, lease, logins, accounted } = await poolAtWork()
  const { connection } = await lease('joe')
  await giveBackTo(pool, connection)
  for (const wrong of ['wrong', '', 'secre', 'secret2', 'Secret'])
    assert.deepEqual(await login('joe', wrong), {
      kind: 'refused',
      cause: 'wrong-credentials',
      status: 'NO',
      text: '[AUTHENTICATIONFAILED] Authentication failed.',
      logText: '[AUTHENTICATIONFAILED] Authentication failed.',
    })
  assert.equal(logins(), 6)
  assert.equal(pool.connections.stateOf(connection), 'idle')
  assert.equal((await lease('joe')).connection, connection)
  await accounted()
})

test('logins with the same password by different mechanisms find the same connection', async () => {
  const { pool, lease } = await poolAtWork()
  const { connection } = await lease('joe')
  for (const mechanism of ['PLAIN', 'LOGIN', 'command'] as const) {
    await giveBackTo(pool, connection)
    assert.equal((await lease('joe', 'secret', { mechanism })).connection, connection)
  }
})

test('two simultaneous sessions of one user have a connection each', async () => {
  const { pool, lease, accounted } = await poolAtWork()
  const [one, two] = await Promise.all([lease('joe'), lease('joe')])
  assert.notEqual(one.connection, two.connection)
  await Promise.all([giveBackTo(pool, one.connection), giveBackTo(pool, two.connection)])
  const again = await Promise.all([lease('joe'), lease('joe'), lease('joe')])
  assert.equal(new Set(again.map(({ connection }) => connection)).size, 3)
  assert.equal(again.filter(({ reused }) => reused).length, 2)
  await accounted()
})

test('a connection that a session has spoiled is closed, and the reason is counted', async () => {
  const { pool, lease, count, accounted } = await poolAtWork()
  for (const refusal of ['open-literal', 'notify', 'extensions-enabled', 'kicked'] as const) {
    const { connection } = await lease('joe')
    await giveBackTo(pool, connection, { refusal })
    assert.equal(pool.connections.stateOf(connection), 'closed')
    assert.equal(connection.link.isOpen, false)
    assert.equal(count(`reuse_refused_total{reason="${refusal}"}`), 1)
  }
  await accounted()
  assert.equal(pool.connections.count('idle'), 0)
})

test('a connection that is not proven clean is closed, and the reason is counted', async () => {
  const { pool, lease, scripted, count, accounted, settings } = await poolAtWork()
  const answers: [string | undefined, string][] = [
    ['TAG NO no\r\n', 'barrier-refused'],
    ['x OK who?\r\n', 'unexpected-reply'],
    ['TAG OK done\r\n* 1 EXISTS\r\n', 'data-after-barrier'],
    [undefined, 'barrier-timed-out'],
  ]
  for (const [answer, reason] of answers) {
    scripted.script = but({ NOOP: answer })
    if (answer === undefined) settings.current.pool = poolConfig({ resetTimeoutMs: 100 })
    const { connection } = await lease('joe')
    await giveBackTo(pool, connection)
    assert.equal(pool.connections.stateOf(connection), 'closed')
    assert.equal(count(`reuse_refused_total{reason="${reason}"}`), 1)
  }
  await accounted()
})

test('data that arrives between the proof and the return to the pool closes the connection', async () => {
  const moments: [(connection: ServerConnection) => void, string][] = [
    [({ link }) => link.handler.onData(wire('* 3 EX')), 'data-after-barrier'],
    [({ link }) => link.close(), 'closed-by-peer'],
  ]
  for (const [happen, reason] of moments) {
    const { pool, lease, scripted, count } = await poolAtWork()
    const { connection } = await lease('joe')
    scripted.script = but({ NOOP: undefined })
    const given = giveBackTo(pool, connection)
    await untilTrue(() => scripted.asked.includes('NOOP'))
    // One TLS segment may hold several records: all are delivered before any promise settles.
    connection.link.handler.onData(wire(`${scripted.tags.at(-1)} OK done\r\n`))
    happen(connection)
    await given
    assert.equal(pool.connections.count('idle'), 0)
    assert.equal(count(`reuse_refused_total{reason="${reason}"}`), 1)
  }
})

test('a connection that the server closes leaves the pool immediately, and the next session gets a new one', async () => {
  const { pool, lease, scripted, count, accounted } = await poolAtWork()
  const { connection } = await lease('joe')
  await giveBackTo(pool, connection)
  scripted.connections[0]!.socket.end()
  await untilTrue(() => pool.connections.count('idle') === 0)
  assert.equal(count('upstream_drops_total{reason="closed-by-peer"}'), 1)
  assert.equal((await lease('joe')).reused, false)
  await accounted()
})

test('an idle connection on which the server sends unsolicited data is closed, or proven before its next lease', async () => {
  for (const [said, reason] of [
    ['* BYE going down\r\n', 'server-said-bye'],
    ['a1 OK late\r\n', 'unexpected-reply'],
    ['+ go on\r\n', 'unexpected-reply'],
  ] as const) {
    const { pool, lease, scripted, count } = await poolAtWork()
    await giveBackTo(pool, (await lease('joe')).connection)
    scripted.connections[0]!.say(said)
    await untilTrue(() => pool.connections.count('idle') === 0)
    assert.equal(count(`upstream_drops_total{reason="${reason}"}`), 1)
  }
  const { pool, lease, scripted } = await poolAtWork()
  const { connection } = await lease('joe')
  await giveBackTo(pool, connection)
  const proofs = scripted.asked.length
  scripted.connections[0]!.say('* 3 EXISTS\r\n')
  await untilTrue(() => connection.provenAt === -Infinity)
  assert.equal((await lease('joe')).connection, connection)
  assert.deepEqual(scripted.asked.slice(proofs), ['NOOP'])
})

test('an idle connection within a response is not leased', async () => {
  const { pool, lease, scripted, count } = await poolAtWork()
  const { connection } = await lease('joe')
  await giveBackTo(pool, connection)
  scripted.connections[0]!.say('* 1 FETCH (BODY[] {100}\r\nhalf')
  await untilTrue(() => !connection.scanner.atBoundary)
  assert.equal((await lease('joe')).reused, false)
  assert.equal(count('upstream_drops_total{reason="unfinished-reply"}'), 1)
})

test('a server that floods an idle connection is disconnected', async () => {
  const { pool, lease, scripted } = await poolAtWork({ pool: { resetBytesMax: 10_000 } })
  await giveBackTo(pool, (await lease('joe')).connection)
  scripted.connections[0]!.say('* 1 EXISTS\r\n'.repeat(5000))
  await untilTrue(() => pool.connections.count('idle') === 0)
})

test('a login to a server that cannot be reached is refused with [UNAVAILABLE] and leaves no connection', async () => {
  const { login, scripted, count, accounted } = await poolAtWork()
  scripted.greeting = '220 mail ESMTP\r\n'
  assert.deepEqual(await login('joe'), {
    kind: 'refused',
    cause: 'unavailable',
    status: 'NO',
    text: '[UNAVAILABLE] Mail server is not available, try again later',
    logText: '[UNAVAILABLE] Mail server is not available, try again later',
  })
  assert.equal(count('upstream_failures_total{upstream="main",reason="not-imap"}'), 1)
  scripted.greeting = '* BYE full\r\n'
  const refused = await login('joe')
  assert.equal(refused.kind === 'refused' && refused.text, '[UNAVAILABLE] full')
  assert.equal(count('upstream_failures_total{upstream="main",reason="bye"}'), 1)
  await accounted()
})

test('logins are counted by result: wrong passwords and servers that cannot answer have separate counts', async () => {
  const { pool, login, lease, scripted, count } = await poolAtWork()
  const counted = () =>
    ['ok', 'refused', 'failed'].map((result) => count(`logins_total{upstream="main",result="${result}"}`))
  await giveBackTo(pool, (await lease('joe')).connection)
  await lease('joe')
  assert.deepEqual(counted(), [2, 0, 0])
  await login('joe', 'wrong')
  assert.deepEqual(counted(), [2, 1, 0])
  scripted.script = but({ LOGIN: 'TAG NO [UNAVAILABLE] later\r\n' })
  await login('joe', 'other')
  assert.deepEqual(counted(), [2, 1, 1])
})

test('an ALERT during the proof is logged, and the connection is kept', async () => {
  const { pool, lease, scripted } = await poolAtWork()
  scripted.script = but({ NOOP: '* OK [ALERT] disk is full\r\nTAG OK done\r\n' })
  const { connection } = await lease('joe')
  await giveBackTo(pool, connection)
  assert.equal(pool.connections.stateOf(connection), 'idle')
})

test('only the session that holds a connection can give it back', async () => {
  const { pool, lease, accounted } = await poolAtWork()
  const { connection } = await lease('joe')
  const first = pool.connections.holderOf(connection)!
  const handBack = cleanHandBack(connection)
  await pool.giveBack(handBack, first)
  assert.equal((await lease('joe')).connection, connection)
  assert.throws(() => pool.giveBack(handBack, first), /does not hold/)
  assert.equal(pool.connections.stateOf(connection), 'leased')
  await accounted()
})

test('an ALERT during the proof before a lease is logged', async () => {
  const { pool, lease, scripted, clock, settings, logged } = await poolAtWork()
  const { connection } = await lease('joe')
  await giveBackTo(pool, connection)
  clock.now += settings.current.pool.proveIdleAfterMs + 1
  const said = ['* OK [ALERT] nearly full', '* NO [ALERT] full', '*  BAD [alert] too full']
  scripted.script = but({ NOOP: `${said.join('\r\n')}\r\nTAG OK done\r\n` })
  assert.equal((await lease('joe')).connection, connection)
  for (const line of said)
    assert.ok(
      logged.some((each) => each.includes(line)),
      line,
    )
})

test('when a session fails, its own connection is closed, and no other', async () => {
  const { pool, lease, count } = await poolAtWork()
  const [failed, other] = [await lease('joe'), await lease('joe')]
  pool.abandon(pool.connections.holderOf(failed.connection)!)
  assert.equal(failed.connection.link.isOpen, false)
  assert.equal(pool.connections.stateOf(other.connection), 'leased')
  assert.equal(count('reuse_refused_total{reason="failed-here"}'), 1)
})

test('of several idle connections, the one that was used last is leased first', async () => {
  const { pool, lease, clock } = await poolAtWork()
  const [first, last] = [await lease('joe'), await lease('joe')]
  await giveBackTo(pool, last.connection)
  clock.now += 1000
  await giveBackTo(pool, first.connection)
  assert.equal((await lease('joe')).connection, first.connection)
  assert.equal((await lease('joe')).connection, last.connection)
})

test('a connection whose reset a login waited for is leased to that login’s client', async () => {
  const { pool, lease, server } = await poolAtWork()
  const { connection } = await lease('joe')
  const given = giveBackTo(pool, connection)
  const holder = { address: '192.0.2.8', isConnected: true, loginSignal: AbortSignal.any([]), family: '' }
  const credentials = {
    user: Buffer.from('joe'),
    authzid: Buffer.alloc(0),
    secret: Buffer.from('secret'),
    mechanism: 'command',
  } as const
  const leased = await pool.lease(server, credentials, holder)
  await given
  assert.ok(leased.kind === 'leased')
  assert.equal(leased.connection, connection)
  assert.equal(pool.connections.holderOf(connection), holder)
})
