/** Addresses of clients: PROXY headers from trusted load balancers, PROXY headers to servers, and addresses by ID. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { freePort } from '@imapfleet/local'
import { listenerOn, LoneEdge } from '../support/lone-edge.ts'
import type { MailSocket } from '../support/mail-socket.ts'
import { readVersion2, version2 } from '../support/proxy-header.ts'
import { StubImapd } from '../support/stub-imapd.ts'

/** In front of the stub, which knows no headers: takes the header of the edge, and forwards the rest. */
class HeaderTaker {
  readonly headers: Buffer[] = []
  readonly port: number
  readonly #server: Server

  constructor(port: number, behind: number, lengthOf: (bytes: Buffer) => number) {
    this.port = port
    this.#server = createServer((near) => {
      const far = connect(behind, '127.0.0.1')
      for (const socket of [near, far]) socket.on('error', () => socket.destroy())
      near.on('close', () => far.destroy())
      far.on('close', () => near.destroy())
      near.once('data', (first: Buffer) => {
        const length = lengthOf(first)
        this.headers.push(first.subarray(0, length))
        far.write(first.subarray(length))
        near.pipe(far).pipe(near)
      })
    })
  }

  async listen(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  close(): void {
    this.#server.close()
  }
}

suite('client addresses', () => {
  let stub: StubImapd
  let first: HeaderTaker
  let second: HeaderTaker
  let edge: LoneEdge
  let trusting: number
  before(async () => {
    stub = new StubImapd(await freePort())
    for (const name of ['alice', 'alice@v1', 'alice@v2', 'alice@id']) stub.account(name, 'secret')
    await stub.listen()
    first = new HeaderTaker(await freePort(), stub.port, (bytes) => bytes.indexOf('\r\n') + 2)
    second = new HeaderTaker(await freePort(), stub.port, (bytes) => readVersion2(bytes)?.length ?? 0)
    await Promise.all([first.listen(), second.listen()])
    const behind = await listenerOn({ proxyProtocolFrom: ['127.0.0.2', '127.9.0.0/16'] })
    trusting = behind.port
    const common = { hosts: ['127.0.0.1'], healthIntervalMs: 0, connectAttempts: 1 }
    edge = await LoneEdge.start(stub.port, {
      listeners: { behind: behind.listener },
      admin: { commands: true, allowFrom: ['203.0.113.0/24', '2001:db8::/32'] },
      upstreams: {
        v1: { ...common, port: first.port, clientAddress: 'proxy-v1' },
        v2: { ...common, port: second.port, clientAddress: 'proxy-v2' },
        id: { ...common, port: stub.port, clientAddress: 'id' },
      },
      routes: ['v1', 'v2', 'id'].map((upstream) => ({ upstream, domain: upstream })),
    })
  })
  after(async () => {
    await edge?.stop()
    first?.close()
    second?.close()
    await stub?.close()
    assert.deepEqual(stub.faults, [])
  })

  const balanced = (preamble: string | Buffer, localAddress = '127.0.0.2') =>
    edge.client({ port: trusting, localAddress, preamble })
  /** The address of this client according to the log of the edge. */
  async function addressOf(client: MailSocket): Promise<string | undefined> {
    const since = (await edge.log()).length
    assert.equal((await client.command('LOGIN alice wrong')).status, 'NO')
    return /client=(\S+)/.exec(await edge.logged(/login_refused .* user=alice /, since))?.[1]
  }

  test('a header from a trusted load balancer gives the address of the client, in both versions and families', async () => {
    for (const [header, address, from] of [
      ['PROXY TCP4 203.0.113.7 10.0.0.1 50000 143\r\n', '203.0.113.7', '127.0.0.2'],
      ['PROXY TCP6 2001:db8::7 2001:db8::1 50000 143\r\n', '2001:db8::7', '127.9.8.7'],
      ['PROXY UNKNOWN\r\n', '127.0.0.2', '127.0.0.2'],
      [version2('203.0.113.8'), '203.0.113.8', '127.0.0.2'],
      [version2('2001:db8:0:0:0:0:0:8', '2001:db8:0:0:0:0:0:1'), '2001:db8:0:0:0:0:0:8', '127.0.0.2'],
      [version2(), '127.0.0.2', '127.0.0.2'],
    ] as const) {
      const client = await balanced(header, from)
      assert.equal(await addressOf(client), address)
      await client.close()
    }
  })

  test('rights that depend on the address use the one in the header', async () => {
    const inside = await balanced('PROXY TCP4 203.0.113.7 10.0.0.1 50000 143\r\n')
    assert.match(inside.greeting, /XIMAPPROXY/)
    assert.equal((await inside.command('XPROXY_DUMPICC')).status, 'OK')
    const outside = await balanced('PROXY TCP4 198.51.100.7 10.0.0.1 50000 143\r\n')
    assert.doesNotMatch(outside.greeting, /XIMAPPROXY/)
    assert.equal((await outside.command('XPROXY_DUMPICC')).status, 'BAD')
    await Promise.all([inside.close(), outside.close()])
  })

  test('a header from another address is refused as a command, and changes nothing', async () => {
    const claimed = 'PROXY TCP4 203.0.113.7 10.0.0.1 50000 143\r\n'
    for (const port of [trusting, edge.edge.imapPort]) {
      const client = await edge.client({ port, localAddress: '127.0.0.3', preamble: claimed })
      assert.doesNotMatch(client.greeting, /XIMAPPROXY/)
      const { status, text } = await client.reply('PROXY')
      assert.equal(status, 'BAD', text)
      assert.equal(await addressOf(client), '127.0.0.3')
      await client.close()
    }
  })

  test('a trusted load balancer that sends no header, or an invalid one, is refused before the greeting', async () => {
    for (const wrong of [
      'a1 NOOP\r\n',
      'PROXY TCP4 nobody 10.0.0.1 1 1\r\n',
      `${'PROXY TCP4 '.padEnd(200, 'x')}\r\n`,
    ]) {
      const refused = async () =>
        (await edge.stats()).counters['client_refusals_total{reason="proxy-header"}'] ?? 0
      const earlier = await refused()
      await assert.rejects(balanced(wrong), /closed after ""/)
      assert.equal(await refused(), earlier + 1)
    }
  })

  test('with a PROXY header, the server learns the address of each client', async () => {
    const from = 'PROXY TCP4 203.0.113.9 10.0.0.1 50000 143\r\n'
    for (const domain of ['v1', 'v2']) {
      const client = await balanced(from)
      assert.equal((await client.command(`LOGIN alice@${domain} secret`)).status, 'OK')
      assert.equal((await client.command('SELECT INBOX')).status, 'OK')
      await client.command('LOGOUT')
    }
    assert.match(
      first.headers[0]?.toString('latin1') ?? '',
      new RegExp(`^PROXY TCP4 203\\.0\\.113\\.9 127\\.0\\.0\\.1 \\d+ ${first.port}\r\n$`),
    )
    const read = readVersion2(second.headers[0] ?? Buffer.alloc(28))
    assert.deepEqual(read, { length: 28, command: 0x21, source: '203.0.113.9', destination: '127.0.0.1' })
  })

  test('with ID, the server learns the address before the ID of the client, and not the one that the client claims', async () => {
    const client = await balanced('PROXY TCP4 203.0.113.10 10.0.0.1 50000 143\r\n')
    await client.command('ID ("name" "webmail" "x-originating-ip" "192.0.2.1")')
    assert.equal((await client.command('LOGIN alice@id secret')).status, 'OK')
    await client.command('NOOP')
    const connection = stub.connections.find(({ user }) => user === 'alice@id')
    const told = connection?.commands.filter(({ name }) => name === 'ID').map(({ args }) => args[0])
    assert.deepEqual(told, ['(x-originating-ip 203.0.113.10)', '(name webmail)'])
    await client.command('LOGOUT')
  })
})
