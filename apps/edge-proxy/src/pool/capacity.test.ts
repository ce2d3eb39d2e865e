/** A server or this machine allows no further connection: which connections are evicted, and which limits are learned. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Layer } from '@imapfleet/config'
import { Log } from '@imapfleet/observe'
import type { Peer } from '../net/wire.test-support.ts'
import { isPeerServed, serverAt, wellBehaved, type Asked } from '../server/scripted-server.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import { requestOf } from './admission.test-support.ts'
import { Capacity } from './capacity.ts'
import { Connections } from './connections.ts'
import { giveBackTo, poolAtWork, untilTrue, type PoolAtWork } from './pool.test-support.ts'

const refusal = '[LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=3)'

interface Limited extends PoolAtWork {
  /** Answer to a login beyond the limit. */
  refusal: string
  /** Connections that each user may have at the server. */
  limit: number
  /** How many logins the server refused because of its limit. */
  refused: number
  /** An idle connection of this user, opened with this secret. */
  idle: (user: string, secret?: string, enabled?: string) => Promise<ServerConnection>
}

/** A pool and a server with a limit on connections per user. Every secret except `wrong` is right. */
async function limitedTo(limit: number, limits: Layer = {}): Promise<Limited> {
  const work = await poolAtWork({
    limits: { connectionsPerUserMax: 0, ...limits },
    pool: { idleTimeoutMs: 3_600_000 },
  })
  const users = new Map<Peer, string>()
  const limited: Limited = {
    ...work,
    refusal: `NO ${refusal}`,
    limit,
    refused: 0,
    async idle(user, secret = 'secret', enabled = '') {
      const { connection } = await work.lease(user, secret)
      if (enabled !== '') connection.enabledByOne([enabled], enabled)
      await giveBackTo(work.pool, connection)
      return connection
    },
  }
  work.scripted.script = (asked: Asked) => {
    const { verb, text, tag, peer } = asked
    if (verb !== 'LOGIN') return wellBehaved(asked)
    if (text.includes('wrong')) return `${tag} NO [AUTHENTICATIONFAILED] no\r\n`
    const user = text.split(' ')[1]!.replaceAll('"', '').toLowerCase()
    const present = [...users].filter(([other, name]) => name === user && isPeerServed(other)).length
    if (present >= limited.limit) {
      limited.refused++
      return `${tag} ${limited.refusal}\r\n`
    }
    users.set(peer, user)
    return `${tag} OK in\r\n`
  }
  return limited
}

const isIdle = ({ pool }: PoolAtWork, connection: ServerConnection) =>
  pool.connections.stateOf(connection) === 'idle'

/** Three kinds of idle connections that a LOGIN without extensions cannot use. */
const kinds: Record<string, (work: Limited) => Promise<unknown>> = {
  async 'with an extension enabled'({ idle }) {
    for (let count = 0; count < 3; count++) await idle('joe', 'secret', 'CONDSTORE')
  },
  async 'with different extensions enabled'({ idle }) {
    for (const enabled of ['A', 'B', 'C']) await idle('joe', 'secret', enabled)
  },
  async 'opened by another mechanism'({ lease, pool, scripted }) {
    const { script } = scripted
    scripted.script = (asked) =>
      script(asked.verb === 'AUTHENTICATE' ? { ...asked, verb: 'LOGIN', text: 'LOGIN joe secret' } : asked)
    const token = () => lease('joe', 'token', { mechanism: 'XOAUTH2' })
    for (const { connection } of [await token(), await token(), await token()])
      await giveBackTo(pool, connection)
    scripted.script = script
  },
}

for (const [kind, makeIdle] of Object.entries(kinds))
  for (const words of [`NO ${refusal}`, 'NO Too many open connections for user joe', 'NO [INUSE] in use'])
    test(`idle connections ${kind} do not lock out their user: ${words}`, async () => {
      const work = await limitedTo(3)
      work.refusal = words
      await makeIdle(work)
      assert.equal(work.pool.connections.count('idle'), 3)
      for (let count = 0; count < 3; count++) assert.equal((await work.lease('joe')).reused, false)
      assert.equal(work.pool.connections.count('idle'), 0)
      await work.accounted()
    })

/** The server does not answer LOGOUT. The returned function makes it answer the last one. */
function heldLogout({ scripted }: PoolAtWork): () => void {
  const { script } = scripted
  let answer = () => {}
  scripted.script = (asked) => {
    if (asked.verb !== 'LOGOUT') return script(asked)
    answer = () => {
      asked.peer.say(`* BYE bye\r\n${asked.tag} OK done\r\n`)
      asked.peer.socket.end()
    }
    return undefined
  }
  return () => answer()
}

