import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect as connectTls, createSecureContext, rootCertificates, TLSSocket } from 'node:tls'
import type { EdgeConfig } from '@imapfleet/config'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { edgeAtWork, unusedPort } from './edge.test-support.ts'
import { snapshotOf } from './snapshot.ts'
import { testCertificate, testKey } from '@imapfleet/local/test-certificate'
import { dialPeer, listen, Peer } from '../net/wire.test-support.ts'
import { offeredMechanisms } from '../session/capabilities.ts'
import { but, untilTrue } from '../pool/pool.test-support.ts'
import { serve, wellBehaved } from '../server/scripted-server.test-support.ts'

const directory = temporaryDirectory('edge')
const certFile = join(directory, 'cert.pem')
const keyFile = join(directory, 'key.pem')
writeFileSync(certFile, testCertificate)
writeFileSync(keyFile, testKey)
/** A CA that did not sign these certificates. */
const strangeCertificate = rootCertificates[0]!
const starttls = { listeners: { imap: { tls: 'starttls', certFile, keyFile, requireTls: true } } }

/** The same client, over TLS. */
function secured(peer: Peer): Peer {
  peer.socket.removeAllListeners('data')
  const socket = connectTls({ socket: peer.socket, ca: testCertificate, servername: 'localhost' })
  after(() => socket.destroy())
  return new Peer(socket)
}

test('STARTTLS on a listener without TLS is answered BAD, and the client may continue', async () => {
  const { client, edge } = await edgeAtWork()
  const peer = await client()
  peer.say('a STARTTLS\r\nb NOOP\r\n')
  assert.equal(await peer.until('b OK Completed\r\n'), 'a BAD TLS is not available\r\nb OK Completed\r\n')
  assert.equal(edge.context.sessions.arriving.size, 1)
})

test('if TLS is required, logins are refused before it and accepted after it', async () => {
  const { client, scripted, quiet } = await edgeAtWork(starttls)
  const peer = await client()
  peer.say('a CAPABILITY\r\nb LOGIN joe secret\r\n')
  const shown = await peer.until('STARTTLS first\r\n')
  assert.match(shown, /STARTTLS/)
  assert.match(shown, /LOGINDISABLED/)
  assert.doesNotMatch(shown, /AUTH=/)
  assert.equal(scripted.connections.length, 0)
  peer.say('c STARTTLS\r\n')
  await peer.until('c OK ')
  await peer.until('\r\n')
  const inside = secured(peer)
  inside.say('d CAPABILITY\r\ne STARTTLS\r\nf LOGIN joe secret\r\n')
  const told = await inside.until('Logged in\r\n')
  assert.match(told, /AUTH=PLAIN/)
  assert.doesNotMatch(told.slice(0, told.indexOf('d OK')), /STARTTLS|LOGINDISABLED/)
  assert.match(told, /e BAD TLS is not available/)
  inside.say('g LOGOUT\r\n')
  assert.match(await inside.closed(), /g OK Completed/)
  await quiet()
})

test('a login sent without TLS after STARTTLS is discarded', async () => {
  const { client, scripted } = await edgeAtWork(starttls)
  const peer = await client()
  peer.say('a STARTTLS\r\nb LOGIN mallory secret\r\n')
  await peer.until('negotiation now\r\n')
  const inside = secured(peer)
  inside.say('c NOOP\r\n')
  assert.equal(await inside.line(), 'c OK Completed')
  assert.equal(scripted.connections.length, 0)
})

test('IDs sent without TLS are discarded when TLS begins', async () => {
  const { client, scripted, edge } = await edgeAtWork(starttls)
  edge.context.servers.get('main')!.identification.learnBeforeLogin([])
  const peer = await client()
  peer.say('a ID ("x-originating-ip" "192.0.2.66")\r\nb STARTTLS\r\n')
  await peer.until('negotiation now\r\n')
  const inside = secured(peer)
  inside.say('c ID ("name" "webmail")\r\nd LOGIN joe secret\r\ne NOOP\r\n')
  await inside.until('e OK done\r\n')
  assert.deepEqual(
    scripted.asked.filter((text) => text.startsWith('ID')),
    ['ID ("name" "webmail")'],
  )
})

