import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { overHandle } from './handle-transport.ts'
import { Link } from './link.ts'
import { overSocket } from './socket-transport.ts'
import { takeHandle } from './tcp-handle.ts'
import { testTransport } from './transport-contract.test-support.ts'
import {
  acceptedLink,
  dialedLink,
  dialPeer,
  listen,
  transports,
  type TransportKind,
} from './wire.test-support.ts'

const unexpected = () => assert.fail('unexpected event')

test('a detached link has no events, and bytes that arrive stay in the socket', async () => {
  const { link, peer, socket } = await acceptedLink()
  link.handler = { onData: unexpected, onDrain: unexpected, onEnd: unexpected }
  const raw = link.detach()
  assert.equal(raw, socket)
  const readable = new Promise<void>((resolve) => raw.once('readable', resolve))
  peer.say('in the clear')
  await readable
  assert.equal(raw.readableLength, 12)
})

test('a writer that must wait gets onDrain, even if it writes a small amount in the meantime', async () => {
  const accepted = Promise.withResolvers<Socket>()
  const peer = dialPeer(await listen(accepted.resolve))
  const handle = takeHandle(await accepted.promise)!
  const link = new Link(overHandle(handle))
  const { promise, resolve } = Promise.withResolvers<void>()
  link.handler = { onData() {}, onDrain: resolve, onEnd: unexpected }
  peer.socket.pause()
  assert.equal(link.write(Buffer.alloc(16_000_000)), false)
  // Simulates that the kernel has accepted nearly all bytes, because a test cannot set how many it accepts.
  Object.defineProperty(handle, 'writeQueueSize', { value: 1000 })
  assert.equal(link.write('* OK more\r\n'), false)
  peer.socket.resume()
  await promise
  link.close()
})

const underTest = async (make: typeof acceptedLink, over: TransportKind) => {
  const { link, peer, socket } = await make(over)
  return { link, peer, held: () => socket.readableLength }
}

for (const over of transports) {
  testTransport(over, {
    accepted: () => underTest(acceptedLink, over),
    dialed: () => underTest(dialedLink, over),
    bigBytes: 16_000_000,
  })

  test(`over a ${over}: a link that was closed while detached closes the transport that it gets`, async () => {
    const { link, peer } = await acceptedLink(over)
    const raw = link.detach()
    link.close()
    link.attach(overSocket(raw))
    await peer.closed()
    assert.ok(raw.destroyed)
  })
}