test('the login is tried again only after the server has closed the evicted connection', async () => {
  const work = await limitedTo(1)
  const evicted = await work.idle('joe', 'secret', 'CONDSTORE')
  const answerLogout = heldLogout(work)
  const leasing = work.lease('joe')
  await untilTrue(() => work.scripted.asked.includes('LOGOUT'))
  assert.equal(work.pool.connections.stateOf(evicted), 'closed')
  const before = work.logins()
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  assert.equal(work.logins(), before)
  answerLogout()
  assert.equal((await leasing).reused, false)
  assert.equal(work.logins(), before + 1)
})

test('with connectionsPerUserMax equal to the server’s limit, the server refuses no login', async () => {
  const work = await limitedTo(3, { connectionsPerUserMax: 3 })
  for (let count = 0; count < 12; count++) await work.idle('joe', 'secret', 'QRESYNC')
  assert.equal(work.refused, 0)
  assert.equal(work.pool.connections.count('idle'), 3)
  await work.accounted()
})

test('a login after a change of the password succeeds at the server’s limit, learned, configured or unknown', async () => {
  for (const limits of [
    {},
    { connectionsPerUserMax: 3 },
    { connectionsPerUserMax: 3, connectionsSpareMax: 0 },
  ]) {
    const work = await limitedTo(3, limits)
    const holders = [await work.lease('joe'), await work.lease('joe'), await work.lease('joe')]
    for (const { connection } of holders) await giveBackTo(work.pool, connection)
    assert.equal((await work.lease('joe', 'new secret')).reused, false)
    await work.accounted()
  }
})

test('a wrong password evicts no connection, also when the limit is known', async () => {
  const work = await limitedTo(2)
  const kept = [await work.idle('joe', 'secret', 'CONDSTORE'), await work.idle('joe', 'secret', 'QRESYNC')]
  await giveBackTo(work.pool, (await work.lease('joe')).connection)
  const idle = work.pool.connections.idle()
  assert.equal(idle.length, 2)
  assert.equal((await work.login('joe', 'wrong')).kind, 'refused')
  assert.deepEqual(work.pool.connections.idle(), idle)
  assert.ok(kept.length === 2)
})

test('without idle connections, the client gets the server’s refusal unchanged', async () => {
  const work = await limitedTo(2)
  await work.lease('joe')
  await work.lease('joe')
  await work.idle('jane')
  const refused = await work.login('joe')
  assert.ok(refused.kind === 'refused')
  assert.deepEqual([refused.cause, refused.status, refused.text], ['limit', 'NO', refusal])
  assert.equal(work.pool.connections.count('idle'), 1)
  assert.equal(work.refused, 1)
  await work.accounted()
})

test('a login waits for a connection of its user that is being reset, and uses or evicts it', async () => {
  for (const enabled of ['', 'CONDSTORE']) {
    const work = await limitedTo(2)
    await work.lease('joe')
    const { connection } = await work.lease('joe')
    if (enabled !== '') connection.enabledByOne([enabled], enabled)
    const { script } = work.scripted
    let answer = () => {}
    work.scripted.script = (asked) => {
      if (asked.verb !== 'NOOP') return script(asked)
      answer = () => asked.peer.say(`${asked.tag} OK done\r\n`)
      return undefined
    }
    // Reuse is suspended until the server has refused the login, so that the login does not wait for the reset earlier.
    const resume = work.pool.suspendReuse()
    const leasing = work.login('joe')
    const given = giveBackTo(work.pool, connection)
    await untilTrue(() => work.refused === 1)
    resume()
    work.scripted.script = script
    answer()
    await given
    const leased = await leasing
    assert.ok(leased.kind === 'leased')
    assert.equal(leased.connection === connection, enabled === '')
    assert.equal(work.count('logins_total{result="failed",upstream="main"}'), 0)
    await work.accounted()
  }
})

