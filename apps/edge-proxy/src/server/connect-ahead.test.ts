import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Layer } from '@imapfleet/config'
import { edgeMetrics, Metrics } from '@imapfleet/observe'
import type { Credentials } from '../imap/credentials.ts'
import { wire } from '../imap/cuts.test-support.ts'
import type { Lookup } from '../net/network.ts'
import { runtime, replaceRuntime } from '../runtime.ts'
import { openConnection } from './open-connection.ts'
import { ScriptedServer, serverAt, unlimited, wellBehaved } from './scripted-server.test-support.ts'
import { Resolver } from './resolver.ts'
import { Server } from './server.ts'

const client = { address: '192.0.2.7', loginSignal: unlimited }
const as = (secret = 'secret'): Credentials => ({
  user: wire('joe'),
  authzid: wire(''),
  secret: wire(secret),
  mechanism: 'command',
})

/** A server with this round trip, in milliseconds. */
function distant(scripted: ScriptedServer, settings: Layer = {}, roundTripMs = 40, lookup?: Lookup): Server {
  const { config } = serverAt(scripted.port, settings)
  const resolver = new Resolver(lookup)
  const server = new Server('main', config, 1, new Metrics(edgeMetrics), undefined, resolver)
  server.knowledge?.measured(roundTripMs, 0)
  return server
}

const logIn = async (server: Server, secret?: string) =>
  (await openConnection(server, as(secret), client)).kind

/** Waits until a connection is ready for the next login. */
async function isReady({ connectAhead }: Server): Promise<void> {
  while (connectAhead.state !== 'ready') await turn()
}

async function settled(): Promise<void> {
  for (let each = 0; each < 50; each++) await turn()
}

test('a login at a distant server uses the connection that was opened after the login before', async () => {
  const scripted = await ScriptedServer.start()
  const server = distant(scripted)
  assert.equal(await logIn(server), 'opened')
  await isReady(server)
  const before = scripted.asked.length
  assert.equal(await logIn(server), 'opened')
  assert.deepEqual(scripted.asked.slice(before, before + 1), ['LOGIN joe secret'])
  await isReady(server)
  assert.equal(scripted.connections.length, 3)
  server.connectAhead.end()
})

test('no connection is opened ahead where it saves little, or where it must name the client or is not wanted', async () => {
  const cases: [Layer, roundTripMs?: number][] = [
    [{}, 2],
    [{ connectAhead: false }],
    [{ ahead: 'off' }],
    [{ ahead: 'learn' }],
    [{ aheadRoundTripMinMs: 100 }],
    [{ clientAddress: 'proxy-v1' }],
  ]
  for (const [settings, roundTripMs] of cases) {
    const scripted = await ScriptedServer.start()
    // The server skips a PROXY header.
    scripted.script = (asked) => (asked.tag === 'PROXY' ? undefined : wellBehaved(asked))
    const server = distant(scripted, settings, roundTripMs)
    assert.equal(await logIn(server), 'opened')
    await settled()
    assert.equal(scripted.connections.length, 1, JSON.stringify(settings))
  }
})

test('a refused login and a paused server open no connection ahead', async () => {
  const scripted = await ScriptedServer.start()
  const server = distant(scripted)
  assert.equal(await logIn(server, 'wrong'), 'login-refused')
  await settled()
  assert.equal(scripted.connections.length, 1)
  server.isPaused = true
  server.connectAhead.prepare({ hasRoom: true })
  await settled()
  assert.equal(scripted.connections.length, 1)
})

test('with roundRobin, a connection that was opened ahead takes the turn of the login that uses it', async () => {
  const scripted = await ScriptedServer.start()
  const both = ['127.0.0.1', 'localhost']
  const server = distant(scripted, { roundRobin: true, hosts: both, addressFamily: 'ipv4' })
  server.resolver.refresh(server.config)
  while (server.resolver.known(server.config).length < 2) await turn()
  const hosts: (string | undefined)[] = []
  for (let login = 1; login <= 4; login++) {
    hosts.push(server.nextAddress()?.host)
    assert.equal(await logIn(server), 'opened')
    await isReady(server)
  }
  assert.deepEqual(hosts, ['127.0.0.1', 'localhost', '127.0.0.1', 'localhost'])
  server.connectAhead.end()
})

test('while another address is down, no connection is opened or used ahead, because logins try that address again', async () => {
  const other = { host: '127.0.0.3', address: '127.0.0.3' }
  for (const isDownBefore of [true, false]) {
    const scripted = await ScriptedServer.start()
    const server = distant(scripted, { hosts: ['127.0.0.1', other.address] })
    const fail = () => server.addresses.markDown(other, 'it does not answer', runtime.now(), 60_000)
    if (isDownBefore) fail()
    assert.equal(await logIn(server), 'opened')
    if (!isDownBefore) await isReady(server)
    fail()
    await settled()
    assert.equal(await logIn(server), 'opened')
    await settled()
    assert.equal(scripted.connections.length, isDownBefore ? 2 : 3)
  }
})

test('if the server closes the connection before the login or instead of an answer, the login gets another one', async () => {
  for (const how of ['before', 'bye', 'at-login'] as const) {
    const scripted = await ScriptedServer.start()
    const server = distant(scripted, { breakerFailures: 1 })
    assert.equal(await logIn(server), 'opened')
    await isReady(server)
    const peer = scripted.connections[1]!
    if (how === 'before') peer.socket.destroy()
    if (how === 'bye') peer.say('* BYE autologout\r\n')
    if (how === 'at-login')
      scripted.script = (asked) => (asked.peer === peer ? void peer.socket.destroy() : wellBehaved(asked))
    else await settled()
    assert.equal(await logIn(server), 'opened', how)
    assert.equal(server.breaker.isOpen, false)
    assert.deepEqual(server.addresses.down, [])
    server.connectAhead.end()
  }
})

