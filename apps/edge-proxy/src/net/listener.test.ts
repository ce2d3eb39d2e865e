import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { resolveConfig, type Layer } from '@imapfleet/config'
import { EdgeError } from '../errors.ts'
import { testCertificate, testKey } from './certificate.test-support.ts'
import { dialPeer, hear, listen, Peer } from './wire.test-support.ts'
import { admit, type Admitted, type NotAdmitted } from './accept.ts'
import { Listener } from './listener.ts'
import { overSocket } from './socket-transport.ts'
import { acceptTls, serverContext } from './tls.ts'

const directory = mkdtempSync(join(tmpdir(), 'imapfleet-listen-'))
after(() => rmSync(directory, { recursive: true }))
const certFile = join(directory, 'cert.pem')
const keyFile = join(directory, 'key.pem')
writeFileSync(certFile, testCertificate)
writeFileSync(keyFile, testKey)

function listenerConfig(settings: Layer = {}) {
  const resolved = resolveConfig({ listeners: { imap: { address: '127.0.0.1', port: 1143, ...settings } } })
  assert.ok(resolved.ok, JSON.stringify(resolved))
  return resolved.config.listeners['imap']!
}

test('a port that is in use, or an address that is not here, is told with what to do', async () => {
  const port = await listen(() => {})
  const taken = new Listener('imap', listenerConfig({ port }), () => {})
  await assert.rejects(taken.listen(), (error: unknown) => {
    assert.ok(error instanceof EdgeError && error.code === 'listen_failed')
    assert.match(error.message, new RegExp(`listeners\\.imap: .*127\\.0\\.0\\.1 port ${port}: .*in use`))
    return true
  })
  const elsewhere = new Listener('imap', listenerConfig({ address: '192.0.2.1', port }), () => {})
  await assert.rejects(elsewhere.listen(), /this host has no such address/)
})

test('a certificate or key that cannot be read or used is told with both files', () => {
  const broken = join(directory, 'broken.pem')
  writeFileSync(broken, 'not a certificate')
  for (const files of [
    { certFile: '/nowhere/cert.pem', keyFile },
    { certFile, keyFile: '/nowhere/key.pem' },
    { certFile: broken, keyFile },
    { certFile, keyFile: certFile },
  ])
    assert.throws(
      () => serverContext('imap', listenerConfig({ tls: 'starttls', ...files })),
      (error: unknown) => {
        assert.ok(error instanceof EdgeError && error.code === 'tls_unreadable')
        assert.ok(error.message.includes(files.certFile) && error.message.includes(files.keyFile))
        return true
      },
    )
  assert.equal(serverContext('imap', listenerConfig()), undefined)
})

/** Admits one connection by these settings; `peer` is its client. */
async function admitting(settings: Layer, timeoutMs = 2000) {
  const config = listenerConfig(settings)
  const context = serverContext('imap', config)
  const accepted = Promise.withResolvers<Socket>()
  const port = await listen(accepted.resolve)
  const peer = dialPeer(port)
  const admitted = accepted.promise.then((socket) =>
    admit(overSocket(socket), { config, context }, timeoutMs),
  )
  return { peer, admitted }
}

const trusting = { proxyProtocolFrom: ['127.0.0.0/8'] }

async function admittedBy(admitted: Promise<Admitted | NotAdmitted>): Promise<Admitted> {
  const result = await admitted
  assert.ok(result.kind === 'admitted', JSON.stringify(result))
  return result
}

test('from whom none is expected, a PROXY header is no header', async () => {
  const { peer, admitted } = await admitting({ proxyProtocolFrom: ['192.0.2.0/24'] })
  const { link, address, secure } = await admittedBy(admitted)
  assert.deepEqual([address(), secure], ['127.0.0.1', false])
  const heard = hear(link)
  peer.say('PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n')
  peer.socket.end()
  await heard.end
  assert.equal(heard.text(), 'PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n')
})