test('a connection that becomes idle during an eviction serves the login, and none is dialed', async () => {
  const work = await limitedTo(2, { connectionsPerUserMax: 2, connectionsSpareMax: 0 })
  const { pool, scripted } = work
  const [clean, enabled] = [(await work.lease('joe')).connection, (await work.lease('joe')).connection]
  enabled.enabledByOne(['CONDSTORE'], 'CONDSTORE')
  const { script } = scripted
  const token = () =>
    pool.lease(
      work.server,
      {
        user: Buffer.from('joe'),
        authzid: Buffer.alloc(0),
        secret: Buffer.from('user=joe\x01auth=Bearer t\x01\x01'),
        mechanism: 'XOAUTH2',
      },
      { address: '', isConnected: true, loginSignal: AbortSignal.any([]), family: '' },
    )
  scripted.script = (asked) =>
    asked.verb === 'AUTHENTICATE' ? `${asked.tag} NO ${refusal}\r\n` : script(asked)
  assert.equal((await token()).kind, 'refused')
  assert.deepEqual(
    [...pool.learnedLimits()].map(({ scope, connections }) => [scope, connections]),
    [['user', 2]],
  )
  await giveBackTo(pool, enabled)
  // A login of the user that the server does not answer takes one of the two places.
  let answerToken = () => {}
  scripted.script = (asked) => {
    if (asked.verb !== 'AUTHENTICATE') return script(asked)
    answerToken = () => asked.peer.say(`${asked.tag} NO [AUTHENTICATIONFAILED] no\r\n`)
    return undefined
  }
  const judged = token()
  await untilTrue(() => scripted.asked.filter((text) => text.startsWith('AUTHENTICATE')).length === 2)
  const answerLogout = heldLogout(work)
  const before = work.logins()
  const leasing = work.lease('joe')
  await untilTrue(() => scripted.asked.includes('LOGOUT'))
  await giveBackTo(pool, clean)
  answerLogout()
  assert.equal((await leasing).connection, clean)
  assert.equal(work.logins(), before)
  assert.equal(pool.connections.count('leased'), 1)
  answerToken()
  assert.equal((await Promise.resolve(judged)).kind, 'refused')
  await work.accounted()
})

test('no connection is dialed for a login that got an idle connection in the meantime', async () => {
  const { pool, scripted, lease, accounted } = await poolAtWork({
    limits: { connectAttempts: 2, connectDelayMs: 0 },
  })
  const { connection } = await lease('joe')
  scripted.onConnect = () => scripted.connections.length !== 2
  const leasing = lease('joe')
  await untilTrue(() => scripted.connections.length === 2)
  await giveBackTo(pool, connection)
  scripted.connections[1]!.socket.end()
  assert.equal((await leasing).connection, connection)
  assert.equal(pool.connections.count('leased'), 1)
  await accounted()
})

test('a dial that would exceed two learned limits takes one idle connection', async () => {
  const { pool, metrics, settings, servers, lease } = await poolAtWork()
  const [first, second] = [(await lease('joe')).connection, (await lease('joe')).connection]
  const request = requestOf('joe')
  const connections = new Connections()
  // Moves the connection to the register of this test, because it can be in only one register.
  pool.connections.close(first, () => {})
  connections.toLeased(first, request.holder)
  const found = [first, second]
  const capacity = new Capacity(
    {
      settings,
      servers,
      metrics,
      clock: { now: () => 0, wall: () => 0 },
      log: new Log({ level: 'error', format: 'text' }, () => {}),
    },
    connections,
    { takeIdle: () => found.shift(), evict: async () => {}, drop() {}, isProven: () => true },
  )
  for (const user of ['joe', undefined]) capacity.limits.learn('main', user, 1, 0)
  const dial = connections.beginDial(request)
  const forDial = capacity.for(dial)
  await forDial.prepare()
  assert.equal(forDial.found, first)
  assert.deepEqual(found, [second])
  first.link.close()
  pool.cut()
})

test('a login whose client has disconnected evicts no connection when the server refuses it because of its limit', async () => {
  const work = await limitedTo(1)
  const kept = await work.idle('joe', 'secret', 'CONDSTORE')
  const { script } = work.scripted
  const abort = new AbortController()
  work.scripted.script = (asked) => {
    if (asked.verb === 'LOGIN') abort.abort('client-gone')
    return script(asked)
  }
  const result = await work.pool.lease(
    work.server,
    {
      user: Buffer.from('joe'),
      authzid: Buffer.alloc(0),
      secret: Buffer.from('other'),
      mechanism: 'command',
    },
    { address: '', isConnected: false, loginSignal: abort.signal, family: '' },
  )
  assert.equal(result.kind, 'refused')
  assert.ok(isIdle(work, kept))
  await work.accounted()
})

test('a login waits until the server has noticed that another connection of its user was closed', async () => {
  const work = await limitedTo(1)
  const { connection } = await work.lease('joe')
  await giveBackTo(work.pool, connection, { refusal: 'open-literal' })
  // The server has not noticed the end of the connection yet.
  work.limit = 0
  const leasing = work.lease('joe')
  await untilTrue(() => work.refused === 1)
  work.limit = 1
  assert.equal((await leasing).reused, false)
})

