/** Evictions at a limit: which idle connection, for which login, and when. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverAt } from '../server/scripted-server.test-support.ts'
import { but, giveBackTo, poolAtWork, untilTrue, type PoolAtWork } from './pool.test-support.ts'

/** Wrong passwords are answered when `judge` is called. */
function slowToJudge({ scripted }: PoolAtWork): { judge: () => void; asked: () => Promise<void> } {
  const waiting: (() => void)[] = []
  scripted.script = (asked) => {
    if (asked.verb !== 'LOGIN' || !asked.text.includes('wrong')) return but({})(asked)
    waiting.push(() => asked.peer.say(`${asked.tag} NO no\r\n`))
    return undefined
  }
  return {
    judge: () => waiting.splice(0).forEach((answer) => answer()),
    asked: () => untilTrue(() => waiting.length > 0),
  }
}

test('a wrong password evicts no idle connection, also at the limit', async () => {
  for (const limits of [{ connectionsMax: 2 }, { connectionsPerUserMax: 1 }] as const) {
    const { pool, lease, login, count, accounted } = await poolAtWork({ limits })
    const leases = [await lease('joe'), await lease('jane')]
    for (const leased of leases) await giveBackTo(pool, leased.connection)
    for (const user of ['joe', 'jane', 'jim', 'joe'])
      assert.equal((await login(user, 'wrong')).kind, 'refused')
    assert.equal(count('upstream_drops_total{reason="evicted"}'), 0)
    for (const leased of leases) assert.equal(pool.connections.stateOf(leased.connection), 'idle')
    for (const user of ['joe', 'jane']) assert.equal((await lease(user)).reused, true)
    await accounted()
  }
})

test('wrong passwords are sent to the server one after the other, and a login that waits behind them is not lost', async () => {
  const { pool, lease, login, count, accounted } = await poolAtWork({
    limits: { connectionsMax: 1, connectionsSpareMax: 2 },
  })
  await giveBackTo(pool, (await lease('joe')).connection)
  const attempts = Array.from({ length: 20 }, (_, at) => login(`user${at}`, 'wrong'))
  const jane = login('jane')
  const kinds = (await Promise.all(attempts)).map(({ kind }) => kind)
  assert.deepEqual(new Set(kinds), new Set(['refused']))
  assert.equal(pool.connections.peak('idle'), 1)
  assert.equal((await jane).kind, 'leased')
  assert.equal(count('upstream_drops_total{reason="evicted"}'), 1)
  assert.equal(pool.connections.count('waiting'), 0)
  await accounted()
})

test('at the limit, a changed password is checked first, and then the connection of the old one is evicted', async () => {
  const { pool, lease, scripted, accounted } = await poolAtWork({ limits: { connectionsPerUserMax: 1 } })
  const { connection } = await lease('joe')
  await giveBackTo(pool, connection)
  const changed = await lease('joe', 'new secret')
  assert.equal(changed.reused, false)
  await untilTrue(() => !connection.link.isOpen)
  await giveBackTo(pool, changed.connection)
  assert.equal((await lease('joe', 'new secret')).connection, changed.connection)
  assert.equal(scripted.connections.length, 2)
  await accounted()
})

test('a login that succeeds after the idle connection was leased waits for a place', async () => {
  const { pool, lease, login, scripted, count, accounted } = await poolAtWork({
    limits: { connectionsPerUserMax: 1 },
  })
  const { connection } = await lease('joe')
  await giveBackTo(pool, connection)
  let answer = () => {}
  scripted.script = (asked) => {
    if (asked.verb !== 'LOGIN') return but({})(asked)
    answer = () => asked.peer.say(`${asked.tag} OK done\r\n`)
    return undefined
  }
  const changed = login('joe', 'new secret')
  await untilTrue(() => scripted.asked.some((text) => text.includes('new secret')))
  const before = await lease('joe')
  assert.equal(before.connection, connection)
  scripted.script = but({})
  answer()
  await untilTrue(() => pool.connections.count('waiting') === 1)
  assert.equal(count('upstream_drops_total{reason="over-limit"}'), 1)
  await giveBackTo(pool, connection)
  const leased = await changed
  assert.ok(leased.kind === 'leased' && !leased.reused)
  await untilTrue(() => !connection.link.isOpen)
  await accounted()
})

test('without spare connections, the server never sees more connections than the limit', async () => {
  const { pool, lease, scripted, accounted } = await poolAtWork({
    limits: { connectionsMax: 1, connectionsSpareMax: 0 },
  })
  await giveBackTo(pool, (await lease('joe')).connection)
  let most = 0
  scripted.script = (asked) => {
    if (asked.verb === 'LOGIN') most = scripted.open
    return but({})(asked)
  }
  assert.equal((await lease('jane')).reused, false)
  assert.equal(most, 1)
  await accounted()
})