test('a failed handshake closes the connection and frees its place', async () => {
  const { client, edge } = await edgeAtWork(starttls)
  const peer = await client()
  peer.say('a STARTTLS\r\n')
  await peer.until('negotiation now\r\n')
  peer.say('b LOGIN joe secret\r\n')
  await peer.closed()
  await untilTrue(() => edge.context.sessions.arriving.size === 0 && edge.context.clientAdmission.total === 0)
})

test('behind a load balancer each client is limited by its own address', async () => {
  const layer = {
    listeners: { imap: { proxyProtocolFrom: ['127.0.0.1'] } },
    clients: { connectionsPerAddressMax: 1 },
  }
  const { edge } = await edgeAtWork(layer)
  const { port } = edge.context.settings.current.listeners['imap']!
  const from = (address: string) => {
    const peer = dialPeer(port)
    peer.say(`PROXY TCP4 ${address} 127.0.0.1 1 2\r\n`)
    return peer
  }
  for (const address of ['192.0.2.1', '192.0.2.2']) assert.match(await from(address).line(), /^\* OK /)
  assert.equal(await from('192.0.2.1').closed(), '* BYE Too many connections, try again later\r\n')
  const liar = dialPeer(port)
  liar.say('a LOGIN joe secret\r\n')
  assert.equal(await liar.closed(), '')
  const { counters } = edge.context.metrics.snapshot()
  assert.equal(counters['client_refusals_total{reason="too-many-from-address"}'], 1)
  assert.equal(counters['client_refusals_total{reason="proxy-header"}'], 1)
})

test('a new configuration takes effect immediately, and sessions continue', async () => {
  const { edge, config, session, client, scripted } = await edgeAtWork()
  const peer = await session()
  edge.apply(
    config({ pool: { answerCapability: false }, clients: { loginFailuresMax: 1 }, log: { level: 'error' } }),
  )
  peer.say('a CAPABILITY\r\n')
  await peer.until('a OK ')
  assert.equal(scripted.asked.at(-1), 'CAPABILITY')
  const next = await client()
  next.say('a LOGIN joe wrong\r\n')
  assert.match(await next.closed(), /BYE Too many failed logins/)
  assert.equal(edge.context.log.level, 'error')
})

test('keys that need a restart are logged, and the others take effect', async () => {
  const { edge, config, logged } = await edgeAtWork()
  const port = await unusedPort()
  edge.apply(
    config({
      listeners: { imap: { port }, second: { port: await unusedPort() } },
      clients: { loginFailuresMax: 2 },
      process: { user: 'nobody' },
    }),
  )
  const keys = 'listeners.imap.port listeners.second process.user'
  assert.match(logged.at(-1)!, new RegExp(`warn restart_needed keys="${keys}"`))
  assert.equal(edge.context.settings.current.clients.loginFailuresMax, 2)
})

test('the files of a server are read again, and TLS sessions of the old files are not resumed', async () => {
  const caFile = join(directory, 'ca.pem')
  const [asked, reused]: [string[], boolean[]] = [[], []]
  // All connections share one context. Otherwise no session ticket could be resumed.
  const secureContext = createSecureContext({ key: testKey, cert: testCertificate })
  const tlsPort = await listen((raw) => {
    const socket = new TLSSocket(raw, { isServer: true, secureContext })
    socket.on('error', () => raw.destroy())
    socket.on('secure', () => reused.push(socket.isSessionReused()))
    const peer = new Peer(socket)
    peer.say('* OK ready\r\n')
    void serve(peer, () => wellBehaved, asked)
  })
  writeFileSync(caFile, strangeCertificate)
  const main = { hosts: ['localhost'], addressFamily: 'ipv4', tls: 'implicit', caFile }
  const { edge, client } = await edgeAtWork({ upstreams: { main } }, tlsPort)
  const peer = await client()
  peer.say('a LOGIN joe secret\r\n')
  assert.match(await peer.line(), /^a NO \[UNAVAILABLE\]/)
  assert.deepEqual(asked, [])
  writeFileSync(caFile, testCertificate)
  edge.apply(edge.context.settings.current)
  for (const user of ['joe', 'jane']) {
    const other = await client()
    other.say(`a LOGIN ${user} secret\r\n`)
    await other.until('a OK ')
  }
  edge.apply(edge.context.settings.current)
  const last = await client()
  last.say('a LOGIN june secret\r\n')
  await last.until('a OK ')
  assert.deepEqual(reused.slice(-3), [false, true, false])
})

