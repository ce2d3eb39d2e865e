import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { wire } from '../imap/cuts.test-support.ts'
import { listen, pauseProcess, Peer } from '../net/wire.test-support.ts'
import { dial } from './dial.ts'
import { ScriptedServer, serverAt, unlimited } from './scripted-server.test-support.ts'

test('a server is asked for its capabilities, unless its greeting has them', async () => {
  const scripted = await ScriptedServer.start()
  const asked = await dial(serverAt(scripted.port), unlimited)
  assert.ok(asked.kind === 'dialed')
  assert.ok(asked.capabilities.includes('UNSELECT'))
  assert.deepEqual(scripted.asked, ['CAPABILITY'])

  scripted.greeting = '* OK [CAPABILITY IMAP4rev1 idle] ready\r\n'
  const told = await dial(serverAt(scripted.port), unlimited)
  assert.ok(told.kind === 'dialed')
  assert.deepEqual(told.capabilities, ['IMAP4rev1', 'idle'])
  assert.deepEqual(scripted.asked, ['CAPABILITY'])
})

test('an invalid greeting fails with its text, and the connection is closed', async () => {
  const scripted = await ScriptedServer.start()
  for (const [greeting, reason] of [
    ['* PREAUTH welcome back\r\n', 'not-imap'],
    ['* BYE too busy\r\n', 'bye'],
    ['220 mail ESMTP\r\n', 'not-imap'],
  ] as const) {
    scripted.greeting = greeting
    const failed = await dial(serverAt(scripted.port), unlimited)
    assert.ok(failed.kind === 'dial-failed')
    assert.equal(failed.reason, reason)
    assert.ok(failed.detail.includes(greeting.trim()) && failed.detail.includes('127.0.0.1'), failed.detail)
    await scripted.connections.at(-1)!.closed()
  }
})

test('a server that does not answer CAPABILITY fails, and the connection is closed', async () => {
  const scripted = await ScriptedServer.start()
  for (const answer of ['BAD what?', 'NO', 'OK but no list']) {
    scripted.script = ({ tag }) => `${tag} ${answer}\r\n`
    const failed = await dial(serverAt(scripted.port), unlimited)
    assert.equal(failed.kind === 'dial-failed' && failed.reason, 'not-imap')
    await scripted.connections.at(-1)!.closed()
  }
  assert.equal(scripted.open, 0)
})

test('a silent server fails within the time limit, before and after its greeting', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = undefined
  const mute = await dial(serverAt(scripted.port, { connectTimeoutMs: 100 }), unlimited)
  assert.equal(mute.kind === 'dial-failed' && mute.reason, 'timed-out')
  scripted.greeting = '* OK ready\r\n'
  scripted.script = () => undefined
  const deaf = await dial(serverAt(scripted.port, { connectTimeoutMs: 100 }), unlimited)
  assert.ok(deaf.kind === 'dial-failed')
  for (const connection of scripted.connections) await connection.closed()
})

test('a port without a listener is refused, and the detail has the address', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const port = await listen(() => resolve())
  const probe = await dial(serverAt(port, { connectTimeoutMs: 100 }), unlimited)
  assert.equal(probe.kind, 'dial-failed')
  await promise
  const failed = await dial(serverAt(1), unlimited)
  assert.ok(failed.kind === 'dial-failed')
  assert.equal(failed.reason, 'refused')
  assert.match(failed.detail, /127\.0\.0\.1 port 1/)
})

test('a host without an address fails, and the detail has the host', async () => {
  const failed = await dial(serverAt(1, { hosts: ['no-such-host.invalid'] }), unlimited)
  assert.ok(failed.kind === 'dial-failed')
  assert.equal(failed.reason, 'unresolved')
  assert.match(failed.detail, /no-such-host\.invalid/)
})