test('a second session with the same secret evicts before the server checks it, unless the user was revoked', async () => {
  for (const isRevoked of [false, true]) {
    const { pool, lease, scripted, accounted } = await poolAtWork({ limits: { connectionsMax: 2 } })
    await giveBackTo(pool, (await lease('jane')).connection)
    const { connection } = await lease('joe')
    if (isRevoked) pool.purge((meant) => meant === connection, 'revoked')
    let idle: number | undefined
    scripted.script = (asked) => {
      if (asked.verb === 'LOGIN') idle = pool.connections.count('idle')
      return but({})(asked)
    }
    assert.equal((await lease('joe')).reused, false)
    assert.equal(idle, isRevoked ? 1 : 0)
    await accounted()
  }
})

test('a login that succeeds while the server checks wrong passwords evicts nothing for them', async () => {
  const work = await poolAtWork({ limits: { connectionsMax: 2 } })
  const { pool, lease, login, count, accounted } = work
  await giveBackTo(pool, (await lease('joe')).connection)
  const { judge, asked } = slowToJudge(work)
  const wrong = login('eve', 'wrong')
  await asked()
  await lease('jane')
  judge()
  assert.equal((await wrong).kind, 'refused')
  assert.equal(count('upstream_drops_total{reason="evicted"}'), 0)
  assert.deepEqual([pool.connections.count('idle'), pool.connections.count('leased')], [1, 1])
  await accounted()
})

test('a connection that becomes idle goes to the waiting login with its secret, not to a wrong password ahead of it', async () => {
  const work = await poolAtWork({ limits: { connectionsMax: 1 } })
  const { pool, lease, login, accounted } = work
  const { connection } = await lease('joe')
  const { judge, asked } = slowToJudge(work)
  const wrong = login('joe', 'wrong')
  const right = lease('joe')
  await untilTrue(() => pool.connections.count('waiting') === 2)
  await giveBackTo(pool, connection)
  assert.equal((await right).connection, connection)
  await giveBackTo(pool, connection)
  await asked()
  judge()
  assert.equal((await wrong).kind, 'refused')
  assert.equal(pool.connections.stateOf(connection), 'idle')
  await accounted()
})

test('a connection that becomes idle and fits no login of its user is evicted for another user', async () => {
  const { pool, lease, scripted, accounted } = await poolAtWork({ limits: { connectionsMax: 2 } })
  const [odd, even] = [(await lease('joe')).connection, (await lease('joe')).connection]
  odd.enabledByOne(['CONDSTORE'], 'CONDSTORE')
  const both = [lease('joe'), lease('jane')]
  await untilTrue(() => pool.connections.count('waiting') === 2)
  scripted.script = (asked) =>
    asked.peer === scripted.connections[1] && asked.verb === 'NOOP' ? undefined : but({})(asked)
  const given = giveBackTo(pool, even)
  await untilTrue(() => scripted.asked.includes('NOOP'))
  const barrier = scripted.tags.at(-1)!
  await giveBackTo(pool, odd)
  scripted.script = but({})
  scripted.connections[1]!.say(`${barrier} OK done\r\n`)
  await given
  for (const leased of await Promise.all(both)) assert.equal(leased.kind, 'leased')
  assert.equal(odd.link.isOpen, false)
  await accounted()
})

test('after the reset that it waited for has failed, a login takes a connection that has become idle in the meantime', async () => {
  const { pool, lease, scripted, accounted } = await poolAtWork()
  const [broken, idle] = [(await lease('joe')).connection, (await lease('joe')).connection]
  scripted.script = but({ NOOP: undefined })
  const given = giveBackTo(pool, broken)
  await untilTrue(() => scripted.asked.includes('NOOP'))
  const next = lease('joe')
  scripted.script = but({})
  await giveBackTo(pool, idle)
  scripted.connections[0]!.socket.destroy()
  await given
  assert.equal((await next).connection, idle)
  await accounted()
})

test('a secret that another server accepted, or whose token has expired, is checked again', async () => {
  const { pool, lease, login, scripted, clock, accounted } = await poolAtWork()
  const [before, now] = [1, 2].map((generation) =>
    serverAt(scripted.port, { connectionsMax: 2 }, 'main', generation),
  )
  const payload = Buffer.from(JSON.stringify({ exp: clock.now / 1000 })).toString('base64url')
  const expired = {
    mechanism: 'XOAUTH2',
    secret: Buffer.from(`user=joe\x01auth=Bearer eyJhbGciOiJub25lIn0.${payload}.sig\x01\x01`),
  } as const
  for (const [server, who] of [
    [before!, {}],
    [now!, expired],
  ] as const) {
    scripted.script = but({ AUTHENTICATE: 'TAG OK in\r\n' })
    const { connection } = await lease('jane', 'secret', { server: now! })
    await giveBackTo(pool, connection)
    const held = await lease('joe', 'secret', { ...who, server })
    scripted.script = but({ LOGIN: 'TAG NO no\r\n', AUTHENTICATE: 'TAG NO no\r\n' })
    assert.equal((await login('joe', 'secret', { ...who, server: now! })).kind, 'refused')
    assert.equal(pool.connections.stateOf(connection), 'idle')
    await giveBackTo(pool, held.connection, { refusal: 'notify' })
  }
  await accounted()
})
