/** TLS on both sides of the edge: which certificates are accepted, what is refused, and certificates that change during sessions. */
import assert from 'node:assert/strict'
import { copyFile, writeFile } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'
import { freePort, removeTemporaryDirectory, type Ground } from '@imapfleet/local'
import { Authority, type Certificate } from '../support/certs.ts'
import { listenerOn, LoneEdge, temporaryGround } from '../support/lone-edge.ts'
import { MailServer } from '../support/mail-server.ts'
import { StubImapd } from '../support/stub-imapd.ts'
import { TlsFront } from '../support/tls-front.ts'

const login = 'LOGIN alice secret'

suite('TLS to clients', () => {
  let ground: Ground
  let authority: Authority
  let shown: Certificate
  let stub: StubImapd
  let edge: LoneEdge
  let ports: { imaps: number; strict: number }
  let ca: string
  before(async () => {
    ground = temporaryGround()
    authority = await Authority.make(ground.directory)
    ca = await authority.ca
    shown = await authority.issue('first', 'DNS:localhost')
    stub = new StubImapd(await freePort())
    stub.account('alice', 'secret')
    await stub.listen()
    const imaps = await listenerOn({ tls: 'implicit', ...shown })
    const strict = await listenerOn({ tls: 'starttls', requireTls: true, ...shown })
    ports = { imaps: imaps.port, strict: strict.port }
    edge = await LoneEdge.start(stub.port, {
      listeners: { imap: { tls: 'starttls', ...shown }, imaps: imaps.listener, strict: strict.listener },
    })
  })
  after(async () => {
    await edge?.stop()
    await stub?.close()
    await removeTemporaryDirectory(ground.directory)
    assert.deepEqual(stub.faults, [])
  })

  const loginsSeen = () =>
    stub.connections.flatMap(({ commands }) => commands).filter(({ name }) => /LOGIN|AUTHENTICATE/.test(name))
      .length

  test('a client that connects with TLS is served', async () => {
    const client = await edge.client({ port: ports.imaps, tls: { ca } })
    assert.equal(client.tls.getPeerCertificate().subject.CN, 'first')
    assert.doesNotMatch(client.greeting, /STARTTLS|LOGINDISABLED/)
    assert.equal((await client.command(login)).status, 'OK')
    assert.match((await client.command('LIST "" *')).untagged.join('\n'), /INBOX/)
    await client.command('LOGOUT')
  })

  test('STARTTLS is offered once, and commands after it are served', async () => {
    const client = await edge.client()
    assert.match(client.greeting, / STARTTLS/)
    await client.startTls({ ca })
    assert.doesNotMatch((await client.command('CAPABILITY')).untagged.join('\n'), /STARTTLS/)
    assert.equal((await client.command('STARTTLS')).status, 'BAD')
    assert.equal((await client.command(login)).status, 'OK')
    await client.command('LOGOUT')
  })

  test('if TLS is required, no password is accepted before it', async () => {
    const client = await edge.client({ port: ports.strict })
    assert.match(client.greeting, / LOGINDISABLED/)
    assert.doesNotMatch(client.greeting, / AUTH=/)
    const seen = loginsSeen()
    const plain = Buffer.from('\0alice\0secret').toString('base64')
    for (const attempt of [login, `AUTHENTICATE PLAIN ${plain}`]) {
      const { status, text } = await client.command(attempt)
      assert.equal(status, 'NO', text)
      assert.match(text, /^\[PRIVACYREQUIRED\]/)
    }
    assert.equal(loginsSeen(), seen)
    await client.startTls({ ca })
    const { untagged } = await client.command('CAPABILITY')
    assert.match(untagged.join('\n'), / AUTH=PLAIN/)
    assert.doesNotMatch(untagged.join('\n'), /LOGINDISABLED/)
    assert.equal((await client.command(login)).status, 'OK')
    await client.command('LOGOUT')
  })

  test('plain text that follows STARTTLS is neither carried out nor answered', async () => {
    const client = await edge.client()
    await client.startTls({ ca }, 'forged ID ("name" "somebody in between")\r\nforged2 LOGIN alice wrong\r\n')
    const { status, untagged } = await client.command('NOOP')
    assert.deepEqual([status, untagged], ['OK', []])
    assert.equal((await client.command(login)).status, 'OK')
    await client.command('LOGOUT')
    const received = stub.connections.map((each) => each.received).join('')
    assert.doesNotMatch(received, /somebody in between|wrong/)
  })

  test('a reload shows the new certificate to new clients and ends no session', async () => {
    const early = await edge.client({ port: ports.imaps, tls: { ca } })
    const upgraded = await edge.client()
    await upgraded.startTls({ ca })
    for (const client of [early, upgraded]) assert.equal((await client.command(login)).status, 'OK')

    const next = await authority.issue('second', 'DNS:localhost')
    await copyFile(next.certFile, shown.certFile)
    await copyFile(next.keyFile, shown.keyFile)
    await edge.reload({})

    for (const client of [early, upgraded]) {
      assert.equal(client.tls.getPeerCertificate().subject.CN, 'first')
      assert.match((await client.command('STATUS INBOX (MESSAGES)')).untagged.join('\n'), /MESSAGES 3/)
    }
    const late = await edge.client({ port: ports.imaps, tls: { ca } })
    assert.equal(late.tls.getPeerCertificate().subject.CN, 'second')
    const lateUpgraded = await edge.client()
    await lateUpgraded.startTls({ ca })
    assert.equal(lateUpgraded.tls.getPeerCertificate().subject.CN, 'second')
    for (const client of [early, upgraded, late, lateUpgraded]) await client.command('LOGOUT')
  })

  test('a reload with a broken certificate reports it, and keeps the previous one', async () => {
    const good = await authority.issue('third', 'DNS:localhost')
    await copyFile(good.certFile, shown.certFile)
    await copyFile(good.keyFile, shown.keyFile)
    await edge.reload({})
    await writeFile(shown.certFile, 'not a certificate\n')
    const file = JSON.stringify({ listeners: { imap: { address: '127.0.0.1', tls: 'implicit', ...shown } } })
    const said = await edge.reloadText(file, /reload_refused/)
    assert.match(said, /error reload_refused .*cannot use .*\.pem/)
    const client = await edge.client({ port: ports.imaps, tls: { ca } })
    assert.equal(client.tls.getPeerCertificate().subject.CN, 'third')
    await client.command('LOGOUT')
  })
})

