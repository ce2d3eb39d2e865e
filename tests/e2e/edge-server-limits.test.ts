/** Limits of the server: its idle connections lock out no user, whatever the server counts and however it refuses. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Layer } from '@imapfleet/config'
import { LoneEdge } from '../support/lone-edge.ts'
import { MailServer } from '../support/mail-server.ts'
import type { MailSocket } from '../support/mail-socket.ts'
import { edgeFor, listeningStub } from '../support/stub-edge.ts'
import type { StubImapd } from '../support/stub-imapd.ts'

const password = 'quite secret'

suite("Dovecot's limit on the connections of one user", () => {
  let mail: MailServer
  before(async () => {
    const users = ['joe', 'jane', 'jim', 'jack', 'jill'].map((user) => ({
      user,
      password,
      mailbox: 'small' as const,
    }))
    mail = await MailServer.start(users, async () => 'mail_max_userip_connections = 3\n')
  })
  after(() => mail?.stop())

  const enter = async (edge: LoneEdge, user: string, secret = password): Promise<MailSocket> => {
    const client = await edge.client()
    const { status, text } = await client.command(`LOGIN ${user} "${secret}"`)
    assert.equal(status, 'OK', text)
    return client
  }
  const leave = (clients: MailSocket[]) => Promise.all(clients.map((client) => client.command('LOGOUT')))

  test('sessions that enabled an extension and ended do not lock out their user', async (t) => {
    const edge = await edgeFor(t, mail.port, { upstreams: { main: { connectionsPerUserMax: 0 } } })
    const sessions = [await enter(edge, 'joe'), await enter(edge, 'joe'), await enter(edge, 'joe')]
    for (const session of sessions) assert.equal((await session.command('ENABLE CONDSTORE')).status, 'OK')
    await leave(sessions)
    await edge.settled(3)
    const next = [await enter(edge, 'joe'), await enter(edge, 'joe'), await enter(edge, 'joe')]
    // The limit is reached by sessions that are open: the server's own words.
    const client = await edge.client()
    const { status, text } = await client.command(`LOGIN joe "${password}"`)
    assert.equal(status, 'NO')
    assert.match(text, /^\[LIMIT\] Maximum number of connections from user\+IP exceeded/)
    await client.close()
    await leave(next)
    assert.match(await edge.log(), /limit_learned .*connections=3/)
    const { gauges, counters } = await edge.stats()
    assert.equal(gauges['upstream_connections_allowed{upstream="main",scope="user"}'], 3)
    // One was refused at the end. The limit was learned from the first refusal of the others.
    assert.equal(counters['upstream_full_total{upstream="main",reason="user-limit"}'], 2)
  })

  test('after a change of the password, connections of the old one do not lock the user out', async (t) => {
    for (const [user, main] of [
      ['jane', { connectionsPerUserMax: 0 }],
      ['jim', { connectionsPerUserMax: 3 }],
      ['jack', { connectionsPerUserMax: 3, connectionsPerUserSpareMax: 0 }],
    ] as const) {
      const edge = await edgeFor(t, mail.port, { upstreams: { main } })
      const sessions = [await enter(edge, user), await enter(edge, user), await enter(edge, user)]
      await leave(sessions)
      await edge.settled(3)
      await mail.changePassword(user, `${password} 2`)
      const session = await enter(edge, user, `${password} 2`)
      assert.match((await session.command('SELECT INBOX')).text, /READ-WRITE/)
      await leave([session])
    }
  })

  test('pages that enable an extension, one after the other and three at once, are never refused', async (t) => {
    const edge = await edgeFor(t, mail.port, { upstreams: { main: { connectionsPerUserMax: 3 } } })
    const page = async () => {
      const session = await enter(edge, 'jill')
      await session.command('ENABLE QRESYNC')
      await session.command('LOGOUT')
    }
    for (let round = 0; round < 10; round++) await Promise.all([page(), page(), page()])
    for (let count = 0; count < 10; count++) await page()
    const { counters } = await edge.stats()
    assert.equal(counters['upstream_full_total{upstream="main",reason="user-limit"}'], undefined)
  })
})

suite('a server with a limit of 10 connections of one user', () => {
  let stub: StubImapd
  before(async () => (stub = await listeningStub()))
  after(async () => {
    await stub?.close()
    assert.deepEqual(stub.faults, [])
  })

  const limits: Record<string, Layer> = {
    'by default': {},
    'without a limit here': { connectionsPerUserMax: 0 },
    'with the same limit here': { connectionsPerUserMax: 10 },
    'with the same limit here, and no spare ones': { connectionsPerUserMax: 10, connectionsSpareMax: 0 },
  }
  for (const [how, main] of Object.entries(limits))
    test(`${how}: 40 logins and, after a change of the password, 40 more, at most 8 sessions at a time, each enables QRESYNC: none is refused`, async (t) => {
      const words = '[LIMIT] Maximum number of connections from user+IP exceeded'
      stub.refuse((name) => {
        const present = stub.connections.filter(({ open, user }) => open && user === name).length
        return present >= 10 ? `NO ${words}` : undefined
      })
      const edge = await edgeFor(t, stub.port, { upstreams: { main } })
      const refused: string[] = []
      const sessions = async (secret: string, count: number) => {
        for (let left = count; left > 0; left--) {
          const client = await edge.client()
          const { status, text } = await client.command(`LOGIN alice "${secret}"`)
          if (status === 'OK') {
            await client.command('ENABLE QRESYNC')
            await client.command('SELECT INBOX')
            await client.command('LOGOUT')
          } else refused.push(text)
          await client.close()
        }
      }
      for (const secret of ['secret', 'changed']) {
        stub.account('alice', secret)
        await Promise.all(Array.from({ length: 8 }, () => sessions(secret, 5)))
      }
      stub.account('alice', 'secret')
      stub.reset()
      assert.deepEqual(refused, [])
      if (how === 'by default') {
        const { counters } = await edge.stats()
        assert.equal(counters['upstream_full_total{upstream="main",reason="user-limit"}'], undefined)
      }
    })
})
