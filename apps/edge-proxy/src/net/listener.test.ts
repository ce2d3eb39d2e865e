import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { resolveConfig, type Layer } from '@imapfleet/config'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { EdgeError } from '../errors.ts'
import { testCertificate, testKey } from '@imapfleet/local/test-certificate'
import { dialPeer, hear, listen, Peer, pauseProcess } from './wire.test-support.ts'
import { ClientAdmission } from './client-admission.ts'
import { Link } from './link.ts'
import { acceptClient, type AcceptedClient, type NotAccepted } from './accept.ts'
import { Listener } from './listener.ts'
import { overSocket } from './socket-transport.ts'
import { acceptTls, listenerTlsContext } from './tls.ts'
import { untilTrue } from '../pool/pool.test-support.ts'

const directory = temporaryDirectory('listen')
const certFile = join(directory, 'cert.pem')
const keyFile = join(directory, 'key.pem')
writeFileSync(certFile, testCertificate)
writeFileSync(keyFile, testKey)

function listenerConfig(settings: Layer = {}) {
  const resolved = resolveConfig({ listeners: { imap: { address: '127.0.0.1', port: 1143, ...settings } } })
  assert.ok(resolved.ok, JSON.stringify(resolved))
  return resolved.config.listeners['imap']!
}

test('a port that is in use, or an address of another host, is an error with advice', async () => {
  const port = await listen(() => {})
  const taken = new Listener('imap', listenerConfig({ port }), () => {}, assert.ifError)
  await assert.rejects(taken.listen(), (error: unknown) => {
    assert.ok(error instanceof EdgeError && error.code === 'listen_failed')
    assert.match(error.message, new RegExp(`listeners\\.imap: .*127\\.0\\.0\\.1 port ${port}: .*in use`))
    return true
  })
  const elsewhere = new Listener(
    'imap',
    listenerConfig({ address: '192.0.2.1', port }),
    () => {},
    assert.ifError,
  )
  await assert.rejects(elsewhere.listen(), /this host has no such address/)
})

test('the error for a certificate or key that cannot be used names both files', () => {
  const broken = join(directory, 'broken.pem')
  writeFileSync(broken, 'not a certificate')
  for (const files of [
    { certFile: '/nowhere/cert.pem', keyFile },
    { certFile, keyFile: '/nowhere/key.pem' },
    { certFile: broken, keyFile },
    { certFile, keyFile: certFile },
  ])
    assert.throws(
      () => listenerTlsContext('imap', listenerConfig({ tls: 'starttls', ...files })),
      (error: unknown) => {
        assert.ok(error instanceof EdgeError && error.code === 'tls_unreadable')
        assert.ok(error.message.includes(files.certFile) && error.message.includes(files.keyFile))
        return true
      },
    )
  assert.equal(listenerTlsContext('imap', listenerConfig()), undefined)
})

/** Accepts one connection with these settings. `peer` is its client. */
async function accepting(settings: Layer, timeoutMs = 2000) {
  const config = listenerConfig(settings)
  const context = listenerTlsContext('imap', config)
  const accepted = Promise.withResolvers<Socket>()
  const port = await listen(accepted.resolve)
  const peer = dialPeer(port)
  const limits = { connectionsMax: 10, connectionsPerAddressMax: 0 }
  const admission = new ClientAdmission()
  const result = accepted.promise.then((socket) =>
    acceptClient(
      new Link(overSocket(socket)),
      { listener: 'imap', config, context, admission, limits },
      timeoutMs,
    ),
  )
  return { peer, result, admission }
}

const trusting = { proxyProtocolFrom: ['127.0.0.0/8'] }

async function acceptedBy(result: Promise<AcceptedClient | NotAccepted>): Promise<AcceptedClient> {
  const client = await result
  assert.ok(client.kind === 'accepted', JSON.stringify(client))
  return client
}

test('a PROXY header from an address that is not trusted is not parsed', async () => {
  const { peer, result } = await accepting({ proxyProtocolFrom: ['192.0.2.0/24'] })
  const { link, address, secure } = await acceptedBy(result)
  assert.deepEqual([address(), secure], ['127.0.0.1', false])
  const heard = hear(link)
  peer.say('PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n')
  peer.socket.end()
  await heard.end
  assert.equal(heard.text(), 'PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n')
})

test('a PROXY header that arrived while this process was paused is not too late', async () => {
  const { peer, result, admission } = await accepting(trusting, 200)
  while (admission.total === 0) await turn()
  peer.say('PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n')
  pauseProcess()
  assert.equal((await acceptedBy(result)).address(), '192.0.2.7')
})

