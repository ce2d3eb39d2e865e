import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeAtWork, unusedPort } from './edge.test-support.ts'
import { EdgeError } from '../errors.ts'
import { dialPeer, listen } from '../net/wire.test-support.ts'
import type { TracedLine } from '../observe/trace.ts'
import { but, untilTrue } from '../pool/pool.test-support.ts'

test('XPROXYREUSE is sent before the tagged OK of a reused connection, and the server sees no new one', async () => {
  const { client, scripted, quiet } = await edgeAtWork()
  for (const round of [1, 2, 3]) {
    const peer = await client()
    peer.say('a LOGIN joe secret\r\n')
    const answer = await peer.until('Logged in\r\n')
    assert.equal(/^\* OK \[XPROXYREUSE\] .+\r\na OK /.test(answer), round > 1, answer)
    peer.say('b SELECT INBOX\r\nc LOGOUT\r\n')
    const rest = await peer.closed()
    assert.ok(rest.endsWith('b OK [READ-WRITE] done\r\n* BYE Logging out\r\nc OK Completed\r\n'), rest)
    await quiet()
  }
  assert.equal(scripted.connections.length, 1)
})

test('while its server is down the edge greets and answers, and refuses logins with [UNAVAILABLE]', async () => {
  const { client } = await edgeAtWork({}, await unusedPort())
  const peer = await client()
  peer.say('a CAPABILITY\r\nb LOGIN joe secret\r\nc NOOP\r\n')
  assert.match(await peer.line(), /^\* CAPABILITY IMAP4rev1 .*AUTH=PLAIN/)
  await peer.until('a OK Completed\r\n')
  assert.equal(await peer.line(), 'b NO [UNAVAILABLE] Mail server is not available, try again later')
  assert.equal(await peer.line(), 'c OK Completed')
})

test('the greeting offers the known capabilities of the server, without those that the edge removes', async () => {
  const { session, scripted } = await edgeAtWork()
  scripted.script = but({
    LOGIN: 'TAG OK [CAPABILITY IMAP4rev1 IDLE COMPRESS=DEFLATE UNAUTHENTICATE X-NEW] in\r\n',
  })
  const peer = await session()
  peer.say('a CAPABILITY\r\n')
  assert.equal(await peer.line(), '* CAPABILITY IMAP4rev1 IDLE X-NEW')
  const next = dialPeer(peer.socket.remotePort!)
  assert.match(await next.line(), /^\* OK \[CAPABILITY IMAP4rev1 IDLE X-NEW SASL-IR AUTH=PLAIN\] /)
})

test('a refused login is answered with the server’s text, the number of refusals is limited, and the password is not logged', async () => {
  const { client, logged, edge } = await edgeAtWork({ clients: { loginFailuresMax: 2 } })
  const peer = await client()
  peer.say('a LOGIN joe hunter2\r\nb LOGIN "joe" {7+}\r\nhunter2\r\n')
  assert.equal(
    await peer.closed(),
    'a NO [AUTHENTICATIONFAILED] Authentication failed.\r\nb NO [AUTHENTICATIONFAILED] Authentication failed.\r\n* BYE Too many failed logins\r\n',
  )
  await untilTrue(() => edge.context.sessions.arriving.size === 0)
  assert.match(logged.join(''), /login_refused client=127\.0\.0\.1 cause=wrong-credentials user=joe /)
  assert.ok(!logged.join('').includes('hunter2'))
  const { counters } = edge.context.metrics.snapshot()
  assert.equal(counters['client_refusals_total{reason="too-many-failures"}'], 1)
  assert.ok(!JSON.stringify(edge.context.metrics.snapshot()).includes('hunter2'))
})