test('behind a trusted balancer the client is who the header says, and what is behind it comes through', async () => {
  const headers = ['PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n', 'PROXY UNKNOWN\r\n']
  for (const [index, header] of headers.entries()) {
    const { peer, admitted } = await admitting(trusting)
    peer.say(header.slice(0, 9))
    peer.say(`${header.slice(9)}a1 NOOP\r\n`)
    const { link, address } = await admittedBy(admitted)
    assert.equal(address(), ['192.0.2.7', '127.0.0.1'][index])
    const heard = hear(link)
    link.resume()
    peer.say('a2 NOOP\r\n')
    peer.socket.end()
    await heard.end
    assert.equal(heard.text(), 'a1 NOOP\r\na2 NOOP\r\n')
  }
})

test('a balancer that sends no header, none in time, or goes away, is not admitted', async () => {
  const wrong = await admitting(trusting)
  wrong.peer.say('a1 LOGIN joe secret\r\n')
  assert.deepEqual(await wrong.admitted, { kind: 'refused', reason: 'proxy-header' })
  await wrong.peer.closed()
  const late = await admitting(trusting, 30)
  late.peer.say('PROXY ')
  assert.deepEqual(await late.admitted, { kind: 'refused', reason: 'proxy-header' })
  await late.peer.closed()
  const gone = await admitting(trusting)
  gone.peer.socket.end()
  assert.deepEqual(await gone.admitted, { kind: 'gone' })
})

const implicit = { tls: 'implicit', certFile, keyFile }

/** A client that speaks TLS over this connection from now on. */
function secured(peer: Peer): Peer {
  peer.socket.removeAllListeners('data')
  const socket = connectTls({ socket: peer.socket, ca: testCertificate, servername: 'localhost' })
  after(() => socket.destroy())
  return new Peer(socket)
}

test('TLS from the first byte, also behind a PROXY header', async () => {
  for (const settings of [implicit, { ...implicit, ...trusting }]) {
    const { peer, admitted } = await admitting(settings)
    if ('proxyProtocolFrom' in settings) peer.say('PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n')
    const client = secured(peer)
    const { link, secure } = await admittedBy(admitted)
    assert.equal(secure, true)
    const heard = Promise.withResolvers<string>()
    link.handler = { onData: (bytes) => heard.resolve(bytes.toString()), onDrain() {}, onEnd() {} }
    link.write('* OK ready\r\n')
    assert.equal(await client.line(), '* OK ready')
    client.say('a1 NOOP\r\n')
    assert.equal(await heard.promise, 'a1 NOOP\r\n')
    link.closeWhenWritten(1000)
    await client.closed()
  }
})

test('a client that speaks no TLS, or nothing at all, is not admitted and is closed', async () => {
  const plain = await admitting(implicit)
  plain.peer.say('a1 LOGIN joe secret\r\n')
  assert.deepEqual(await plain.admitted, { kind: 'refused', reason: 'tls-handshake' })
  await plain.peer.closed()
  const mute = await admitting(implicit, 30)
  assert.deepEqual(await mute.admitted, { kind: 'refused', reason: 'tls-handshake' })
  await mute.peer.closed()
  const gone = await admitting(implicit)
  gone.peer.socket.resetAndDestroy()
  assert.equal((await gone.admitted).kind, 'refused')
})

test('a link becomes TLS in the middle, and plain text on it ends it', async () => {
  const context = serverContext('imap', listenerConfig({ ...implicit, tls: 'starttls' }))!
  const good = await admitting({})
  const { link } = await admittedBy(good.admitted)
  const accepted = acceptTls(link, context, 2000)
  const client = secured(good.peer)
  assert.equal(await accepted, true)
  link.write('inside\r\n')
  assert.equal(await client.line(), 'inside')

  const bad = await admitting({})
  const injected = (await admittedBy(bad.admitted)).link
  const refused = acceptTls(injected, context, 2000)
  bad.peer.say('b LOGIN mallory secret\r\n')
  assert.equal(await refused, false)
  assert.equal(injected.isOpen, false)
  await bad.peer.closed()
})
