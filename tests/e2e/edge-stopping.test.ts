/**
 * What an edge does with each kind of connection when it is stopped, and with signals at any moment of its life. Times in the
 * configuration are long, so that an edge that waits for one of them does not end within the test.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chown, open, readFile, rename, stat } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { after, afterEach, before, suite, test, type TestContext } from 'node:test'
import type { Layer } from '@imapfleet/config'
import { edgeProxy, freePort, removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { Authority, type Certificate } from '../support/certs.ts'
import { listenerOn, temporaryGround, type LoneEdge } from '../support/lone-edge.ts'
import { MailSocket, type MailSocketOptions } from '../support/mail-socket.ts'
import { edgeFor, entered, isServed, listeningStub } from '../support/stub-edge.ts'
import type { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

const longMs = 600_000
const patient: Layer = {
  process: { drainTimeoutMs: longMs },
  clients: { loginTimeoutMs: longMs },
  upstreams: { main: { connectTimeoutMs: longMs, loginTimeoutMs: longMs } },
  pool: { resetTimeoutMs: longMs },
}

/**
 * Waits for the end of the process, and asserts that it ended by itself, with `stopped` as its last word.
 * @param cut what the edge says of connections that it had to close by force
 */
async function assertStops(edge: LoneEdge, cut?: RegExp): Promise<string> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('the edge did not stop')), 20_000)
  const exit = await Promise.race([edge.edge.process.exited(), late]).finally(() => clearTimeout(timer))
  assert.deepEqual(exit, { code: 0, signal: null })
  const log = await edge.log()
  assert.match(log.trimEnd().split('\n').at(-1)!, /info stopped\b/)
  assert.deepEqual(log.match(/stop_cut .*/g)?.length, cut && 1, log)
  if (cut) assert.match(log, cut)
  return log
}