test('a login that the server may have read is not sent again if the server closes the connection or does not answer', async () => {
  for (const how of ['closed', 'silent']) {
    const scripted = await ScriptedServer.start()
    const server = distant(scripted, { loginTimeoutMs: 500 })
    assert.equal(await logIn(server), 'opened')
    await isReady(server)
    const peer = scripted.connections[1]!
    scripted.script = (asked) => {
      if (asked.verb !== 'LOGIN') return wellBehaved(asked)
      if (how === 'closed') setTimeout(() => peer.socket.destroy(), 400)
      return undefined
    }
    assert.equal(await logIn(server, 'wrong'), 'unavailable', how)
    assert.equal(scripted.asked.filter((text) => text.includes('wrong')).length, 1)
    assert.equal(scripted.connections.length, 2)
    server.connectAhead.end()
  }
})

test('a connection ahead that fails says nothing about the server, and no other one is opened for ten minutes', async () => {
  for (const greeting of [
    '* BYE too many connections without a login',
    '* BYE out of order',
    'what is this',
  ] as const) {
    const scripted = await ScriptedServer.start()
    const server = distant(scripted, { breakerFailures: 1 })
    const opening = openConnection(server, as(), client)
    while (scripted.asked.length === 0) await turn()
    scripted.greeting = `${greeting}\r\n`
    assert.equal((await opening).kind, 'opened')
    while (scripted.connections.length < 2) await turn()
    await settled()
    assert.deepEqual(server.addresses.down, [], greeting)
    assert.equal(server.downReason, undefined)
    scripted.greeting = '* OK ready\r\n'
    assert.equal(await logIn(server), 'opened')
    await settled()
    assert.equal(scripted.connections.length, 3)
    const restore = passing(600_001)
    try {
      assert.equal(await logIn(server), 'opened')
    } finally {
      restore()
    }
    await isReady(server)
    server.connectAhead.end()
  }
})

test('an unused connection is closed with LOGOUT after 45 s, and when the server gets new settings', async () => {
  const scripted = await ScriptedServer.start()
  const server = distant(scripted)
  assert.equal(await logIn(server), 'opened')
  await isReady(server)
  server.connectAhead.sweep()
  assert.equal(scripted.open, 2)
  const restore = passing(45_001)
  try {
    server.connectAhead.sweep()
  } finally {
    restore()
  }
  await scripted.connections[1]!.closed()
  assert.equal(scripted.asked.at(-1), 'LOGOUT')

  // Servers log such a connection, so none is opened again before five logins that would have used one.
  for (let login = 1; login <= 5; login++) {
    await settled()
    assert.equal(scripted.connections.length, 1 + login)
    assert.equal(await logIn(server), 'opened')
  }
  await isReady(server)
  server.connectAhead.end()
  await scripted.connections[7]!.closed()
  assert.equal(await logIn(server), 'opened')
  await settled()
  assert.equal(scripted.connections.length, 9)
})

test('a connection that was opened ahead is not used at an address that the name no longer has', async () => {
  const scripted = await ScriptedServer.start()
  const addresses = ['127.0.0.1']
  const lookup = async () => addresses.map((address) => ({ address, family: 4 }))
  const server = distant(scripted, { hosts: ['mail.test'], resolveEveryMs: 1000 }, 40, lookup)
  assert.equal(await logIn(server), 'opened')
  await isReady(server)
  addresses[0] = '127.0.0.2'
  const restore = passing(1001)
  try {
    server.resolver.refresh(server.config)
    await settled()
    server.connectAhead.sweep()
  } finally {
    restore()
  }
  assert.equal(server.connectAhead.state, 'none')
})

test('a login on a connection that was opened ahead has a turn at the gate, or waits for one', async () => {
  const scripted = await ScriptedServer.start()
  const server = distant(scripted, { connectsMax: 1 })
  assert.equal(await logIn(server), 'opened')
  await isReady(server)
  let asked = 0
  const answers: (() => void)[] = []
  scripted.script = (command) => {
    if (command.verb !== 'LOGIN') return wellBehaved(command)
    asked++
    answers.push(() => command.peer.say(wellBehaved(command)!))
    return undefined
  }
  const logins = [logIn(server), logIn(server)]
  while (asked === 0) await turn()
  await settled()
  assert.equal(asked, 1)
  answers[0]!()
  while (asked === 1) await turn()
  answers[1]!()
  assert.deepEqual(await Promise.all(logins), ['opened', 'opened'])
  server.connectAhead.end()
})

test('a login on a connection that was opened ahead shows that the server answers', async () => {
  const scripted = await ScriptedServer.start()
  const server = distant(scripted)
  assert.equal(await logIn(server), 'opened')
  await isReady(server)
  const { greetedAt } = server
  const restore = passing(5000)
  try {
    assert.equal(await logIn(server), 'opened')
  } finally {
    restore()
  }
  assert.ok(server.greetedAt >= greetedAt + 5000)
  server.connectAhead.end()
})

/** Until the returned function is called, this time has passed. */
function passing(ms: number): () => void {
  const real = { ...runtime }
  return replaceRuntime({ ...real, now: () => real.now() + ms })
}