test('a password that the server repeats in its answer reaches the client, but never the log', async () => {
  const { scripted, client, logged } = await edgeAtWork()
  const plain = Buffer.from('\0joe\0hunter2"x').toString('base64')
  for (const answer of [
    'TAG NO LOGIN joe "hunter2\\"x" failed\r\n',
    'TAG NO bad password hunter2"x\r\n',
    `TAG NO AUTHENTICATE PLAIN ${plain} failed\r\n`,
  ]) {
    scripted.script = but({ LOGIN: answer })
    const peer = await client()
    peer.say('a LOGIN joe "hunter2\\"x"\r\n')
    assert.equal(await peer.line(), answer.replace('TAG', 'a').trimEnd())
  }
  scripted.script = but({ LOGIN: '* BYE I do not like LOGIN joe "hunter2\\"x"\r\n' })
  const peer = await client()
  peer.say('a LOGIN joe "hunter2\\"x"\r\n')
  assert.match(await peer.line(), /^a NO \[UNAVAILABLE\]/)
  const log = logged.join('')
  assert.doesNotMatch(log, /hunter2/)
  assert.ok(!log.includes(plain))
  assert.match(log, /LOGIN joe .*\[redacted\]/)
})

test('a token that the server repeats in its answer reaches the client, but never the log', async () => {
  const { scripted, client, logged } = await edgeAtWork()
  for (const [mechanism, text] of [
    ['XOAUTH2', 'user=joe\x01auth=Bearer tok3n.tok3n\x01\x01'],
    ['OAUTHBEARER', 'n,a=joe,\x01auth=Bearer tok3n.tok3n\x01\x01'],
  ] as const) {
    const answer = 'TAG NO expired: tok3n.tok3n\r\n'
    scripted.script = but({
      CAPABILITY: `* CAPABILITY IMAP4rev1 SASL-IR AUTH=${mechanism}\r\nTAG OK done\r\n`,
      AUTHENTICATE: answer,
    })
    const peer = await client()
    peer.say(`a AUTHENTICATE ${mechanism} ${Buffer.from(text).toString('base64')}\r\n`)
    assert.equal(await peer.line(), answer.replace('TAG', 'a').trimEnd())
  }
  assert.doesNotMatch(logged.join(''), /tok3n/)
  assert.match(logged.join(''), /expired: \[redacted\]/)
})

test('a refusal that is not the client’s fault reaches the client with its cause in the log, and does not count as a wrong password', async () => {
  const { client, scripted, logged, edge } = await edgeAtWork({ clients: { loginFailuresMax: 1 } })
  const peer = await client()
  for (const [answer, cause] of [
    ['NO [UNAVAILABLE] not now', 'unavailable'],
    ['NO [INUSE] not now', 'unavailable'],
    ['NO [LIMIT] not now', 'limit'],
    ['NO [PRIVACYREQUIRED] not without TLS', 'tls-required'],
    ['BAD what?', 'bad-command'],
  ] as const) {
    scripted.script = but({ LOGIN: `TAG ${answer}\r\n` })
    peer.say('a LOGIN joe secret\r\n')
    assert.equal(await peer.line(), `a ${answer}`)
    assert.match(logged.at(-1)!, new RegExp(`login_refused .* cause=${cause} `))
  }
  const { counters } = edge.context.metrics.snapshot()
  assert.equal(counters['logins_total{upstream="main",result="failed"}'], 5)
  assert.equal(counters['logins_total{upstream="main",result="refused"}'] ?? 0, 0)
})

test('the challenge of an OAuth refusal reaches the client, which acknowledges it before the NO', async () => {
  const { client, scripted } = await edgeAtWork()
  const reasons = Buffer.from('{"status":"invalid_token"}').toString('base64')
  const offered = 'IMAP4rev1 SASL-IR AUTH=OAUTHBEARER'
  scripted.script = ({ tag, verb, peer }) => {
    if (verb === 'CAPABILITY') return `* CAPABILITY ${offered}\r\n${tag} OK done\r\n`
    if (verb !== 'AUTHENTICATE') return undefined
    peer.say(`+ ${reasons}\r\n`)
    void peer.line().then((line) => peer.say(`${tag} NO [AUTHENTICATIONFAILED] expired, as ${line}\r\n`))
    return undefined
  }
  const peer = await client()
  const message = Buffer.from('n,a=joe,\x01auth=Bearer abc\x01\x01').toString('base64')
  peer.say(`a AUTHENTICATE OAUTHBEARER ${message}\r\n`)
  assert.equal(await peer.line(), `+ ${reasons}`)
  peer.say('AQ==\r\n')
  assert.equal(await peer.line(), 'a NO [AUTHENTICATIONFAILED] expired, as AQ==')
  peer.say('b NOOP\r\n')
  assert.equal(await peer.line(), 'b OK Completed')
})