suite('TLS to servers', () => {
  let ground: Ground
  let stub: StubImapd
  let dovecot: MailServer
  let edge: LoneEdge
  const fronts: Record<string, TlsFront> = {}

  before(async () => {
    ground = temporaryGround()
    const authority = await Authority.make(ground.directory)
    const foreign = await Authority.make(ground.directory, 'Foreign authority')
    const ca = await authority.ca
    const [right, other, own] = await Promise.all([
      authority.issue('server', 'DNS:localhost'),
      authority.issue('other', 'DNS:other.example'),
      authority.issue('edge-of-the-fleet', 'DNS:edge.example'),
    ])
    const unknown = await foreign.issue('server', 'DNS:localhost')
    stub = new StubImapd(await freePort())
    await stub.listen()
    const front = async (name: string, certificate: Certificate, clientCa?: string) => {
      const made = new TlsFront(await freePort(), stub.port, certificate, clientCa)
      await made.listen()
      fronts[name] = made
      return { hosts: ['localhost'], port: made.port, tls: 'implicit', caFile: authority.caFile }
    }
    dovecot = await MailServer.start(
      ['starttls', 'opportunistic'].map((name) => ({
        user: `alice@${name}.example`,
        password: 'secret',
        mailbox: 'small' as const,
      })),
      async () => `ssl = yes\nssl_cert = <${right.certFile}\nssl_key = <${right.keyFile}\n`,
    )
    const named = await front('named', other)
    const strict = await front('certified', right, ca)
    const behindDovecot = { hosts: ['localhost'], port: dovecot.port, caFile: authority.caFile }
    const { caFile: _, ...withoutCa } = await front('unknown', unknown)
    const upstreams = {
      right: await front('right', right),
      'wrong-name': await front('wrong-name', other),
      named: { ...named, serverName: 'other.example' },
      unknown: withoutCa,
      unverified: { ...withoutCa, verify: false },
      certified: { ...strict, ...own },
      uncertified: strict,
      starttls: { ...behindDovecot, tls: 'starttls' },
      opportunistic: { ...behindDovecot, tls: 'opportunistic' },
      plaintext: { hosts: ['localhost'], port: stub.port, tls: 'none' },
      'not-offered': { hosts: ['localhost'], port: stub.port, tls: 'starttls' },
      'not-wanted': { hosts: ['localhost'], port: stub.port, tls: 'opportunistic' },
    }
    const names = Object.keys(upstreams)
    for (const name of names) stub.account(`alice@${name}.example`, 'secret')
    const common = { addressFamily: 'ipv4', connectAttempts: 1, breakerFailures: 0, healthIntervalMs: 0 }
    edge = await LoneEdge.start(stub.port, {
      upstreams: Object.fromEntries(
        Object.entries(upstreams).map(([name, each]) => [name, { ...common, ...each }]),
      ),
      routes: names.map((upstream) => ({ upstream, domain: `${upstream}.example` })),
    })
  })
  after(async () => {
    await edge?.stop()
    await Promise.all(Object.values(fronts).map((front) => front.close()))
    await dovecot?.stop()
    await stub?.close()
    await removeTemporaryDirectory(ground.directory)
    assert.deepEqual(stub.faults, [])
  })

  const enter = async (name: string) => {
    const client = await edge.client()
    return { client, answer: await client.command(`LOGIN alice@${name}.example secret`) }
  }
  async function assertServed(name: string): Promise<void> {
    const { client, answer } = await enter(name)
    assert.equal(answer.status, 'OK', answer.text)
    assert.equal((await client.command('SELECT INBOX')).status, 'OK')
    await client.command('LOGOUT')
  }
  /** The client gets a temporary refusal, the log has the reason, and the password has not left the edge. */
  async function assertUnavailable(name: string, why: RegExp): Promise<void> {
    const { client, answer } = await enter(name)
    assert.equal(answer.status, 'NO')
    assert.match(answer.text, /^\[UNAVAILABLE\] /)
    assert.match(await edge.logged(new RegExp(`upstream_unavailable upstream=${name} `)), why)
    assert.doesNotMatch(stub.connections.map((each) => each.received).join(''), new RegExp(`@${name}\\.`))
    await client.close()
  }

  test('the name is sent by SNI and verified, and later connections resume the TLS session', async () => {
    const { client, answer } = await enter('right')
    assert.equal(answer.status, 'OK', answer.text)
    // At the same time as the first, so that it needs its own connection.
    await assertServed('right')
    assert.deepEqual(fronts['right']?.handshakes, [
      { servername: 'localhost', commonName: undefined, resumed: false },
      { servername: 'localhost', commonName: undefined, resumed: true },
    ])
    await client.command('LOGOUT')
  })

  test('a server whose certificate has another name gets no password, unless that name is configured', async () => {
    await assertUnavailable('wrong-name', /reason=tls-failed .*altnames/)
    await assertServed('named')
    assert.equal(fronts['named']?.handshakes[0]?.servername, 'other.example')
  })

  test('a server with an unknown authority gets no password, unless verification is disabled', async () => {
    await assertUnavailable('unknown', /reason=tls-failed .*unable to verify the first certificate/)
    await assertServed('unverified')
  })

  test('a server that requests a client certificate gets the configured one', async () => {
    await assertServed('certified')
    assert.equal(fronts['certified']?.handshakes[0]?.commonName, 'edge-of-the-fleet')
    await assertUnavailable('uncertified', /detail=/)
  })

  test('STARTTLS is used if it is required or offered, and Dovecot sees TLS', async () => {
    for (const name of ['starttls', 'opportunistic']) {
      await assertServed(name)
      assert.equal(await dovecot.logins(`alice@${name}.example`, / TLS/), 1)
    }
  })

  test('a server that requires TLS gets no password without it', async () => {
    stub.offer({ before: 'IMAP4rev1 STARTTLS LOGINDISABLED' })
    await assertUnavailable('plaintext', /does it require TLS/)
  })

  test('if STARTTLS is not offered, logins fail if it is required, and succeed otherwise', async () => {
    stub.offer({ before: 'IMAP4rev1 SASL-IR AUTH=PLAIN' })
    await assertUnavailable('not-offered', /the server offers no STARTTLS/)
    await assertServed('not-wanted')
  })
})
