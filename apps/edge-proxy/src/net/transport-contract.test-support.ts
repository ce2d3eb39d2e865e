/** The contract of every transport: handles and sockets of Node, and the wires of the simulation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link, LinkEnd } from './link.ts'
import { acceptedLink, hear, type Peer } from './wire.test-support.ts'

/** The part of the other end of a connection that the contract uses. */
export type ContractPeer = Pick<Peer, 'say' | 'bytes' | 'finished' | 'closed'> & {
  readonly socket: Pick<Peer['socket'], 'pause' | 'resume' | 'resetAndDestroy'> & {
    end(): void
    write(bytes: Buffer): void
  }
}

export interface TransportUnderTest {
  readonly link: Link
  readonly peer: ContractPeer
  /** Bytes that have arrived and that the transport keeps. */
  readonly held: () => number
}

export interface TransportMakers {
  readonly accepted: () => Promise<TransportUnderTest>
  readonly dialed: () => Promise<TransportUnderTest>
  /** More than a connection holds while it is not read. */
  readonly bigBytes: number
}

const unexpected = () => assert.fail('unexpected event')

export function testTransport(over: string, { accepted, dialed, bigBytes }: TransportMakers): void {
  test(`over a ${over}: bytes arrive unchanged in both directions`, async () => {
    const { link, peer } = await accepted()
    const { promise, resolve } = Promise.withResolvers<Buffer>()
    link.handler = { onData: resolve, onEnd() {} }
    peer.say('a\0\xff\r\n')
    assert.deepEqual(await promise, Buffer.from('a\0\xff\r\n', 'latin1'))
    link.write('b\0\xff')
    link.write(Buffer.from('c\xfe', 'latin1'))
    assert.equal(await peer.bytes(5), 'b\0\xffc\xfe')
  })

  test(`over a ${over}: the end of a connection is reported once, by name`, async () => {
    const { link, peer } = await accepted()
    const ends: LinkEnd[] = []
    const { promise, resolve } = Promise.withResolvers<number>()
    link.handler = { onData() {}, onEnd: (end) => resolve(ends.push(end)) }
    peer.socket.end()
    await promise
    await peer.closed()
    assert.deepEqual(ends, ['closed-by-peer'])
    assert.equal(link.isOpen, false)
  })

  test(`over a ${over}: a reset is reported as a reset`, async () => {
    const { link, peer } = await dialed()
    const { end } = hear(link)
    peer.socket.resetAndDestroy()
    assert.equal(await end, 'reset-by-peer')
  })

  test(`over a ${over}: closing a link reports no end, and writing to it later is not an error`, async () => {
    const { link, peer } = await accepted()
    link.handler = { onData: unexpected, onEnd: unexpected }
    link.close()
    link.close()
    link.closeWhenWritten(1000)
    assert.equal(link.write('late'), true)
    assert.equal(await peer.closed(), '')
  })

  test(`over a ${over}: closeWhenWritten delivers all bytes first, also to a slow reader`, async () => {
    const { link, peer } = await accepted()
    const big = Buffer.alloc(bigBytes, 'x')
    peer.socket.pause()
    assert.equal(link.write(big), false)
    link.write('* BYE done\r\n')
    link.closeWhenWritten(4000)
    assert.equal(link.isOpen, false)
    peer.socket.resume()
    const text = await peer.finished()
    assert.equal(text.length, big.length + 12)
    assert.ok(text.endsWith('x* BYE done\r\n'))
  })

  test(`over a ${over}: a peer that does not read cannot delay closeWhenWritten beyond its timeout`, async () => {
    const { link, peer } = await accepted()
    peer.socket.pause()
    link.write(Buffer.alloc(bigBytes))
    const { promise, resolve } = Promise.withResolvers<void>()
    link.whenClosed(resolve)
    link.closeWhenWritten(50)
    await promise
    peer.socket.resume()
    await peer.finished()
  })

  test(`over a ${over}: a writer to a slow reader has to wait, and gets onDrain`, async () => {
    const { link, peer } = await accepted()
    const { promise, resolve } = Promise.withResolvers<void>()
    link.handler = { onData() {}, onDrain: resolve, onEnd() {} }
    peer.socket.pause()
    assert.equal(link.write(Buffer.alloc(bigBytes)), false)
    peer.socket.resume()
    await promise
    await peer.bytes(bigBytes)
  })

  test(`over a ${over}: borrowed bytes that are written within the call arrive unchanged, however long they wait`, async () => {
    const [from, to] = [await acceptedLink('handle'), await accepted()]
    const sent = Buffer.from(Uint32Array.from({ length: bigBytes / 4 }, (_, at) => at).buffer)
    to.peer.socket.pause()
    const all = Promise.withResolvers<void>()
    let passed = 0
    from.link.handler = {
      borrows: true,
      onData(bytes) {
        to.link.write(bytes)
        passed += bytes.length
        if (passed === sent.length) all.resolve()
      },

      onEnd: unexpected,
    }
    from.peer.socket.write(sent)
    await all.promise
    to.peer.socket.resume()
    const arrived = Buffer.from(await to.peer.bytes(sent.length), 'latin1')
    assert.ok(arrived.equals(sent))
    from.link.close()
  })

  test(`over a ${over}: a paused link reads nothing until it is resumed`, async () => {
    const { link, peer, held } = await accepted()
    const heard = hear(link)
    link.pause()
    const big = 'y'.repeat(bigBytes)
    peer.say(big)
    link.write('marker')
    await peer.bytes(6)
    assert.equal(heard.text(), '')
    assert.ok(held() <= 65_536)
    link.resume()
    peer.socket.end()
    await heard.end
    assert.equal(heard.text().length, big.length)
  })

  test(`over a ${over}: a peer that has closed its sending side can still be written to, if the handler requests this`, async () => {
    const { link, peer } = await accepted()
    const { promise, resolve } = Promise.withResolvers<void>()
    link.handler = { onData() {}, onEnd: unexpected, onHalfClose: () => (resolve(), true) }
    peer.socket.end()
    await promise
    link.write('still here')
    assert.equal(await peer.bytes(10), 'still here')
    link.close()
  })

  test(`over a ${over}: bytes that are put back are delivered again, before later ones`, async () => {
    const { link, peer } = await accepted()
    const first = Promise.withResolvers<Buffer>()
    link.handler = { onData: first.resolve, onEnd() {} }
    peer.say('header+rest')
    const bytes = await first.promise
    link.unshift(bytes.subarray(7))
    const heard = hear(link)
    link.resume()
    peer.say('+more')
    peer.socket.end()
    await heard.end
    assert.equal(heard.text(), 'rest+more')
  })
}