test('several logins wait at once until the server has noticed that connections of their user were closed', async () => {
  const work = await limitedTo(2)
  const closed = [(await work.lease('joe')).connection, (await work.lease('joe')).connection]
  for (const connection of closed) await giveBackTo(work.pool, connection, { refusal: 'open-literal' })
  // The server has not noticed the ends of the connections yet.
  work.limit = 0
  const leasing = [work.lease('joe'), work.lease('joe')]
  await untilTrue(() => work.refused === 2)
  work.limit = 2
  for (const leased of await Promise.all(leasing)) assert.equal(leased.reused, false)
})

test('of several logins of one user over the limit, none is refused while a connection of the user is idle', async () => {
  const work = await limitedTo(4)
  for (const enabled of ['A', 'B', 'C', 'D']) await work.idle('joe', 'secret', enabled)
  const results = await Promise.all(Array.from({ length: 6 }, () => work.login('joe')))
  assert.equal(results.filter(({ kind }) => kind === 'leased').length, 4)
  assert.equal(work.pool.connections.count('idle'), 0)
  await work.accounted()
})

test('when the server lowers its limit, all idle connections of the user are evicted, and the login succeeds', async () => {
  const work = await limitedTo(6)
  for (const enabled of ['A', 'B', 'C', 'D', 'E', 'F']) await work.idle('joe', 'secret', enabled)
  work.limit = 2
  assert.equal((await work.lease('joe')).reused, false)
  assert.equal(work.pool.connections.count('idle'), 0)
})

test('idle connections that another name for the same user opened are evicted too', async () => {
  const work = await limitedTo(2)
  await work.idle('Joe')
  await work.idle('joe', 'secret', 'CONDSTORE')
  await work.lease('joe')
  assert.equal((await work.lease('joe')).reused, false)
  await work.accounted()
})

test('a learned limit is logged once, and no login exceeds it until it expires', async () => {
  const work = await limitedTo(3)
  const { pool, logged, clock } = work
  for (let count = 0; count < 9; count++) await work.idle('joe', 'secret', 'CONDSTORE')
  assert.equal(work.refused, 1)
  assert.deepEqual(
    [...pool.learnedLimits()].map(({ server, scope, connections }) => [server, scope, connections]),
    [['main', 'user', 3]],
  )
  const lines = logged.filter((line) => line.includes('limit_learned'))
  assert.equal(lines.length, 1)
  assert.match(lines[0]!, /upstream=main scope=user connections=3/)
  clock.now += 300_001
  pool.sweep()
  assert.deepEqual([...pool.learnedLimits()], [])
  await work.idle('joe', 'secret', 'CONDSTORE')
  assert.equal(work.logged.filter((line) => line.includes('limit_learned')).length, 2)
})

test('a learned limit refuses no login, and is removed when the server accepts more', async () => {
  const work = await limitedTo(2)
  const enabled = [await work.idle('joe', 'secret', 'A'), await work.idle('joe', 'secret', 'B')]
  await work.lease('joe')
  assert.equal(work.refused, 1)
  work.limit = 9
  await work.lease('joe')
  await work.lease('joe')
  assert.equal(enabled.filter((own) => isIdle(work, own)).length, 0)
  for (const name of ['C', 'D', 'E']) await work.idle('joe', 'secret', name)
  assert.equal(work.pool.connections.count('idle'), 3)
})

test('[UNAVAILABLE] evicts one connection; if that does not help, none is evicted for a minute', async () => {
  const work = await limitedTo(0)
  work.limit = 9
  for (const name of ['A', 'B', 'C', 'D']) await work.idle('joe', 'secret', name)
  work.limit = 0
  work.refusal = 'NO [UNAVAILABLE] Temporary authentication failure.'
  for (let attempt = 0; attempt < 3; attempt++) {
    const refused = await work.login('joe')
    assert.ok(refused.kind === 'refused')
    assert.match(refused.text, /^\[UNAVAILABLE\] Temporary/)
  }
  assert.equal(work.pool.connections.count('idle'), 3)
  work.clock.now += 60_001
  await work.login('joe')
  assert.equal(work.pool.connections.count('idle'), 2)
  assert.deepEqual([...work.pool.learnedLimits()], [])
})

/** How a server at its limit refuses a connection before the login. */
const full: Record<string, (peer: Peer) => void> = {
  'says BYE': (peer) => peer.say('* BYE Too many connections from your address\r\n'),
  'says BYE [LIMIT]': (peer) => peer.say('* BYE [LIMIT] x\r\n'),
  'closes the connection without a greeting': (peer) => peer.socket.end(),
  'resets the connection': (peer) => peer.socket.resetAndDestroy(),
}