test('all mistakes in certificates are reported together', async () => {
  const { edge, config } = await edgeAtWork()
  const wrong = config({
    listeners: { imap: { tls: 'implicit', certFile, keyFile: certFile } },
    upstreams: {
      main: { tls: 'starttls', caFile: '/nowhere.pem' },
      odd: { hosts: ['localhost'], tls: 'starttls', ciphers: 'HIHG' },
    },
  })
  assert.throws(
    () => edge.apply(wrong),
    ({ message }: Error) =>
      /^listeners\.imap: .*\nupstreams\.main: .*\/nowhere\.pem.*\nupstreams\.odd: .*cipher/.test(message),
  )
})

test('before login a client is offered what all its possible servers support', async () => {
  const { edge, client } = await edgeAtWork({
    upstreams: { other: { hosts: ['localhost'] }, apart: { hosts: ['localhost'] } },
    routes: [
      { upstream: 'other', domain: 'example.com', listener: 'imap' },
      { upstream: 'apart', listener: 'second' },
    ],
    listeners: { second: { address: '127.0.0.1', port: await unusedPort() } },
  })
  const teach = (name: string, list: string) =>
    edge.context.servers.get(name)!.learnAfterLogin(list.split(' '))
  teach('main', 'IMAP4rev1 IDLE SORT')
  teach('other', 'IMAP4rev1 SORT ENABLE')
  teach('apart', 'IMAP4rev1 NOTIFY')
  const shown = async (listener: string) => {
    const peer = await client(listener)
    peer.say('a CAPABILITY\r\n')
    return (await peer.line()).replace(/ SASL-IR.*/, '')
  }
  assert.equal(await shown('imap'), '* CAPABILITY IMAP4rev1 SORT')
  assert.equal(await shown('second'), '* CAPABILITY IMAP4rev1 NOTIFY')
})

test('a mechanism is offered if every server with a known list offers it', async () => {
  const { edge, client } = await edgeAtWork({
    upstreams: { other: { hosts: ['localhost'] } },
    routes: [{ upstream: 'other', domain: 'example.com' }],
  })
  const [main, other] = [edge.context.servers.get('main')!, edge.context.servers.get('other')!]
  const offered = () => offeredMechanisms(edge.context.servers.on('imap'))
  assert.deepEqual(offered(), ['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER'])
  main.learnBeforeLogin(['IMAP4rev1', 'auth=plain', 'AUTH=XOAUTH2', 'AUTH=OAUTHBEARER'])
  assert.deepEqual(offered(), ['PLAIN', 'XOAUTH2', 'OAUTHBEARER'])
  other.learnBeforeLogin(['IMAP4rev1', 'AUTH=XOAUTH2', 'AUTH=LOGIN'])
  assert.deepEqual(offered(), ['XOAUTH2'])
  other.learnBeforeLogin(['IMAP4rev1'])
  assert.deepEqual(offered(), [])
  const peer = await client()
  peer.say('a CAPABILITY\r\n')
  assert.equal(await peer.line(), '* CAPABILITY IMAP4rev1')
})

test('a mechanism that is not offered can be used, and the server gets the login in a form that it offers', async () => {
  const { client, scripted } = await edgeAtWork()
  scripted.script = but({ CAPABILITY: '* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n' })
  for (const command of [
    'a LOGIN joe secret\r\n',
    `a AUTHENTICATE PLAIN ${Buffer.from('\0jane\0secret').toString('base64')}\r\n`,
  ]) {
    const peer = await client()
    peer.say(command)
    await peer.until('a OK ')
  }
  assert.deepEqual(
    scripted.asked.filter((text) => /^(LOGIN|AUTHENTICATE)/.test(text)),
    ['LOGIN joe secret', 'LOGIN jane secret'],
  )
})