suite('an edge that is stopped', () => {
  let stub: StubImapd
  let directory: string
  let certificate: Certificate
  before(async () => {
    stub = await listeningStub()
    directory = temporaryDirectory('stopping')
    const authority = await Authority.make(directory)
    certificate = await authority.issue('localhost', 'DNS:localhost')
  })
  afterEach(() => stub.reset())
  after(async () => {
    await stub?.close()
    await removeTemporaryDirectory(directory)
    assert.deepEqual(stub.faults, [])
  })

  /** An edge with this second listener, and clients of it. */
  async function edgeWith(t: TestContext, settings: Layer, config: Layer = {}) {
    const { port, listener } = await listenerOn(settings)
    const edge = await edgeFor(t, stub.port, {
      ...patient,
      ...config,
      listeners: { other: listener },
    })
    const connect = async (options: Partial<MailSocketOptions> = {}) => {
      const client = await MailSocket.open({ port, ...options })
      t.after(() => client.close())
      return client
    }
    return { edge, connect }
  }

  const halfHello = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
  for (const [what, settings, preamble] of [
    ['silent at a TLS port', { tls: 'implicit' }, undefined],
    ['in the middle of its ClientHello', { tls: 'implicit' }, halfHello],
    ['silent where a PROXY header is required', { proxyProtocolFrom: ['127.0.0.1'] }, undefined],
    ['in the middle of its PROXY header', { proxyProtocolFrom: ['127.0.0.1'] }, 'PROXY TCP4 '],
    [
      'silent after its PROXY header, where TLS is required',
      { proxyProtocolFrom: ['127.0.0.1'], tls: 'implicit' },
      'PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n',
    ],
    ['silent after STARTTLS', { tls: 'starttls' }, 'a STARTTLS\r\n'],
  ] as [string, Layer, string | undefined][])
    test(`it does not wait for a client that is ${what}`, async (t) => {
      const tls = 'tls' in settings ? certificate : {}
      const { edge, connect } = await edgeWith(t, { ...settings, ...tls })
      const client = await connect({ ...(preamble !== undefined && { preamble }) })
      await until('a place', async () => (await edge.stats()).gauges['clients_connected'] === 1)
      if (what.includes('STARTTLS')) await client.reply('a')
      edge.edge.process.send('SIGTERM')
      assert.equal(await client.rest(), '')
      await assertStops(edge)
    })

  test('it does not wait for TCP checks that came just before', async (t) => {
    const { edge, connect } = await edgeWith(t, { tls: 'implicit', ...certificate })
    for (let count = 0; count < 3; count++) await (await connect()).close()
    edge.edge.process.send('SIGTERM')
    await assertStops(edge)
  })

  test('it does not wait for a server that accepts and says nothing, and answers the logins there', async (t) => {
    const silent = createServer({ allowHalfOpen: true })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    t.after(() => silent.close())
    const { port } = silent.address() as AddressInfo
    const edge = await edgeFor(t, port, {
      ...patient,
      upstreams: { main: { connectTimeoutMs: longMs, healthIntervalMs: 1000 } },
    })
    const client = await edge.client()
    client.send('a LOGIN alice secret\r\n')
    await until('a dial', async () => (await edge.stats()).gauges['upstreams_dialing'] === 1)
    edge.edge.process.send('SIGTERM')
    assert.match(await client.rest(), /^a NO \[UNAVAILABLE\] .*\r\n\* BYE /)
    await assertStops(edge)
  })

  test('it does not wait for a login that the server does not answer, nor for the next one in the queue', async (t) => {
    stub.behave(({ name }) => name === 'LOGIN' || name === 'AUTHENTICATE')
    const main = { connectionsMax: 1, queueTimeoutMs: longMs, loginTimeoutMs: longMs }
    const edge = await edgeFor(t, stub.port, { ...patient, upstreams: { main } })
    const [first, second] = [await edge.client(), await edge.client()]
    first.send('a LOGIN alice secret\r\n')
    await until('a dial', async () => (await edge.stats()).gauges['upstreams_dialing'] === 1)
    second.send('a LOGIN bob secret\r\n')
    await until('a queue', async () => (await edge.stats()).gauges['leases_waiting'] === 1)
    edge.edge.process.send('SIGTERM')
    for (const client of [first, second]) assert.match(await client.rest(), /^a NO \[\w+\] .*\r\n\* BYE /)
    await assertStops(edge)
  })

  test('it does not wait for a reset that the server does not answer, nor for the login that waits for it', async (t) => {
    const edge = await edgeFor(t, stub.port, patient)
    stub.behave(({ name }) => name === 'NOOP')
    const session = await entered(edge)
    await session.command('LOGOUT')
    await until('a reset', async () => (await edge.stats()).gauges['upstreams_resetting'] === 1)
    const next = await edge.client()
    next.send('a LOGIN alice secret\r\nb NOOP\r\n')
    edge.edge.process.send('SIGTERM')
    await next.rest()
    await assertStops(edge)
  })

  test('it does not wait for a TLS client that reads nothing and keeps sending', async (t) => {
    const { edge, connect } = await edgeWith(
      t,
      { tls: 'implicit', ...certificate },
      { process: { drainTimeoutMs: 500 } },
    )
    const size = 64 * 1024 * 1024
    stub.behave(({ tag, name }, connection) => {
      if (name !== 'FETCH') return false
      connection.send(`* 1 FETCH (BODY[] {${size}}\r\n`)
      connection.send(Buffer.alloc(size, 'x'))
      connection.send(`)\r\n${tag} OK done\r\n`)
      return true
    })
    const client = await connect({ tls: { rejectUnauthorized: false } })
    await client.line()
    await client.command('LOGIN alice secret')
    client.tls.pause()
    client.send('f FETCH 1 BODY[]\r\n')
    const noops = setInterval(() => client.send('n NOOP\r\n'), 50)
    t.after(() => clearInterval(noops))
    await until('a full socket', async () => {
      const { counters } = await edge.stats()
      return (counters['upstream_bytes_total'] ?? 0) > 100_000
    })
    edge.edge.process.send('SIGTERM')
    await assertStops(edge, /stop_cut clients=1 sessions=0$/m)
  })

  test('it ends sessions in IDLE at once, and those between commands soon; one with work under way gets its time', async (t) => {
    const edge = await edgeFor(t, stub.port, patient)
    const [idle, quiet, working] = [
      await entered(edge),
      await entered(edge, 'bob'),
      await entered(edge, 'carol'),
    ]
    await idle.command('SELECT INBOX')
    idle.send('i IDLE\r\n')
    assert.match(await idle.line(), /^\+ /)
    working.send('s SLOW\r\n')
    await stub.signal.until(() => stub.slow === 1, 10_000)
    edge.edge.process.send('SIGTERM')
    assert.match(await idle.rest(), /^\* BYE Server is stopping/)
    assert.ok(await isServed(quiet))
    assert.match(await quiet.rest(), /^\* BYE Server is stopping/)
    stub.trigger()
    assert.equal((await working.reply('s')).status, 'OK')
    assert.match(await working.rest(), /^\* BYE Server is stopping/)
    await assertStops(edge)
  })

  test('a second signal ends at once what is left, and SIGHUP changes nothing any more', async (t) => {
    const edge = await edgeFor(t, stub.port, patient)
    const working = await entered(edge)
    working.send('s SLOW\r\n')
    await stub.signal.until(() => stub.slow === 1, 10_000)
    edge.edge.process.send('SIGTERM')
    await edge.logged(/info stopping /)
    edge.edge.process.send('SIGHUP')
    assert.equal((await fetch(`${edge.httpUrl}/readyz`)).status, 503)
    edge.edge.process.send('SIGINT')
    assert.match(await working.rest(), /^\* BYE Server is stopping/)
    assert.doesNotMatch(await assertStops(edge), /reloaded/)
  })

  test('it does not wait for an open request at its HTTP port', async (t) => {
    const edge = await edgeFor(t, stub.port, patient)
    const request = await MailSocket.open({ port: edge.edge.httpPort, preamble: 'GET /stats HTTP/1.1\r\n' })
    t.after(() => request.close())
    edge.edge.process.send('SIGTERM')
    await assertStops(edge)
  })

  test('it does not wait for a NATS server that accepts and says nothing', async (t) => {
    const silent = createServer({ allowHalfOpen: true })
    const { promise: called, resolve } = Promise.withResolvers<void>()
    silent.on('connection', () => resolve())
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening))
    t.after(() => silent.close())
    const { port } = silent.address() as AddressInfo
    const edge = await edgeFor(t, stub.port, { ...patient, fleet: { servers: [`nats://127.0.0.1:${port}`] } })
    await called
    edge.edge.process.send('SIGTERM')
    // The library has no way to abandon an attempt.
    await assertStops(edge, /stop_cut resources=/)
  })
})

