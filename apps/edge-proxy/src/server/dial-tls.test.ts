import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { testCertificate, testKey } from '@imapfleet/local/test-certificate'
import { listen, Peer } from '../net/wire.test-support.ts'
import { dial } from './dial.ts'
import { ScriptedServer, serverAt, unlimited } from './scripted-server.test-support.ts'

const directory = temporaryDirectory('dial')
const caFile = join(directory, 'ca.pem')
writeFileSync(caFile, testCertificate)

const secured = (raw: Socket): TLSSocket =>
  new TLSSocket(raw, { isServer: true, key: testKey, cert: testCertificate })

/** A server with STARTTLS. It sends `answer` to that command, and a list with INSIDE under TLS. */
async function startTlsServer(
  answer: string,
  offered = 'STARTTLS',
): Promise<{ port: number; peers: Peer[] }> {
  const peers: Peer[] = []
  // The edge may close the connection at any time.
  const port = await listen((raw) => void serve(raw).catch(() => raw.destroy()))
  const serve = async (raw: Socket) => {
    const plain = new Peer(raw)
    peers.push(plain)
    plain.say(`* OK [CAPABILITY IMAP4rev1 ${offered}] ready\r\n`)
    const [tag] = (await plain.line()).split(' ')
    raw.removeAllListeners('data')
    raw.write(answer.replaceAll('TAG', tag!))
    if (!answer.includes(' OK ')) return
    const peer = new Peer(secured(raw))
    const [asked] = (await peer.line()).split(' ')
    peer.say(`* CAPABILITY IMAP4rev1 INSIDE\r\n${asked} OK done\r\n`)
  }
  return { port, peers }
}

test('STARTTLS: only capabilities sent under TLS count', async () => {
  const { port } = await startTlsServer('TAG OK begin\r\n')
  for (const tls of ['starttls', 'opportunistic']) {
    const dialed = await dial(serverAt(port, { tls, caFile }), unlimited)
    assert.ok(dialed.kind === 'dialed', JSON.stringify(dialed))
    assert.deepEqual(dialed.capabilities, ['IMAP4rev1', 'INSIDE'])
    dialed.link.close()
  }
})

test('plain text after the reply to STARTTLS is never used', async () => {
  const injections = [
    'TAG OK begin\r\n* CAPABILITY IMAP4rev1 INJECTED\r\n',
    'TAG OK begin\r\n* CAPABILITY IMAP4rev1 INJ',
    'TAG OK begin\r\ni2 OK [CAPABILITY INJECTED] done\r\n',
    'TAG OK begin\r\ni3 OK injected\r\n',
    '* CAPABILITY INJECTED\r\nTAG OK begin\r\n',
  ]
  for (const injection of injections) {
    const { port } = await startTlsServer(injection)
    const dialed = await dial(serverAt(port, { tls: 'starttls', caFile, connectTimeoutMs: 5000 }), unlimited)
    if (dialed.kind === 'dialed') assert.deepEqual(dialed.capabilities, ['IMAP4rev1', 'INSIDE'], injection)
  }
})

test('if STARTTLS is not offered or refused, the dial fails and does not continue without TLS', async () => {
  const without = await startTlsServer('', 'IDLE')
  const none = await dial(serverAt(without.port, { tls: 'starttls', caFile }), unlimited)
  assert.equal(none.kind === 'dial-failed' && none.reason, 'starttls-not-offered')
  await without.peers[0]!.closed()
  for (const tls of ['starttls', 'opportunistic']) {
    const refusing = await startTlsServer('TAG NO not now\r\n')
    const refused = await dial(serverAt(refusing.port, { tls, caFile }), unlimited)
    assert.equal(refused.kind, 'dial-failed')
    await refusing.peers[0]!.closed()
  }
})

test('opportunistic: if STARTTLS fails, the edge does not continue without TLS, and names the setting to change', async () => {
  const wayOut =
    /; repair TLS at the server, or set upstreams\.main\.tls: none to send passwords without TLS$/
  for (const [answer, reason] of [
    ['TAG NO not now\r\n', 'starttls-refused'],
    ['TAG BAD what?\r\n', 'starttls-refused'],
    ['TAG OK begin\r\nThis is no TLS\r\n', 'not-imap'],
    ['', 'timed-out'],
  ] as const) {
    const broken = await startTlsServer(answer)
    const options = { tls: 'opportunistic', caFile, connectTimeoutMs: 300 }
    const failed = await dial(serverAt(broken.port, options), unlimited)
    assert.ok(failed.kind === 'dial-failed', answer)
    assert.equal(failed.reason, reason, failed.detail)
    assert.match(failed.detail, wayOut)
    await broken.peers[0]!.closed()
  }
  const strict = await startTlsServer('TAG NO not now\r\n')
  const refused = await dial(serverAt(strict.port, { tls: 'starttls', caFile }), unlimited)
  assert.ok(refused.kind === 'dial-failed')
  assert.match(refused.detail, /the server refused STARTTLS: NO not now$/)
})