test('a configuration with a mistake changes nothing', async () => {
  const { edge, config, session, quiet } = await edgeAtWork()
  const before = edge.context.settings.current
  const peer = await session()
  peer.say('a LOGOUT\r\n')
  await peer.closed()
  await quiet()
  for (const wrong of [
    { upstreams: { main: { tls: 'implicit', caFile: '/nowhere.pem', port: 1 } } },
    { listeners: { imap: { tls: 'starttls', certFile: '/nowhere.pem', keyFile } } },
  ]) {
    assert.throws(() => edge.apply(config(wrong)), { code: 'tls_unreadable' })
    assert.equal(edge.context.settings.current, before)
    assert.equal(edge.context.pool.connections.count('idle'), 1)
  }
})

test('connections to a server whose settings have changed are closed, leased ones after their session', async () => {
  const { edge, config, session, scripted, quiet } = await edgeAtWork()
  const [idle, used] = [await session(), await session('jane')]
  idle.say('a LOGOUT\r\n')
  await idle.closed()
  await untilTrue(() => edge.context.pool.connections.count('idle') === 1)
  edge.apply(config({ upstreams: { main: { loginTimeoutMs: 12_345 } } }))
  assert.equal(edge.context.pool.connections.count('idle'), 0)
  used.say('a NOOP\r\n')
  assert.equal(await used.line(), 'a OK done')
  used.say('b LOGOUT\r\n')
  await used.closed()
  await quiet()
  const again = await session('jane')
  again.say('c LOGOUT\r\n')
  await again.closed()
  assert.equal(scripted.connections.length, 3)
})

test('the XPROXY commands work for the addresses that are allowed', async () => {
  const file = join(directory, 'trace.log')
  const { client, session, edge } = await edgeAtWork({ admin: { commands: true }, trace: { file } })
  const used = await session('jane')
  const peer = await client()
  peer.say('a CAPABILITY\r\nb XPROXY_DUMPICC\r\nc XPROXY_TRACE joe\r\n')
  assert.match(await peer.line(), / XIMAPPROXY$/)
  assert.match(await peer.until('b OK Completed\r\n'), /\* XPROXY_DUMPICC \d+ jane Active\r\n/)
  assert.equal(await peer.line(), 'c OK Tracing enabled for user joe')
  const traced = await session('joe')
  traced.say('x NOOP\r\n')
  await traced.until('x OK done\r\n')
  used.say('x NOOP\r\n')
  await used.until('x OK done\r\n')
  assert.match(readFileSync(file, 'utf8'), /CLIENT: x NOOP\n.* SERVER: x OK done\n/)
  assert.doesNotMatch(readFileSync(file, 'utf8'), /secret|jane/)
  peer.say('d XPROXY_NEWLOG\r\ne XPROXY_TRACE\r\nf XPROXY_RESETCOUNTERS\r\n')
  await peer.until('f OK Counters reset\r\n')
  assert.doesNotMatch(readFileSync(file, 'utf8'), /NOOP/)
  assert.equal(edge.context.statistics.read().clients.total, 0)
  assert.ok(edge.context.metrics.snapshot().counters['client_connections_total']! >= 3)

  edge.apply({ ...edge.context.settings.current, admin: { commands: true, allowFrom: ['192.0.2.0/24'] } })
  const other = await client()
  other.say('a XPROXY_DUMPICC\r\nb CAPABILITY\r\n')
  assert.equal(await other.line(), 'a BAD Please login first')
  assert.doesNotMatch(await other.line(), /XIMAPPROXY/)
})

test('a server that an operator has paused stays paused when its settings change', async () => {
  const { edge, config } = await edgeAtWork()
  edge.context.servers.get('main')!.isPaused = true
  edge.apply(config({ upstreams: { main: { loginTimeoutMs: 12_345 } } }))
  assert.equal(edge.context.servers.get('main')!.isPaused, true)
})

