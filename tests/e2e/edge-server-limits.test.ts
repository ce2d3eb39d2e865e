/** Limits of the server: its idle connections lock out no user, whatever the server counts and however it refuses. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { LoneEdge } from '../support/lone-edge.ts'
import { MailServer } from '../support/mail-server.ts'
import type { MailSocket } from '../support/mail-socket.ts'
import { edgeFor } from '../support/stub-edge.ts'

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
    assert.ok(counters['upstream_full_total{upstream="main",reason="user-limit"}']! <= 3)
  })
})