test('the failure contains the text that a server sends instead of a greeting, and its address', async () => {
  const behaviours: [act: (socket: Socket) => void, reason: string, words: RegExp][] = [
    [(socket) => socket.end(), 'closed-by-peer', /: no greeting: closed-by-peer$/],
    [(socket) => socket.resetAndDestroy(), 'reset-by-peer', /: (no greeting: reset-by-peer|.*ECONNRESET.*)$/],
    [(socket) => socket.end('* OK rea'), 'closed-by-peer', /: no complete greeting: closed-by-peer$/],
    [(socket) => socket.write('* OK rea'), 'timed-out', /: no complete greeting within \d+ ms$/],
    [() => {}, 'timed-out', /: no greeting within \d+ ms$/],
    [(socket) => socket.end('* BYE busy\r\n'), 'bye', /: the server refused the connection: \* BYE busy$/],
    [
      (socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n'),
      'not-imap',
      /: no greeting, but: HTTP\/1\.1 400 Bad$/,
    ],
    [(socket) => socket.write('\x15\x03\x01\0\x02\x02\n'), 'not-imap', /: no greeting, but: [?]+$/],
    [(socket) => socket.write('* OK [CAPABILITY X'), 'timed-out', /: no complete greeting within \d+ ms$/],
    [(socket) => socket.write('* OK ready\r\n'), 'timed-out', /: no answer to CAPABILITY within \d+ ms$/],
    [
      (socket) => socket.end('* OK ready\r\n* BYE bye\r\n'),
      'bye',
      /: the server refused the connection: \* BYE bye$/,
    ],
  ]
  for (const [act, reason, words] of behaviours) {
    const port = await listen((socket) => act(socket.on('error', () => {})))
    const failed = await dial(
      serverAt(port, { connectTimeoutMs: 200, hosts: ['localhost'], addressFamily: 'ipv4' }),
      unlimited,
    )
    assert.ok(failed.kind === 'dial-failed', String(act))
    assert.equal(failed.reason, reason, String(act))
    const last = failed.detail.split('; ').find((detail) => detail.includes('127.0.0.1'))!
    assert.ok(last.startsWith(`localhost (127.0.0.1) port ${port}: `), last)
    assert.match(last, words)
  }
})

test('addresses are tried in order until one answers', async () => {
  const scripted = await ScriptedServer.start()
  // The server is bound to 127.0.0.1 only.
  const dialed = await dial(serverAt(scripted.port, { hosts: ['127.0.0.2', '127.0.0.1'] }), unlimited)
  assert.equal(dialed.kind, 'dialed')
  const failed = await dial(serverAt(scripted.port, { hosts: ['127.0.0.2', '127.0.0.3'] }), unlimited)
  assert.ok(failed.kind === 'dial-failed')
  assert.match(failed.detail, /127\.0\.0\.3/)
})

test('with roundRobin, each login starts at the next address, with checks in between', async () => {
  const scripted = await ScriptedServer.start()
  const second = createServer((socket) => {
    after(() => void socket.destroy())
    socket.on('error', () => {}).write('* OK [CAPABILITY IMAP4rev1] ready\r\n')
  })
  after(() => void second.close())
  await new Promise<void>((resolve) => second.listen(scripted.port, '127.0.0.2', resolve))
  const server = serverAt(scripted.port, { hosts: ['127.0.0.1', '127.0.0.2'], roundRobin: true })
  const logins: string[] = []
  for (let round = 0; round < 4; round++) {
    logins.push(server.addressesInRound(server.beginRound('login'))[0]!.address)
    const checked = await dial(server, unlimited)
    assert.equal(checked.kind, 'dialed')
  }
  assert.deepEqual(logins, ['127.0.0.1', '127.0.0.2', '127.0.0.1', '127.0.0.2'])
})

test('the preamble is sent first', async () => {
  const first = Promise.withResolvers<Peer>()
  const port = await listen((socket) => {
    socket.write('* OK [CAPABILITY X] ready\r\n')
    first.resolve(new Peer(socket))
  })
  const dialed = await dial(serverAt(port), unlimited, () => wire('PROXY UNKNOWN\r\n'))
  assert.equal(dialed.kind, 'dialed')
  assert.equal(await (await first.promise).line(), 'PROXY UNKNOWN')
})

test('an aborted dial closes its connection immediately, in any phase', async () => {
  for (const greeting of ['', '* OK ready\r\n']) {
    const abandoning = new AbortController()
    const { promise, resolve } = Promise.withResolvers<Peer>()
    const port = await listen((socket) => resolve(new Peer(socket)))
    const dialing = dial(serverAt(port), abandoning.signal)
    const peer = await promise
    peer.say(greeting)
    if (greeting !== '') assert.match(await peer.line(), / CAPABILITY$/)
    abandoning.abort()
    assert.equal((await dialing).kind, 'abandoned')
    await peer.closed()
  }
  const scripted = await ScriptedServer.start()
  assert.equal((await dial(serverAt(scripted.port), AbortSignal.abort())).kind, 'abandoned')
  assert.deepEqual(scripted.asked, [])
})

test('a greeting that arrived while this process was paused is not too late', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = undefined
  const server = serverAt(scripted.port, { connectTimeoutMs: 200 })
  const dialing = dial(server, unlimited)
  while (scripted.connections.length === 0) await turn()
  scripted.connections[0]!.say('* OK [CAPABILITY IMAP4rev1] ready\r\n')
  pauseProcess()
  assert.equal((await dialing).kind, 'dialed')
  assert.deepEqual(server.addresses.down, [])
})
