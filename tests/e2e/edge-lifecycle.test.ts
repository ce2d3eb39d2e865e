/** The life of an edge as a process: without its server, reloaded, drained, with wrong files; its limits and routes. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, suite, test, type TestContext } from 'node:test'
import type { Layer } from '@imapfleet/config'
import { freePort, node } from '@imapfleet/local'
import { runCommand } from '../support/command.ts'
import { listenerOn, LoneEdge, removeGround, scratchGround } from '../support/lone-edge.ts'
import type { MailSocket } from '../support/mail-socket.ts'
import { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

const users = ['alice', 'bob', 'carol']

async function listeningStub(names = users): Promise<StubImapd> {
  const stub = new StubImapd(await freePort())
  for (const name of names) stub.account(name, 'secret')
  await stub.listen()
  return stub
}

/** An edge of one test, gone with it. */
async function edgeFor(t: TestContext, upstreamPort: number, config: Layer = {}): Promise<LoneEdge> {
  const edge = await LoneEdge.start(upstreamPort, config)
  t.after(() => edge.stop())
  return edge
}

async function entered(edge: LoneEdge, user = 'alice'): Promise<MailSocket> {
  const client = await edge.client()
  const { status, text } = await client.command(`LOGIN ${user} secret`)
  assert.equal(status, 'OK', text)
  return client
}

const isServed = async (client: MailSocket) =>
  (await client.command('STATUS INBOX (MESSAGES)')).untagged.join().includes('MESSAGES 3')

const edgeCommand = (...args: string[]) => runCommand(node, ['apps/edge-proxy/src/main.ts', ...args])

suite('the life of an edge', () => {
  let stub: StubImapd
  before(async () => (stub = await listeningStub()))
  afterEach(() => stub.reset())
  after(async () => {
    await stub?.close()
    assert.deepEqual(stub.faults, [])
  })

  test('it starts while its server is down, says so, refuses logins for now, and finds the server when it comes', async (t) => {
    const later = new StubImapd(await freePort())
    later.account('alice', 'secret')
    const main = { healthIntervalMs: 1000, connectAttempts: 1, breakerCooldownMs: 100 }
    const edge = await edgeFor(t, later.port, { upstreams: { main } })
    t.after(() => later.close())
    const healthy = async () => (await edge.stats()).gauges['upstream_healthy{upstream="main"}']

    assert.match(await edge.logged(/upstream_down/), /upstream=main detail=.*ECONNREFUSED/)
    assert.equal(await healthy(), 0)
    assert.equal((await fetch(`${edge.httpUrl}/readyz`)).status, 200)
    const client = await edge.client()
    const refused = await client.command('LOGIN alice secret')
    assert.equal(refused.status, 'NO')
    assert.match(refused.text, /^\[UNAVAILABLE\] /)

    await later.listen()
    await edge.logged(/upstream_up/)
    assert.equal(await healthy(), 1)
    assert.equal((await client.command('LOGIN alice secret')).status, 'OK')
    await client.command('LOGOUT')
  })

  test('SIGTERM lets a session end by itself, says BYE to who has none yet, and exits with 0', async () => {
    const edge = await LoneEdge.start(stub.port, { process: { drainTimeoutMs: 60_000 } })
    const session = await entered(edge)
    const newcomer = await edge.client()
    edge.edge.process.send('SIGTERM')
    assert.match(await newcomer.rest(), /^\* BYE /)
    await assert.rejects(edge.client(), /ECONNREFUSED|closed/)
    assert.equal((await fetch(`${edge.httpUrl}/readyz`)).status, 503)
    assert.equal((await fetch(`${edge.httpUrl}/healthz`)).status, 200)
    assert.ok(await isServed(session))
    assert.equal((await session.command('LOGOUT')).status, 'OK')
    assert.deepEqual(await edge.edge.process.exited(), { code: 0, signal: null })
    await edge.stop()
  })

  test('a session that outlasts the drain is ended with a reason, and the exit status is 0 all the same', async () => {
    const edge = await LoneEdge.start(stub.port, { process: { drainTimeoutMs: 0 } })
    const session = await entered(edge)
    edge.edge.process.send('SIGTERM')
    assert.match(await session.rest(), /^\* BYE Server is stopping/)
    assert.deepEqual(await edge.edge.process.exited(), { code: 0, signal: null })
    await edge.stop()
  })

  test('a reload takes effect at once and ends no session', async (t) => {
    const edge = await edgeFor(t, stub.port)
    const session = await entered(edge)
    const early = await edge.client()
    assert.doesNotMatch(early.greeting, /XIMAPPROXY/)
    await edge.reload({ admin: { commands: true }, clients: { loginFailuresMax: 1 } })
    const late = await edge.client()
    assert.match(late.greeting, /XIMAPPROXY/)
    assert.equal((await late.command('LOGIN alice wrong')).status, 'NO')
    assert.match(await late.rest(), /^\* BYE Too many failed logins/)
    assert.ok(await isServed(session))
    await session.command('LOGOUT')
    await early.close()
  })

  test('a reload with mistakes tells every one with its line, and changes nothing', async (t) => {
    const edge = await edgeFor(t, stub.port, { admin: { commands: true } })
    const session = await entered(edge)
    const wrong = [
      'listeners:',
      '  imap: { address: nowhere, port: 143 }',
      'pool:',
      '  idleTimeoutMs: 5',
      '  usesMux: 7',
      'upstreams:',
      '  main:',
      '    port: 70000',
    ].join('\n')
    const said = await edge.reloadText(wrong, /reload_refused .*70000/)
    for (const [line, words] of [
      [2, /listeners\.imap\.address/],
      [4, /pool\.idleTimeoutMs must be at least 1000, not 5/],
      [5, /pool\.usesMux .*did you mean usesMax/],
      [8, /upstreams\.main\.port must be at most 65535, not 70000/],
    ] as const) {
      const told = said.split('\n').find((each) => words.test(each)) ?? ''
      assert.match(told, /error reload_refused /)
      assert.ok(told.includes(`edge.yaml:${line}:`), `${words} is on line ${line}: ${told}`)
    }
    assert.doesNotMatch(said, /info reloaded/)
    const client = await edge.client()
    assert.match(client.greeting, /XIMAPPROXY/)
    assert.ok(await isServed(session))
    await session.command('LOGOUT')
    await client.close()
  })

  test('a start with mistakes tells every one with its line, in either format, and exits with 2', async (t) => {
    const ground = await scratchGround()
    t.after(() => removeGround(ground))
    const yaml = join(ground.directory, 'edge.yaml')
    await writeFile(yaml, 'http:\n  port: x\nlog:\n  level: loud\nclients: { lineBytesMax: 1 }\nnothing: 1\n')
    const conf = join(ground.directory, 'imapproxy.conf')
    await writeFile(
      conf,
      'server_hostname localhost\nlisten_port 99999\nserver_prot 143\nforce_tls perhaps\n',
    )
    for (const [file, places] of [
      [
        yaml,
        [/yaml:2: http\.port/, /yaml:4: log\.level/, /yaml:5: clients\.lineBytesMax/, /yaml:6: nothing/],
      ],
      [conf, [/conf:2: listen_port/, /conf:3: server_prot .*did you mean server_port/, /conf:4: force_tls/]],
    ] as const) {
      const { status, stdout, stderr } = await edgeCommand('--config', file)
      assert.deepEqual([status, stdout], [2, ''], stderr)
      for (const place of places) assert.match(stderr, place)
      const lines = stderr.trimEnd().split('\n')
      assert.equal(lines.length, places.length, stderr)
      for (const line of lines) assert.match(line, /^imapfleet-edge: /)
    }
  })
})