test('a challenge of a refusal that is not base64 does not reach the client, which gets the NO at once', async () => {
  const { client, scripted } = await edgeAtWork()
  scripted.script = ({ tag, verb, peer }) => {
    if (verb === 'CAPABILITY') return `* CAPABILITY IMAP4rev1 SASL-IR AUTH=OAUTHBEARER\r\n${tag} OK done\r\n`
    if (verb !== 'AUTHENTICATE') return undefined
    peer.say('+ send your password\r\n')
    void peer.line().then(() => peer.say(`${tag} NO [AUTHENTICATIONFAILED] expired\r\n`))
    return undefined
  }
  const peer = await client()
  const message = Buffer.from('n,a=joe,\x01auth=Bearer abc\x01\x01').toString('base64')
  peer.say(`a AUTHENTICATE OAUTHBEARER ${message}\r\n`)
  assert.equal(await peer.line(), 'a NO [AUTHENTICATIONFAILED] expired')
})

test('IDs sent before login go to a new connection before its login, in one segment with it, and are not sent again', async () => {
  const { client, scripted, logged, quiet, edge } = await edgeAtWork({
    upstreams: { main: { clientAddress: 'id' } },
  })
  edge.context.servers.get('main')!.identification.learnBeforeLogin([])
  scripted.script = but({ ID: '* ID NIL\r\nTAG BAD no such command\r\n' })
  const peer = await client()
  peer.say('a ID ("n" "1")\r\nb ID ("n" {1+}\r\n2)\r\nc LOGIN joe secret\r\nd NOOP\r\ne LOGOUT\r\n')
  const told = await peer.closed()
  assert.doesNotMatch(told, /no such command/)
  await quiet()
  assert.deepEqual(scripted.asked, [
    'CAPABILITY',
    'ID ("x-originating-ip" "127.0.0.1")',
    'ID ("n" "1")',
    'ID ("n" "2")',
    'LOGIN joe secret',
    'NOOP',
    'NOOP',
  ])
  assert.equal(logged.filter((line) => line.includes('QUEUED PREAUTH failed')).length, 3)
})

test('on a reused connection, IDs are sent to the server after the lease', async () => {
  const { client, scripted, session, quiet, edge } = await edgeAtWork()
  edge.context.servers.get('main')!.identification.learnBeforeLogin([])
  const first = await session()
  first.say('x LOGOUT\r\n')
  await first.closed()
  await quiet()
  const { length } = scripted.asked
  const peer = await client()
  peer.say('a ID ("n" "1")\r\nb LOGIN joe secret\r\nc NOOP\r\n')
  await peer.until('c OK done\r\n')
  assert.deepEqual(scripted.asked.slice(length), ['ID ("n" "1")', 'NOOP'])
})

test('a server that does not list ID gets none before the login; after it, a client’s own ID is forwarded', async () => {
  const list = 'IMAP4rev1 SASL-IR AUTH=PLAIN'
  const { client, scripted, quiet } = await edgeAtWork({ upstreams: { main: { clientAddress: 'id' } } })
  scripted.script = but({
    CAPABILITY: `* CAPABILITY ${list}\r\nTAG OK done\r\n`,
    LOGIN: `TAG OK [CAPABILITY ${list}] in\r\n`,
    ID: 'TAG BAD unknown\r\n',
  })
  for (let round = 0; round < 2; round++) {
    const peer = await client()
    peer.say('a ID ("n" "1")\r\nb LOGIN joe secret\r\n')
    assert.equal(await peer.line(), 'a NO The mail server has no ID command')
    await peer.until('b OK [')
    await peer.until('\r\n')
    assert.ok(!scripted.asked.some((text) => text.startsWith('ID')))
    peer.say('c LOGOUT\r\n')
    await peer.closed()
    await quiet()
  }
  const peer = await client()
  peer.say('b LOGIN joe secret\r\nc ID NIL\r\n')
  await peer.until('c BAD unknown\r\n')
})

