import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import type { Layer } from '@imapfleet/config'
import { edgeAtWork, unusedPort, type EdgeAtWork } from './edge.test-support.ts'
import { testCertificate, testKey } from '@imapfleet/local/test-certificate'
import { dialPeer, Peer } from '../net/wire.test-support.ts'
import { untilTrue } from '../pool/pool.test-support.ts'

const directory = temporaryDirectory('admission')
const certFile = join(directory, 'cert.pem')
const keyFile = join(directory, 'key.pem')
writeFileSync(certFile, testCertificate)
writeFileSync(keyFile, testKey)
const tls = { certFile, keyFile, tls: 'implicit' }

/** An edge with a plain listener `imap` and a second one, `other`. */
async function twoListeners(other: Layer, clients: Layer = {}) {
  const port = await unusedPort()
  const edge = await edgeAtWork({
    listeners: { other: { address: '127.0.0.1', port, ...other } },
    clients: { loginTimeoutMs: 600_000, ...clients },
  })
  return { ...edge, port, total: () => edge.edge.context.clientAdmission.total }
}

function from(localAddress: string, port: number): Peer {
  const socket = connect({ host: '127.0.0.1', port, localAddress, allowHalfOpen: true })
  after(() => socket.destroy())
  return new Peer(socket)
}

const refusals = ({ edge }: Pick<EdgeAtWork, 'edge'>, reason: string) =>
  edge.context.metrics.snapshot().counters[`client_refusals_total{reason="${reason}"}`] ?? 0

/** Number of sockets on this local port that have received FIN and are not closed by this process. */
function halfClosedAt(port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${wanted}`) && state === '08').length
}

test('clients that disconnect before or during a TLS handshake leave no socket behind', async () => {
  const { port, total } = await twoListeners(tls)
  const visits = Array.from({ length: 30 }, async (_, index) => {
    const peer = dialPeer(port)
    await once(peer.socket, 'connect')
    if (index % 2 === 1) peer.say('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03half a ClientHello')
    peer.socket.end()
    await peer.closed()
  })
  await Promise.all(visits)
  await untilTrue(() => total() === 0)
  assert.equal(halfClosedAt(port), 0)
})

test('a client that disconnects after STARTTLS, before or within its ClientHello, leaves no socket behind', async () => {
  const { port, total, edge } = await twoListeners({ ...tls, tls: 'starttls' })
  for (const hello of ['', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03half']) {
    const peer = dialPeer(port)
    peer.say('a STARTTLS\r\n')
    await peer.until('negotiation now\r\n')
    if (hello !== '') peer.say(hello)
    peer.socket.end()
    await peer.closed()
    await untilTrue(() => total() === 0 && edge.context.sessions.arriving.size === 0)
  }
  assert.equal(halfClosedAt(port), 0)
})

test('a load balancer that disconnects before or within its PROXY header leaves no socket behind', async () => {
  const { port, total } = await twoListeners({ proxyProtocolFrom: ['127.0.0.1'] })
  for (const header of ['', 'PROXY TCP4 ']) {
    const peer = dialPeer(port)
    await once(peer.socket, 'connect')
    if (header !== '') peer.say(header)
    peer.socket.end()
    await peer.closed()
    await untilTrue(() => total() === 0)
  }
  assert.equal(halfClosedAt(port), 0)
})

test('idle connections to a TLS port count for their address, and other addresses are served', async () => {
  const edge = await twoListeners(tls, { connectionsMax: 100, connectionsPerAddressMax: 10 })
  const silent = Array.from({ length: 100 }, () => from('127.0.0.2', edge.port))
  await untilTrue(() => refusals(edge, 'too-many-from-address') === 90)
  assert.equal(edge.total(), 10)
  assert.equal(edge.edge.context.metrics.snapshot().gauges['clients_connected'], 10)
  const plain = edge.edge.context.settings.current.listeners['imap']!.port
  assert.match(await from('127.0.0.3', plain).line(), /^\* OK /)
  // The address of the flood is limited on every listener.
  assert.match(await from('127.0.0.2', plain).line(), /^\* BYE Too many connections/)
  await untilTrue(() => silent.filter((peer) => peer.unread !== '').length === 0)
})

test('a flood of idle connections on one listener, from many addresses, does not affect clients of another', async () => {
  const edge = await twoListeners(tls, { connectionsMax: 20, connectionsPerAddressMax: 1 })
  const plain = edge.edge.context.settings.current.listeners['imap']!.port
  const early = from('127.0.1.1', plain)
  await early.line()
  for (let host = 1; host <= 60; host++) from(`127.0.2.${host}`, edge.port)
  await untilTrue(() => refusals(edge, 'displaced') === 41)
  assert.equal(edge.total(), 20)
  const late = from('127.0.1.2', plain)
  assert.match(await late.line(), /^\* OK /)
  for (const peer of [early, late]) {
    peer.say('a LOGIN joe secret\r\n')
    await peer.until('a OK ')
  }
  assert.equal(edge.total(), 20)
})

test('sessions and logins in progress are not displaced, and a displaced client gets a BYE with the reason', async () => {
  const { edge, session, client, scripted } = await edgeAtWork({ clients: { connectionsMax: 3 } })
  const kept = await session()
  scripted.script = () => undefined
  const loggingIn = await client()
  loggingIn.say('a LOGIN jane secret\r\n')
  await untilTrue(() => scripted.asked.some((text) => text.startsWith('CAPABILITY')))
  const silent = await client()
  const next = await client()
  assert.equal(await silent.closed(), '* BYE Too many connections, try again later\r\n')
  next.say('b LOGIN jack secret\r\n')
  await untilTrue(() => edge.context.pool.connections.count('dialing') === 2)
  const refused = dialPeer(kept.socket.remotePort!)
  assert.equal(await refused.closed(), '* BYE Too many connections, try again later\r\n')
  assert.equal(refusals({ edge }, 'too-many-clients'), 1)
  assert.equal(refusals({ edge }, 'displaced'), 1)
})

test('behind a PROXY header the client’s network is counted, and a mapped address is IPv4', async () => {
  const edge = await twoListeners({ proxyProtocolFrom: ['127.0.0.1'] }, { connectionsPerAddressMax: 1 })
  const behind = (address: string) => {
    const peer = dialPeer(edge.port)
    peer.say(`PROXY TCP6 ${address} ::1 1 2\r\n`)
    return peer
  }
  assert.match(await behind('2001:db8::1').line(), /^\* OK /)
  assert.match(await behind('2001:db8::2').closed(), /^\* BYE Too many/)
  assert.match(await behind('::ffff:192.0.2.7').line(), /^\* OK /)
  const mapped = dialPeer(edge.port)
  mapped.say('PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n')
  assert.match(await mapped.closed(), /^\* BYE Too many/)
  // Connections whose header has not arrived are not limited by the address of the load balancer.
  for (let count = 0; count < 3; count++) dialPeer(edge.port)
  await untilTrue(() => edge.total() === 5)
})

test('one time limit covers the PROXY header, the handshake and the login', async () => {
  const edge = await twoListeners({ ...tls, proxyProtocolFrom: ['127.0.0.1'] }, { loginTimeoutMs: 1000 })
  const peer = dialPeer(edge.port)
  const startedAt = performance.now()
  setTimeout(() => peer.say('PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n'), 700)
  await peer.closed()
  assert.ok(performance.now() - startedAt < 1600, 'the handshake got only what the header had left')
  assert.equal(refusals(edge, 'tls-handshake'), 1)
})