suite('signals while an edge starts', () => {
  /** An edge whose start waits for its configuration, which comes through a named pipe. */
  async function startingEdge(t: TestContext) {
    const ground = temporaryGround()
    t.after(() => removeTemporaryDirectory(ground.directory))
    const upstream = { host: '127.0.0.1', port: await freePort() }
    const edge = await edgeProxy({ ground, id: 'lone', region: 'lab', upstream })
    const { configFile } = edge
    const text = await readFile(configFile, 'utf8')
    const { uid, gid } = await stat(configFile)
    await rename(configFile, `${configFile}.whole`)
    execFileSync('mkfifo', [configFile])
    await chown(configFile, uid, gid)
    const started = edge.process.start().then(
      () => true,
      () => false,
    )
    t.after(() => edge.process.kill())
    // Opening a named pipe waits for the other end: the edge reads its configuration now.
    const pipe = await open(configFile, 'w')
    const configure = async () => {
      await rename(`${configFile}.whole`, configFile)
      await pipe.write(text)
      await pipe.close()
    }
    const log = () => readFile(edge.process.logFile, 'utf8')
    return { edge, started, configure, log }
  }

  test('SIGHUP does not end it, and is followed by a reload', async (t) => {
    const { edge, started, configure, log } = await startingEdge(t)
    edge.process.send('SIGHUP')
    await configure()
    assert.ok(await started)
    assert.match((await MailSocket.greeted({ port: edge.imapPort })).greeting, /^\* OK /)
    await until('a reload', async () => /info started [^]*info reloaded/.test(await log()))
    edge.process.send('SIGTERM')
    assert.deepEqual(await edge.process.exited(), { code: 0, signal: null })
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`${signal} stops it cleanly, with status 0`, async (t) => {
      const { edge, configure, log } = await startingEdge(t)
      edge.process.send(signal)
      await configure()
      assert.deepEqual(await edge.process.exited(), { code: 0, signal: null })
      assert.match((await log()).trimEnd().split('\n').at(-1)!, /info stopped\b/)
    })
})