test('before login an ID is answered with the server’s answer, which is requested once for all clients', async () => {
  const { client, scripted } = await edgeAtWork()
  const peers = await Promise.all([client(), client()])
  for (const peer of peers) peer.say('a ID ("name" "webmail")\r\nb NOOP\r\n')
  for (const peer of peers)
    assert.equal(
      await peer.until('b OK Completed\r\n'),
      '* ID ("name" "Scripted")\r\na OK Completed\r\nb OK Completed\r\n',
    )
  assert.deepEqual(scripted.asked.slice(0, 2), ['CAPABILITY', 'ID NIL'])
  assert.equal(scripted.connections.length, 1)
  // An answer without an ID response is kept too, and the server is not asked again.
  const other = await edgeAtWork()
  other.scripted.script = but({ ID: 'TAG NO [SERVERBUG] no\r\n' })
  for (let round = 0; round < 2; round++) {
    const peer = await other.client()
    peer.say('a ID NIL\r\nb LOGOUT\r\n')
    assert.equal(await peer.line(), 'a OK Completed')
    await peer.closed()
  }
  assert.equal(other.scripted.connections.length, 1)
})

test('the request of a client to a server that does not answer ID ends when the client disconnects', async () => {
  const { client, scripted, edge } = await edgeAtWork()
  scripted.greeting = undefined
  const waiting = await client()
  waiting.say('a ID NIL\r\n')
  await untilTrue(() => scripted.connections.length === 1)
  waiting.socket.resetAndDestroy()
  await scripted.connections[0]!.closed()
  await untilTrue(() => edge.context.sessions.arriving.size === 0)
  const peer = await client()
  peer.say('a ID NIL\r\n')
  assert.equal(await peer.line(), 'a OK Completed')
})

test('before login, ID is answered with the fields that are equal at all servers of the route', async () => {
  const { client, edge } = await edgeAtWork({
    upstreams: { other: { hosts: ['localhost'] } },
    routes: [{ upstream: 'other', domain: 'example.com' }],
  })
  const { identification: main } = edge.context.servers.get('main')!
  const { identification: other } = edge.context.servers.get('other')!
  const told = async () => {
    const peer = await client()
    peer.say('a ID NIL\r\nb LOGOUT\r\n')
    return (await peer.closed()).split('* BYE')[0]
  }
  other.learnBeforeLogin([])
  main.learnBeforeLogin(['* ID ("name" "Cyrus" "version" "3")'])
  assert.equal(await told(), 'a OK Completed\r\n')
  other.learnBeforeLogin(['* ID ("name" "Cyrus" "version" "2")'])
  assert.equal(await told(), '* ID ("name" "Cyrus")\r\na OK Completed\r\n')
  other.learnBeforeLogin(['* ID NIL'])
  assert.equal(await told(), '* ID NIL\r\na OK Completed\r\n')
})