test('the address in the PROXY header of a trusted load balancer is the client’s, and the bytes after the header arrive', async () => {
  const headers = ['PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n', 'PROXY UNKNOWN\r\n']
  for (const [index, header] of headers.entries()) {
    const { peer, result } = await accepting(trusting)
    peer.say(header.slice(0, 9))
    peer.say(`${header.slice(9)}a1 NOOP\r\n`)
    const { link, address } = await acceptedBy(result)
    assert.equal(address(), ['192.0.2.7', '127.0.0.1'][index])
    const heard = hear(link)
    link.resume()
    peer.say('a2 NOOP\r\n')
    peer.socket.end()
    await heard.end
    assert.equal(heard.text(), 'a1 NOOP\r\na2 NOOP\r\n')
  }
})

test('a load balancer that sends an invalid header, sends it too late, or disconnects, is not accepted', async () => {
  const wrong = await accepting(trusting)
  wrong.peer.say('a1 LOGIN joe secret\r\n')
  assert.deepEqual(await wrong.result, { kind: 'refused', reason: 'proxy-header' })
  await wrong.peer.closed()
  const late = await accepting(trusting, 30)
  late.peer.say('PROXY ')
  assert.deepEqual(await late.result, { kind: 'refused', reason: 'proxy-header' })
  await late.peer.closed()
  const gone = await accepting(trusting)
  gone.peer.socket.end()
  assert.deepEqual(await gone.result, { kind: 'gone' })
})

const implicit = { tls: 'implicit', certFile, keyFile }

/** The beginning of a TLS 1.2 record with a ClientHello; the rest is missing. */
const clientHello = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(100, 'x')

/** Starts TLS at the client. */
function secured(peer: Peer): Peer {
  peer.socket.removeAllListeners('data')
  const socket = connectTls({ socket: peer.socket, ca: testCertificate, servername: 'localhost' })
  after(() => socket.destroy())
  return new Peer(socket)
}

test('implicit TLS works, also after a PROXY header', async () => {
  for (const settings of [implicit, { ...implicit, ...trusting }]) {
    const { peer, result } = await accepting(settings)
    if ('proxyProtocolFrom' in settings) peer.say('PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n')
    const client = secured(peer)
    const { link, secure } = await acceptedBy(result)
    assert.equal(secure, true)
    const heard = Promise.withResolvers<string>()
    link.handler = { onData: (bytes) => heard.resolve(bytes.toString()), onEnd() {} }
    link.write('* OK ready\r\n')
    assert.equal(await client.line(), '* OK ready')
    client.say('a1 NOOP\r\n')
    assert.equal(await heard.promise, 'a1 NOOP\r\n')
    link.closeWhenWritten(1000)
    await client.closed()
  }
})

test('a client that sends no TLS, or nothing at all, is refused and closed', async () => {
  const plain = await accepting(implicit)
  plain.peer.say('a1 LOGIN joe secret\r\n')
  assert.deepEqual(await plain.result, { kind: 'refused', reason: 'tls-handshake' })
  await plain.peer.closed()
  const mute = await accepting(implicit, 30)
  assert.deepEqual(await mute.result, { kind: 'refused', reason: 'tls-handshake' })
  await mute.peer.closed()
})

test('a client that disconnects during its TLS handshake, by FIN or by RST, is detected immediately', async () => {
  for (const hello of ['', clientHello.slice(0, 40)])
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const { peer, result, admission } = await accepting(implicit, 600_000)
      await once(peer.socket, 'connect')
      if (hello !== '') peer.say(hello)
      peer.socket[leave]()
      assert.deepEqual(await result, { kind: 'gone' })
      await peer.closed()
      await untilTrue(() => admission.total === 0)
    }
})

test('TLS starts on an open link, and plain text in the handshake ends the link', async () => {
  const context = listenerTlsContext('imap', listenerConfig({ ...implicit, tls: 'starttls' }))!
  const good = await accepting({})
  const { link } = await acceptedBy(good.result)
  const accepted = acceptTls(link, context, 2000)
  const client = secured(good.peer)
  assert.equal(await accepted, 'secure')
  link.write('inside\r\n')
  assert.equal(await client.line(), 'inside')

  const bad = await accepting({})
  const injected = (await acceptedBy(bad.result)).link
  const refused = acceptTls(injected, context, 2000)
  bad.peer.say('b LOGIN mallory secret\r\n')
  assert.equal(await refused, 'failed')
  assert.equal(injected.isOpen, false)
  await bad.peer.closed()
})
