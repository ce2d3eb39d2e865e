/**
 * What reaches the other side unchanged, on real Dovecot: the client's ID commands before the login, with the address that
 * Dovecot then uses for the login, and what Dovecot says about itself.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Layer } from '@imapfleet/config'
import { LoneEdge } from '../support/lone-edge.ts'
import { MailServer } from '../support/mail-server.ts'
import { MailSocket } from '../support/mail-socket.ts'

const password = 'open sesame'
const names = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace']
const users = names.map((name) => ({ user: `${name}x`, password, mailbox: 'small' as const }))
/** Dovecot takes the address of the user only from these. */
const settings = 'login_trusted_networks = 127.0.0.0/8\nimap_id_send = name * version 9.8.7\n'
const browser = '203.0.113.77'

suite('ID on Dovecot', () => {
  let server: MailServer
  before(async () => (server = await MailServer.start(users, async () => settings)))
  after(() => server?.stop())

  async function withEdge(config: Layer, run: (edge: LoneEdge) => Promise<void>): Promise<void> {
    const edge = await LoneEdge.start(server.port, config)
    try {
      await run(edge)
    } finally {
      await edge.stop()
    }
  }

  /** A session whose client sends these IDs before its login. */
  async function session(edge: LoneEdge, user: string, ids: string[], secret = password): Promise<string> {
    const client = await edge.client()
    for (const id of ids) await client.command(`ID ${id}`)
    const { status } = await client.command(`LOGIN ${user} "${secret}"`)
    if (status === 'OK') await client.command('LOGOUT')
    await client.close()
    return status
  }

  const rip = (address: string) => new RegExp(`rip=${address.replaceAll('.', '\\.')},`)

  test('the address that a webmail names before the login is in the login log, as without the edge', async () => {
    const direct = await MailSocket.greeted({ port: server.port })
    await direct.command(`ID ("x-originating-ip" "${browser}")`)
    await direct.command(`LOGIN alicex "${password}"`)
    await direct.close()
    assert.equal(await server.logins('alicex', rip(browser)), 1)
    await withEdge({}, async (edge) => {
      assert.equal(
        await session(edge, 'bobx', [`("x-originating-ip" "${browser}")`, '("name" "webmail")']),
        'OK',
      )
      assert.equal(await server.logins('bobx', rip(browser)), 1)
      // On the warm connection the login is the old one.
      await edge.settled(1)
      assert.equal(await session(edge, 'bobx', ['("x-originating-ip" "203.0.113.78")']), 'OK')
      assert.equal(await server.logins('bobx'), 1)
    })
  })

  test('a wrong password is counted under the address of the user', async () => {
    await withEdge({}, async (edge) => {
      assert.equal(await session(edge, 'carolx', [`("x-originating-ip" "${browser}")`], 'wrong'), 'NO')
      await server.logged(/auth: .*carolx,203\.0\.113\.77/)
    })
  })

  test('with clientAddress: id Dovecot logs the address of the client, whatever its own ID says', async () => {
    await withEdge({ upstreams: { main: { clientAddress: 'id' } } }, async (edge) => {
      const client = await edge.client({ localAddress: '127.0.0.77' })
      await client.command(`ID ("x-originating-ip" "${browser}")`)
      assert.equal((await client.command(`LOGIN davex "${password}"`)).status, 'OK')
      await client.close()
      assert.equal(await server.logins('davex', rip('127.0.0.77')), 1)
    })
  })

  test('with clientAddress: id a PROXY header names the client, and a trusted webmail its user', async () => {
    const layer: Layer = {
      upstreams: { main: { clientAddress: 'id' } },
      listeners: { imap: { proxyProtocolFrom: ['127.0.0.1'], originatingIpFrom: ['127.0.0.78'] } },
    }
    await withEdge(layer, async (edge) => {
      const preamble = `PROXY TCP4 ${browser} 127.0.0.1 4000 143\r\n`
      const proxied = await edge.client({ preamble })
      assert.equal((await proxied.command(`LOGIN erinx "${password}"`)).status, 'OK')
      await proxied.close()
      assert.equal(await server.logins('erinx', rip(browser)), 1)
      const webmail = await edge.client({ localAddress: '127.0.0.78' })
      // Dovecot uses only the first ID of a connection, so the edge puts the address there.
      await webmail.command('ID ("name" "webmail")')
      await webmail.command(`ID ("x-originating-ip" "${browser}")`)
      assert.equal((await webmail.command(`LOGIN frankx "${password}"`)).status, 'OK')
      await webmail.close()
      assert.equal(await server.logins('frankx', rip(browser)), 1)
    })
  })

  test('ID is answered with what Dovecot says, before and after login, on new and on warm connections', async () => {
    const direct = await MailSocket.greeted({ port: server.port })
    const expected = (await direct.command('ID NIL')).untagged
    assert.match(expected.join(), /"Dovecot".*"9\.8\.7"/)
    await direct.close()
    await withEdge({}, async (edge) => {
      for (let round = 0; round < 3; round++) {
        const client = await edge.client()
        assert.deepEqual((await client.command('ID ("name" "webmail")')).untagged, expected)
        assert.equal((await client.command(`LOGIN gracex "${password}"`)).status, 'OK')
        for (const id of ['("name" "webmail")', 'NIL'])
          assert.deepEqual((await client.command(`ID ${id}`)).untagged, expected)
        await client.command('LOGOUT')
        await client.close()
        await edge.settled(1)
      }
      assert.equal(await server.logins('gracex'), 1)
    })
  })
})