test('with clientAddress: id only a trusted client can name the address of its user', async () => {
  const cases: [originatingIpFrom: string[], ids: string[], expected: string[]][] = [
    [
      [],
      ['("x-originating-ip" "203.0.113.77" "name" "x")', '("X-Session-ID" "1")'],
      ['("x-originating-ip" "127.0.0.1")', '("name" "x")'],
    ],
    [['127.0.0.0/8'], ['("X-Originating-IP" "203.0.113.77")'], ['("X-Originating-IP" "203.0.113.77")']],
    [['127.0.0.1'], ['("name" "x")'], ['("x-originating-ip" "127.0.0.1")', '("name" "x")']],
    [
      ['127.0.0.1'],
      ['("name" "x")', '("x-originating-ip" "203.0.113.77" "x-session-id" "1")'],
      [
        '("x-originating-ip" "203.0.113.77")',
        '("name" "x")',
        '("x-originating-ip" "203.0.113.77" "x-session-id" "1")',
      ],
    ],
    [['192.0.2.0/24'], ['("x-originating-ip" "203.0.113.77")'], ['("x-originating-ip" "127.0.0.1")']],
  ]
  for (const [originatingIpFrom, ids, expected] of cases) {
    const { client, scripted, edge } = await edgeAtWork({
      listeners: { imap: { originatingIpFrom } },
      upstreams: { main: { clientAddress: 'id' } },
    })
    edge.context.servers.get('main')!.identification.learnBeforeLogin([])
    const peer = await client()
    peer.say(`${ids.map((id, index) => `${index} ID ${id}\r\n`).join('')}a LOGIN joe secret\r\n`)
    await peer.until('a OK ')
    const asked = scripted.asked.filter((text) => text.startsWith('ID')).map((text) => text.slice(3))
    assert.deepEqual(asked, expected)
  }
})

test('a client that disconnects during its login leaves a clean connection for the next session', async () => {
  const { client, scripted, quiet, edge } = await edgeAtWork()
  scripted.script = but({ LOGIN: undefined })
  const peer = await client()
  peer.say('a LOGIN joe secret\r\n')
  await untilTrue(() => scripted.asked.some((text) => text.startsWith('LOGIN')))
  peer.socket.resetAndDestroy()
  await untilTrue(() => edge.context.sessions.arriving.size === 0 || edge.context.clientAdmission.total === 0)
  scripted.script = but({})
  scripted.connections[0]!.say(`${scripted.tags.at(-1)} OK Logged in\r\n`)
  await quiet()
  assert.equal(edge.context.pool.connections.count('idle'), 1)
  assert.equal(edge.context.sessions.active.size, 0)
})

test('a program that enables CONDSTORE gets its connection at the next login, however its sessions end', async () => {
  for (const ending of ['logout', 'close', 'reset'] as const) {
    const { session, scripted, quiet } = await edgeAtWork()
    for (let page = 1; page <= 3; page++) {
      const peer = await session()
      peer.say('a STATUS INBOX (HIGHESTMODSEQ)\r\n')
      await peer.until('a OK')
      if (ending === 'logout') peer.say('b LOGOUT\r\n')
      else if (ending === 'close') peer.socket.end()
      else peer.socket.resetAndDestroy()
      await quiet()
    }
    assert.equal(scripted.connections.length, 1, ending)
  }
})

test('the client is told the reason of each ending, and it is counted', async () => {
  const { session, scripted, edge, quiet } = await edgeAtWork({ clients: { lineBytesMax: 512 } })
  const endings: [string, (peer: Awaited<ReturnType<typeof session>>) => unknown, RegExp][] = [
    ['upstream-gone', () => scripted.connections.at(-1)!.socket.end(), /^\* BYE \[UNAVAILABLE\] /],
    ['kicked', () => edge.context.sessions.endAll('kicked', 'joe'), /^\* BYE Session ended by the operator/],
    ['violation', (peer) => peer.say(`a LOGIN ${'x'.repeat(600)}`), /^\* BYE Command line too long/],
    [
      'idle-timeout',
      () => edge.context.sessions.sweep(edge.context.clock.now() + 10_000, 5000),
      /^\* BYE Idle for too long/,
    ],
  ]
  for (const [kind, end, words] of endings) {
    const peer = await session()
    end(peer)
    assert.match(await peer.closed(), words)
    assert.equal(edge.context.metrics.snapshot().counters[`sessions_total{ending="${kind}"}`], 1)
    await quiet()
  }
  assert.equal(edge.context.sessions.endAll('kicked', 'nobody'), 0)
})