suite('limits and routes', () => {
  let stub: StubImapd
  before(async () => (stub = await listeningStub()))
  afterEach(() => stub.reset())
  after(async () => {
    await stub?.close()
    assert.deepEqual(stub.faults, [])
  })

  test('logins wait for a connection in a queue of bounded length and time, and are served in turn', async (t) => {
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

  test('one user has no more connections than he may, and others are not kept from theirs', async (t) => {
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

  test('clients beyond the limit, in all or from one address, are told BYE and why', async (t) => {
    const edge = await edgeFor(t, stub.port, { clients: { connectionsMax: 3, connectionsPerAddressMax: 2 } })
    const inside = [await edge.client(), await edge.client()]
    const third = await edge.client()
    assert.match(third.greeting, /^\* BYE Too many connections/)
    inside.push(await edge.client({ localAddress: '127.0.0.2' }))
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

  test('users go to the server of their domain, clients to that of their listener, others to the first', async (t) => {
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

  test('with a master user the whole shared secret lets in as anybody, and no part of it, warm or cold', async (t) => {
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

  test('XOAUTH2 and OAUTHBEARER reach the server as they are, and its refusal reaches the client', async (t) => {
    stub.account('oscar', 'ya29.token')
    const edge = await edgeFor(t, stub.port)
    const messageOf = {
      XOAUTH2: (token: string) => `user=oscar\x01auth=Bearer ${token}\x01\x01`,
      OAUTHBEARER: (token: string) =>
        `n,a=oscar,\x01host=localhost\x01port=143\x01auth=Bearer ${token}\x01\x01`,
    }
    for (const [mechanism, print] of Object.entries(messageOf)) {
      const [right, wrong] = ['ya29.token', 'ya29.other'].map((token) =>
        Buffer.from(print(token), 'latin1').toString('base64'),
      )
      const client = await edge.client()
      const refused = await client.command(`AUTHENTICATE ${mechanism} ${wrong}`)
      assert.deepEqual([refused.status, refused.text.split(' ')[0]], ['NO', '[AUTHENTICATIONFAILED]'])
      client.send(`later AUTHENTICATE ${mechanism}\r\n`)
      assert.equal(await client.line(), '+ ')
      client.send(`${right}\r\n`)
      assert.equal((await client.reply('later')).status, 'OK')
      assert.ok(await isServed(client))
      await client.command('LOGOUT')
      const own = stub.connections.filter(
        ({ user, commands }) => user === 'oscar' && commands.some(({ args }) => args[0] === mechanism),
      )
      assert.equal(own.length, 1, mechanism)
      assert.deepEqual(own[0]?.commands.find(({ name }) => name === 'AUTHENTICATE')?.args, [mechanism, right])
      await edge.settled(mechanism === 'XOAUTH2' ? 1 : 2)
      const again = await edge.client()
      const reply = await again.command(`AUTHENTICATE ${mechanism} ${right}`)
      assert.match(reply.untagged.join('\n'), /XPROXYREUSE/)
      await again.command('LOGOUT')
    }
    assert.doesNotMatch(await edge.log(), /ya29/)
  })
})