test('an expired certificate is logged once and again at a reload, and is in the list of problems until it is renewed', async (t) => {
  const { now } = Date
  let later = 0
  t.mock.method(Date, 'now', () => now() + later)
  const { edge, logged, config } = await edgeAtWork(starttls)
  const told = () => logged.filter((line) => line.includes('certificate_expired'))
  assert.deepEqual([told().length, snapshotOf(edge).problems], [0, []])
  later = Date.UTC(2125, 0, 1) - now()
  await untilTrue(() => told().length > 0)
  const sweeps = edge.context.clock.now() + 1500
  await untilTrue(() => edge.context.clock.now() > sweeps)
  assert.equal(told().length, 1)
  assert.match(
    told()[0]!,
    /warn certificate_expired detail="?listeners\.imap: the certificate in .*cert\.pem expired at 2120/,
  )
  assert.match(snapshotOf(edge).problems[0]!, /listeners\.imap: .* expired/)
  const { gauges } = edge.context.metrics.snapshot()
  assert.ok((gauges['certificate_expiry_seconds{owner="listeners.imap"}'] ?? 0) < Date.now() / 1000)
  edge.apply(config())
  assert.equal(told().length, 2)
  later = Date.UTC(2019, 0, 1) - now()
  edge.apply(config())
  assert.ok(logged.some((line) => line.includes('certificate_not_yet_valid')))
  later = 0
  assert.deepEqual(snapshotOf(edge).problems, [])
})

test('a client certificate for a server is checked like that of a listener', async (t) => {
  const later = Date.UTC(2125, 0, 1) - Date.now()
  const { now } = Date
  t.mock.method(Date, 'now', () => now() + later)
  const main = { tls: 'opportunistic', certFile, keyFile }
  const { logged } = await edgeAtWork({ upstreams: { main } })
  assert.ok(logged.some((line) => /certificate_expired .*upstreams\.main: /.test(line)))
})

test('a listener that a reload removes, or whose `tls` it changes, keeps its TLS settings until a restart', async () => {
  const { edge, config } = await edgeAtWork({
    listeners: {
      tls: { address: '127.0.0.1', port: await unusedPort(), tls: 'implicit', certFile, keyFile },
    },
  })
  const { port } = edge.context.settings.listener('tls')
  const { tls: removed, ...listeners } = config().listeners
  for (const next of [
    { ...config(), listeners },
    { ...config(), listeners: { ...listeners, tls: { ...removed!, tls: 'none', certFile: undefined } } },
    { ...config(), listeners: { ...listeners, tls: { ...removed!, tls: 'starttls' } } },
  ] as EdgeConfig[]) {
    edge.apply(next)
    assert.ok(edge.keysAwaitingRestart.some((key) => key.startsWith('listeners.tls')))
    const secure = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    after(() => secure.destroy())
    assert.match(await new Peer(secure).line(), /^\* OK/)
    assert.deepEqual(
      edge.context.settings.certificateDates.map(({ owner, file }) => [owner, file]),
      [['listeners.tls', certFile]],
    )
  }
})

test('above process.memoryBytesMax, a login that needs a new connection is refused, and the problem is shown until it ends', async () => {
  const { edge, client, session, config, logged } = await edgeAtWork({ process: { memoryBytesMax: 1 } })
  const peer = await client()
  peer.say('a LOGIN joe secret\r\n')
  assert.match(await peer.until('\r\n'), /^a NO \[UNAVAILABLE\] /)
  assert.match(snapshotOf(edge).problems.join(), /^memory: \d+ MB of 0 MB \(process\.memoryBytesMax\)/)
  assert.match(logged.join('\n'), /memory_exhausted bytes=\d+ bytesMax=1/)
  edge.apply(config({ process: { memoryBytesMax: 0 } }))
  await untilTrue(() => snapshotOf(edge).problems.length === 0)
  await session('joe')
})