test('a client that does not log in is disconnected after the time limit', async () => {
  const { client, edge } = await edgeAtWork({ clients: { loginTimeoutMs: 1000 } })
  const peer = await client()
  edge.context.sessions.sweep(edge.context.clock.now() + 2000, 1_000_000)
  assert.equal(await peer.closed(), '* BYE Login timed out\r\n')
  await untilTrue(() => edge.context.sessions.arriving.size === 0 && edge.context.clientAdmission.total === 0)
})

test('a draining edge refuses clients and lets its sessions continue, until it is resumed', async () => {
  const { session, edge, client } = await edgeAtWork()
  const peer = await session()
  edge.drain()
  const refused = dialPeer(peer.socket.remotePort!)
  assert.equal(await refused.closed(), '* BYE Server is draining, try again\r\n')
  peer.say('a NOOP\r\n')
  assert.equal(await peer.line(), 'a OK done')
  edge.resume()
  await client()
})

test('a stopping edge lets sessions end, ends the rest after the timeout, and leaves no connection', async () => {
  const { session, client, edge, scripted } = await edgeAtWork()
  const [ending, staying, arriving] = [await session(), await session('jane'), await client()]
  const stopped = edge.stop(50)
  assert.equal(await arriving.closed(), '* BYE Server is stopping, try again\r\n')
  ending.say('a LOGOUT\r\n')
  assert.match(await ending.closed(), /a OK Completed/)
  assert.equal(await staying.closed(), '* BYE Server is stopping, try again\r\n')
  await stopped
  await untilTrue(() => scripted.open === 0)
  assert.equal(edge.state, 'stopping')
})

test('a stopping edge opens no connection ahead, also if its settings change meanwhile', async () => {
  const { client, edge, scripted, config } = await edgeAtWork({ upstreams: { main: { connectAhead: true } } })
  const peer = await client()
  edge.retire()
  edge.apply(config({ upstreams: { main: { loginTimeoutMs: 29_000 } } }))
  edge.context.servers.get('main')!.knowledge!.measured(40, 0)
  peer.say('a LOGIN joe secret\r\n')
  await peer.until('a OK ')
  await new Promise((done) => setTimeout(done, 100))
  assert.equal(edge.context.servers.get('main')!.connectAhead.state, 'none')
  assert.equal(scripted.connections.length, 1)
})

test('a stopping edge stops waiting when its last session has ended', async () => {
  const { session, edge } = await edgeAtWork()
  const peer = await session()
  const stopped = edge.stop(600_000)
  peer.say('a LOGOUT\r\n')
  await peer.closed()
  await stopped
})

test('clients whose PROXY header has not arrived count towards connectionsMax, and the first is disconnected at the limit', async () => {
  const { edge } = await edgeAtWork({
    clients: { connectionsMax: 2 },
    listeners: { imap: { proxyProtocolFrom: ['127.0.0.1'] } },
  })
  const { port } = edge.context.settings.current.listeners['imap']!
  const { counters } = edge.context.metrics
  const waiting = []
  for (let count = 1; count <= 3; count++) {
    waiting.push(dialPeer(port))
    await untilTrue(() => counters.client_connections_total.value === count)
  }
  assert.equal(await waiting[0]!.closed(), '')
  assert.equal(counters.client_refusals_total({ reason: 'displaced' }).value, 1)
  assert.equal(edge.context.clientAdmission.total, 2)
  for (const peer of waiting.slice(1)) peer.say('PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n')
  for (const peer of waiting.slice(1)) assert.match(await peer.line(), /^\* OK /)
})

test('clients over the limit get a BYE with the reason, and the place of a client that leaves is free again', async () => {
  const { session, client, edge } = await edgeAtWork({ clients: { connectionsMax: 2 } })
  const [one] = [await session(), await session()]
  const refused = dialPeer(one.socket.remotePort!)
  assert.equal(await refused.closed(), '* BYE Too many connections, try again later\r\n')
  assert.equal(
    edge.context.metrics.snapshot().counters['client_refusals_total{reason="too-many-clients"}'],
    1,
  )
  one.say('a LOGOUT\r\n')
  await one.closed()
  await untilTrue(() => edge.context.clientAdmission.total === 1)
  await client()
})