test('opportunistic: if STARTTLS is not offered, the edge continues without TLS', async () => {
  const scripted = await ScriptedServer.start()
  assert.equal((await dial(serverAt(scripted.port, { tls: 'opportunistic' }), unlimited)).kind, 'dialed')
})

/** A server with implicit TLS. */
async function implicitServer(): Promise<{ port: number; sockets: TLSSocket[]; closed: Promise<void>[] }> {
  const sockets: TLSSocket[] = []
  const closed: Promise<void>[] = []
  const port = await listen((raw) => {
    const socket = secured(raw)
    socket.on('error', () => socket.destroy()).on('end', () => socket.destroy())
    closed.push(new Promise((resolve) => socket.once('close', () => resolve())))
    sockets.push(socket)
    socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n')
  })
  return { port, sockets, closed }
}

test('implicit TLS: the certificate and its name are verified, unless verify is off', async () => {
  const { port, closed } = await implicitServer()
  const dialed = await dial(serverAt(port, { tls: 'implicit', caFile }), unlimited)
  assert.ok(dialed.kind === 'dialed', JSON.stringify(dialed))
  assert.deepEqual(dialed.capabilities, ['IMAP4rev1'])

  const unknown = await dial(serverAt(port, { tls: 'implicit' }), unlimited)
  assert.equal(unknown.kind === 'dial-failed' && unknown.reason, 'tls-failed')
  const misnamed = await dial(
    serverAt(port, { tls: 'implicit', caFile, serverName: 'mail.example.com' }),
    unlimited,
  )
  assert.equal(misnamed.kind === 'dial-failed' && misnamed.reason, 'tls-failed')
  await Promise.all(closed.slice(1))

  assert.equal((await dial(serverAt(port, { tls: 'implicit', verify: false }), unlimited)).kind, 'dialed')
})

test('SNI has the expected name, and never an address', async () => {
  const { port, sockets } = await implicitServer()
  await dial(serverAt(port, { tls: 'implicit', caFile, serverName: 'localhost' }), unlimited)
  await dial(serverAt(port, { tls: 'implicit', caFile }), unlimited)
  const names = sockets.map((socket) => (socket as TLSSocket & { servername?: string | false }).servername)
  assert.equal(names[0], 'localhost')
  assert.ok(!names[1])
})

test('a server without TLS fails, with a reason and within the time limit', async () => {
  const scripted = await ScriptedServer.start()
  const failed = await dial(serverAt(scripted.port, { tls: 'implicit', caFile }), unlimited)
  assert.ok(failed.kind === 'dial-failed')
  assert.equal(failed.reason, 'tls-failed')
  assert.match(
    failed.detail,
    /: wrong version number \(\S+\); the server sends no TLS on this port; try upstreams\.main\.tls/,
  )
  const mute = await listen(() => {})
  const late = await dial(serverAt(mute, { tls: 'implicit', caFile, connectTimeoutMs: 100 }), unlimited)
  assert.equal(late.kind === 'dial-failed' && late.reason, 'timed-out')
})

test('a file of authorities without a certificate is refused, because it would trust no server', () => {
  const text = join(directory, 'text.pem')
  writeFileSync(text, 'no certificate\n')
  assert.throws(() => serverAt(1, { tls: 'implicit', caFile: text }), {
    code: 'tls_unreadable',
    message: `upstreams.main: ${text} is not a PEM file with a certificate`,
  })
})

test('an empty directory of authorities is refused, instead of trust in those of the system', () => {
  const caPath = join(directory, 'authorities')
  mkdirSync(caPath)
  assert.throws(() => serverAt(1, { tls: 'implicit', caPath }), {
    code: 'tls_unreadable',
    message: `upstreams.main: ${caPath} has no certificate: .pem, .crt, or a name of openssl rehash`,
  })
  assert.doesNotThrow(() => serverAt(1, { tls: 'implicit', caPath, verify: false }))
})