for (const [how, refuse] of Object.entries(full))
  test(`a server at its limit that ${how}: the oldest idle connection of any user is evicted`, async () => {
    const work = await poolAtWork({ limits: { connectAttempts: 1 } })
    const { scripted, pool, lease, server, clock, logged } = work
    scripted.onConnect = (peer) => {
      if (scripted.serving <= 2) return true
      refuse(peer)
      return false
    }
    const idle: ServerConnection[] = []
    for (const user of ['jane', 'jim']) {
      const { connection } = await lease(user)
      clock.now += 1000
      await giveBackTo(pool, connection)
      idle.push(connection)
    }
    const joe = await lease('joe')
    assert.equal(joe.reused, false)
    assert.deepEqual(
      idle.map((connection) => pool.connections.stateOf(connection)),
      ['closed', 'idle'],
    )
    assert.equal(server.downReason, undefined)
    assert.equal(logged.filter((line) => line.includes('limit_learned upstream=main scope=server')).length, 1)
    assert.deepEqual(
      [...pool.learnedLimits()].map(({ scope, connections }) => [scope, connections]),
      [['server', 2]],
    )
    // The limit is known: the next login evicts first.
    const before = scripted.connections.length
    assert.equal((await lease('jack')).reused, false)
    assert.equal(scripted.connections.length, before + 1)
    await work.accounted()
  })

test('for a server that is down, one idle connection a minute is evicted, and its breaker opens', async () => {
  const work = await poolAtWork({ limits: { connectAttempts: 1, breakerFailures: 3 } })
  const { scripted, pool, lease, login, server } = work
  for (const user of ['a', 'b', 'c', 'd']) await giveBackTo(pool, (await lease(user)).connection)
  scripted.onConnect = (peer) => {
    peer.socket.end()
    return false
  }
  for (let attempt = 0; attempt < 3; attempt++) assert.equal((await login('joe')).kind, 'refused')
  assert.equal(pool.connections.count('idle'), 3)
  assert.equal(server.breaker.isOpen, true)
})

test('a server that reports too many connections does not count as down', async () => {
  const work = await poolAtWork({ limits: { connectAttempts: 1, breakerFailures: 2 } })
  work.scripted.greeting = '* BYE Too many connections\r\n'
  for (let attempt = 0; attempt < 4; attempt++) assert.equal((await work.login('joe')).kind, 'refused')
  assert.deepEqual([work.server.breaker.isOpen, work.server.downReason], [false, undefined])
})

test('after a refusal because of the total limit, the oldest idle connection is evicted', async () => {
  const work = await limitedTo(1)
  const [jane, jim] = [await work.idle('jane'), await work.idle('jim')]
  const { script } = work.scripted
  work.scripted.script = (asked) =>
    asked.verb === 'LOGIN' && work.scripted.serving > 2
      ? `${asked.tag} NO Too many open connections (2 of 2 from localhost [127.0.0.1])\r\n`
      : script(asked)
  assert.equal((await work.lease('joe')).reused, false)
  assert.deepEqual([isIdle(work, jane), isIdle(work, jim)], [false, true])
  assert.deepEqual(
    [...work.pool.learnedLimits()].map(({ scope, connections }) => [scope, connections]),
    [['server', 2]],
  )
})

test('one login evicts at most two connections for a limit of the whole server', async () => {
  const work = await limitedTo(9)
  const idle: ServerConnection[] = []
  for (const user of ['joe', 'jane', 'jim', 'jack', 'jill']) {
    idle.push(await work.idle(user))
    work.clock.now++
  }
  const { script } = work.scripted
  work.scripted.script = (asked) =>
    asked.verb === 'LOGIN' ? `${asked.tag} NO Too many connections from this host\r\n` : script(asked)
  assert.equal((await work.login('june')).kind, 'refused')
  assert.deepEqual(
    idle.map((connection) => isIdle(work, connection)),
    [false, false, true, true, true],
  )
})

test('idle connections at another server are not evicted for its limit', async () => {
  const work = await poolAtWork({ limits: { connectAttempts: 1 } })
  const { scripted, pool, lease, login } = work
  const elsewhere = await lease('ann', 'secret', { server: serverAt(scripted.port, {}, 'other') })
  await giveBackTo(pool, elsewhere.connection)
  scripted.greeting = '* BYE Too many connections\r\n'
  assert.equal((await login('joe')).kind, 'refused')
  assert.equal(pool.connections.stateOf(elsewhere.connection), 'idle')
})