test('an edge that cannot bind all its ports binds none', async () => {
  const [free, taken] = [await unusedPort(), await listen(() => {})]
  const ports = { imap: { port: free }, other: { address: '127.0.0.1', port: taken } }
  await assert.rejects(edgeAtWork({ listeners: ports }), (error: unknown) => error instanceof EdgeError)
  const probe = dialPeer(free)
  await probe.closed()
  assert.equal(probe.socket.bytesRead, 0)
})

test('short sessions and their trace lines are timed by a fine clock', async () => {
  const { edge, session, quiet } = await edgeAtWork()
  // The coarse clock is stopped, so no time below can come from it.
  edge.context.clock.stop()
  const lines: TracedLine[] = []
  const order = { id: 't', user: 'joe', expiresAt: Infinity, bytesMax: 10_000, bodies: false }
  edge.context.tracer.start(order, { line: (_, line) => void lines.push(line), ended() {} })
  const begun = performance.now()
  const peer = await session('joe')
  const loggedInAt = Date.now()
  await untilTrue(() => Date.now() >= loggedInAt + 3)
  peer.say('a NOOP\r\n')
  await peer.until('a OK')
  peer.say('b LOGOUT\r\n')
  await peer.closed()
  await quiet()
  const { sum, counts } = edge.context.metrics.snapshot().histograms['session_seconds']!
  assert.deepEqual(Object.values(counts), [1])
  assert.ok(sum >= 0.002 && sum <= (performance.now() - begun) / 1000, `${sum} s`)
  const at = (text: string) => lines.find((line) => line.text.startsWith(text))!.at
  assert.ok(at('session began') <= loggedInAt)
  assert.ok(at('a NOOP') >= loggedInAt + 3)
})

test('every snapshot has memory, CPU time and the gauges of the register', async () => {
  const { edge } = await edgeAtWork()
  const { counters, gauges } = edge.context.metrics.snapshot()
  assert.ok(counters['cpu_seconds_total']! > 0)
  assert.ok(gauges['memory_rss_bytes']! > 1_000_000)
  assert.equal(gauges['upstream_healthy{upstream="main"}'], 1)
  assert.equal(gauges['upstreams_idle'], 0)
})

test('the counters of a server are 0 before its first login, so that no increment is missed', async () => {
  const { edge } = await edgeAtWork()
  const { counters } = edge.context.metrics.snapshot()
  assert.equal(counters['upstream_connections_total{upstream="main"}'], 0)
  assert.equal(counters['upstream_reuses_total{upstream="main"}'], 0)
  for (const result of ['ok', 'refused', 'failed'])
    assert.equal(counters[`logins_total{upstream="main",result="${result}"}`], 0)
})

test('LOGOUT closes the client’s connection immediately, while the server connection is still being reset', async () => {
  const { edge, session, scripted } = await edgeAtWork()
  const peer = await session('joe')
  scripted.script = but({ NOOP: undefined })
  peer.say('a LOGOUT\r\n')
  assert.equal(await peer.closed(), '* BYE Logging out\r\na OK Completed\r\n')
  assert.equal(edge.context.pool.connections.count('resetting'), 1)
})

test('a password is erased from memory after the server has answered, also a wrong one', async () => {
  const { edge, client } = await edgeAtWork()
  const { pool } = edge.context
  const lease = pool.lease.bind(pool)
  const secrets: Buffer[] = []
  pool.lease = (server, credentials, holder) => {
    secrets.push(credentials.secret)
    return lease(server, credentials, holder)
  }
  const peer = await client()
  peer.say('a LOGIN joe wrong\r\n')
  assert.match(await peer.line(), /^a NO /)
  peer.say('b LOGIN joe secret\r\n')
  assert.match(await peer.line(), /^b OK /)
  assert.deepEqual(secrets, [Buffer.alloc('wrong'.length), Buffer.alloc('secret'.length)])
})
