/** Which clients get a connection to which server: queues, limits, routes, the shared secret and tokens. */
import assert from 'node:assert/strict'
import { after, afterEach, before, suite, test } from 'node:test'
import { removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { Authority } from '../support/certs.ts'
import { MailSocket } from '../support/mail-socket.ts'
import { listenerOn } from '../support/lone-edge.ts'
import { edgeFor, entered, isServed, listeningStub } from '../support/stub-edge.ts'
import type { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

suite('limits and routes', () => {
  let stub: StubImapd
  before(async () => (stub = await listeningStub()))
  afterEach(() => stub.reset())
  after(async () => {
    await stub?.close()
    assert.deepEqual(stub.faults, [])
  })

  test('logins wait for a connection in a queue that is limited in length and time, and are served in order', async (t) => {
    const main = { connectionsMax: 1, queueMax: 1, queueTimeoutMs: 60_000 }
    const edge = await edgeFor(t, stub.port, { upstreams: { main } })
    const waiting = (count: number) =>
      until(`${count} waiting`, async () => (await edge.stats()).gauges['leases_waiting'] === count)
    const alice = await entered(edge)
    const [bob, carol] = [await edge.client(), await edge.client()]
    const bobsLogin = bob.command('LOGIN bob secret')
    await waiting(1)
    const full = await carol.command('LOGIN carol secret')
    assert.equal(full.status, 'NO')
    assert.match(full.text, /^\[LIMIT\] /)
    await alice.command('LOGOUT')
    assert.equal((await bobsLogin).status, 'OK')
    assert.ok(await isServed(bob))

    await edge.reload({ upstreams: { main: { queueTimeoutMs: 50 } } })
    const late = await carol.command('LOGIN carol secret')
    assert.equal(late.status, 'NO')
    assert.match(late.text, /^\[LIMIT\] No connection became free in time/)
    await waiting(0)
    await bob.command('LOGOUT')
    await carol.close()
  })

  test('a client that leaves while its login waits leaves the queue at once, and frees its place there', async (t) => {
    const main = { connectionsMax: 1, queueMax: 1, queueTimeoutMs: 60_000 }
    const edge = await edgeFor(t, stub.port, { upstreams: { main } })
    const waiting = (count: number) =>
      until(`${count} waiting`, async () => (await edge.stats()).gauges['leases_waiting'] === count)
    const alice = await entered(edge)
    const bob = await edge.client()
    bob.send('b LOGIN bob secret\r\n')
    await waiting(1)
    await bob.close()
    await waiting(0)
    const carol = await edge.client()
    const carolsLogin = carol.command('LOGIN carol secret')
    await waiting(1)
    await alice.command('LOGOUT')
    assert.equal((await carolsLogin).status, 'OK')
    await carol.command('LOGOUT')
  })

  test('the connections of one user are limited, and other users get theirs', async (t) => {
    const main = { connectionsPerUserMax: 1, queueTimeoutMs: 0 }
    const edge = await edgeFor(t, stub.port, { upstreams: { main } })
    const first = await entered(edge)
    const second = await edge.client()
    const refused = await second.command('LOGIN alice secret')
    assert.match(refused.text, /^\[LIMIT\] Too many connections of this user/)
    const bob = await entered(edge, 'bob')
    await Promise.all([first, bob].map((client) => client.command('LOGOUT')))
    await second.close()
  })

  test('clients over the limit, in total or from one address, get BYE and the reason', async (t) => {
    const edge = await edgeFor(t, stub.port, { clients: { connectionsMax: 3, connectionsPerAddressMax: 2 } })
    const inside = [await entered(edge), await entered(edge)]
    const third = await edge.client()
    assert.match(third.greeting, /^\* BYE Too many connections/)
    inside.push(await edge.client({ localAddress: '127.0.0.2' }))
    assert.equal((await inside[2]!.command('LOGIN bob secret')).status, 'OK')
    const fourth = await edge.client({ localAddress: '127.0.0.3' })
    assert.match(fourth.greeting, /^\* BYE Too many connections/)
    const { counters } = await edge.stats()
    assert.equal(counters['client_refusals_total{reason="too-many-from-address"}'], 1)
    assert.equal(counters['client_refusals_total{reason="too-many-clients"}'], 1)
    await Promise.all(inside.map((client) => client.close()))
    await until('a place that is free again', async () => {
      const client = await edge.client()
      await client.close()
      return client.greeting.startsWith('* OK ')
    })
  })

  test('silent connections to a TLS port, from one address or many, keep no other client out', async (t) => {
    const directory = temporaryDirectory('certs')
    t.after(() => removeTemporaryDirectory(directory))
    const authority = await Authority.make(directory)
    const certificate = await authority.issue('localhost', 'DNS:localhost')
    const { port, listener } = await listenerOn({ tls: 'implicit', ...certificate })
    const edge = await edgeFor(t, stub.port, {
      listeners: { imaps: listener },
      clients: { connectionsMax: 40, connectionsPerAddressMax: 10 },
    })
    const silent: MailSocket[] = []
    t.after(() => Promise.all(silent.map((client) => client.close())))
    const connected = async () => (await edge.stats()).gauges['clients_connected']
    const flood = async (localAddress: string) => {
      for (let count = 0; count < 100; count++) silent.push(await MailSocket.open({ port, localAddress }))
    }
    await flood('127.0.0.2')
    await until('ten of them', async () => (await connected()) === 10)
    const other = await edge.client({ localAddress: '127.0.0.3' })
    assert.equal((await other.command('LOGIN alice secret')).status, 'OK')

    for (let host = 10; host < 20; host++) await flood(`127.0.0.${host}`)
    await until('all places taken', async () => (await connected()) === 40)
    assert.ok(await isServed(other))
    const late = await edge.client({ localAddress: '127.0.0.4' })
    assert.equal((await late.command('LOGIN bob secret')).status, 'OK')
    assert.equal(await connected(), 40)
    await Promise.all([other, late].map((client) => client.command('LOGOUT')))
  })

  test('users are routed by their domain, clients by their listener, and others to the first server', async (t) => {
    const elsewhere = await listeningStub(['dora@branch.example', 'alice'])
    t.after(() => elsewhere.close())
    const { port, listener } = await listenerOn({})
    const edge = await edgeFor(t, stub.port, {
      listeners: { branch: listener },
      upstreams: { branch: { hosts: ['127.0.0.1'], port: elsewhere.port, healthIntervalMs: 0 } },
      routes: [
        { upstream: 'branch', domain: 'branch.example' },
        { upstream: 'branch', listener: 'branch' },
      ],
    })
    const enter = async (user: string, at?: number) => {
      const client = await edge.client(at === undefined ? {} : { port: at })
      assert.equal((await client.command(`LOGIN ${user} secret`)).status, 'OK')
      await client.command('LOGOUT')
    }
    const seen = (at: StubImapd) => at.connections.map(({ user }) => user)
    const main = seen(stub).length
    await enter('dora@branch.example')
    await enter('alice', port)
    assert.deepEqual([seen(elsewhere), seen(stub).length], [['dora@branch.example', 'alice'], main])
    await enter('alice')
    assert.deepEqual([seen(elsewhere).length, seen(stub).slice(main)], [2, ['alice']])
  })

  test('with a master user, the complete shared secret logs in any user, and no part of it does, also on reuse', async (t) => {
    stub.account('admin', 'master password')
    const main = { masterUser: 'admin', masterPassword: 'master password', sharedSecret: 'one for all' }
    const edge = await edgeFor(t, stub.port, { upstreams: { main } })
    const from = stub.connections.length
    const attempt = async (secret: string) => {
      const client = await edge.client()
      const { status, text } = await client.command(`LOGIN alice "${secret}"`)
      if (status === 'OK') await client.command('LOGOUT')
      await client.close()
      return status === 'NO' ? text.split(' ')[0] : status
    }
    const wrong = ['one for al', 'o', '', 'one for all!', 'secret', 'master password']
    const refused = wrong.map(() => '[AUTHENTICATIONFAILED]')
    const attempts = async () => {
      const answers: (string | undefined)[] = []
      for (const secret of wrong) answers.push(await attempt(secret))
      return answers
    }
    assert.deepEqual(await attempts(), refused)
    assert.equal(stub.connections.length, from)
    assert.equal(await attempt('one for all'), 'OK')
    await edge.settled(1)
    assert.deepEqual(await attempts(), refused)
    const [own] = stub.connections.slice(from)
    assert.equal(own?.user, 'alice')
    const [login] = own.commands.filter(({ name }) => name === 'AUTHENTICATE')
    assert.equal(Buffer.from(login?.args[1] ?? '', 'base64').toString(), 'alice\0admin\0master password')
    assert.doesNotMatch(await edge.log(), /one for all|master password/)
  })

  test('XOAUTH2 and OAUTHBEARER reach the server unchanged, and its refusal reaches the client', async (t) => {
    for (const user of ['oscar', 'olga']) stub.account(user, 'ya29.token')
    const edge = await edgeFor(t, stub.port)
    const reasons = Buffer.from('{"status":"401","schemes":"bearer"}').toString('base64')
    const messageOf = {
      XOAUTH2: (user: string, token: string) => `user=${user}\x01auth=Bearer ${token}\x01\x01`,
      OAUTHBEARER: (user: string, token: string) =>
        `n,a=${user},\x01host=localhost\x01port=143\x01auth=Bearer ${token}\x01\x01`,
    }
    const encoded = (mechanism: keyof typeof messageOf, user: string, token: string) =>
      Buffer.from(messageOf[mechanism](user, token), 'latin1').toString('base64')
    for (const [mechanism, user, other] of [
      ['XOAUTH2', 'oscar', 'OAUTHBEARER'],
      ['OAUTHBEARER', 'olga', 'XOAUTH2'],
    ] as const) {
      const right = encoded(mechanism, user, 'ya29.token')
      const wrong = encoded(mechanism, user, 'ya29.other')
      const client = await edge.client()
      // RFC 7628 3.2.3: the server sends its reasons first, and the client acknowledges them.
      client.send(`first AUTHENTICATE ${mechanism} ${wrong}\r\n`)
      assert.equal(await client.line(), `+ ${reasons}`)
      client.send(mechanism === 'XOAUTH2' ? '\r\n' : 'AQ==\r\n')
      const refused = await client.reply('first')
      assert.deepEqual([refused.status, refused.text.split(' ')[0]], ['NO', '[AUTHENTICATIONFAILED]'])
      client.send(`later AUTHENTICATE ${mechanism}\r\n`)
      assert.equal(await client.line(), '+ ')
      client.send(`${right}\r\n`)
      assert.equal((await client.reply('later')).status, 'OK')
      assert.ok(await isServed(client))
      await client.command('LOGOUT')
      const own = stub.connections.filter(
        (each) => each.user === user && each.commands.some(({ args }) => args[0] === mechanism),
      )
      assert.equal(own.length, 1, mechanism)
      assert.deepEqual(own[0]?.commands.find(({ name }) => name === 'AUTHENTICATE')?.args, [mechanism, right])
      await edge.settled(mechanism === 'XOAUTH2' ? 1 : 2)
      // The same token in another message is the same secret.
      for (const again of [`${mechanism} ${right}`, `${other} ${encoded(other, user, 'ya29.token')}`]) {
        const later = await edge.client()
        const reply = await later.command(`AUTHENTICATE ${again}`)
        assert.match(reply.untagged.join('\n'), /XPROXYREUSE/)
        await later.command('LOGOUT')
        await edge.settled(mechanism === 'XOAUTH2' ? 1 : 2)
      }
    }
    assert.doesNotMatch(await edge.log(), /ya29/)
  })
})
