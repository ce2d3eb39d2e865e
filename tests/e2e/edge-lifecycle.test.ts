/** An edge as a process: without its server, reloaded, drained with and without sessions, with invalid files. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, suite, test } from 'node:test'
import { freePort, node, programFiles } from '@imapfleet/local'
import { runCommand } from '../support/command.ts'
import { LoneEdge, temporaryGround } from '../support/lone-edge.ts'
import { edgeFor, entered, isServed, listeningStub } from '../support/stub-edge.ts'
import { StubImapd } from '../support/stub-imapd.ts'

const edgeCommand = (...args: string[]) => runCommand(node, [programFiles.edge, ...args])

suite('the life of an edge', () => {
  let stub: StubImapd
  before(async () => (stub = await listeningStub()))
  afterEach(() => stub.reset())
  after(async () => {
    await stub?.close()
    assert.deepEqual(stub.faults, [])
  })

  test('it starts while its server is down, says so, refuses logins, and serves them when the server is up', async (t) => {
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

  test('after SIGTERM sessions continue to their end, a client before login gets BYE, and the exit status is 0', async () => {
    const edge = await LoneEdge.start(stub.port, { process: { drainTimeoutMs: 60_000 } })
    const session = await entered(edge)
    const waiting = await edge.client()
    edge.edge.process.send('SIGTERM')
    assert.match(await waiting.rest(), /^\* BYE /)
    await assert.rejects(edge.client(), /ECONNREFUSED|closed/)
    assert.equal((await fetch(`${edge.httpUrl}/readyz`)).status, 503)
    assert.equal((await fetch(`${edge.httpUrl}/healthz`)).status, 200)
    assert.ok(await isServed(session))
    assert.equal((await session.command('LOGOUT')).status, 'OK')
    assert.deepEqual(await edge.edge.process.exited(), { code: 0, signal: null })
    await edge.stop()
  })

  test('a session that outlasts the drain is ended with a reason, and the exit status is still 0', async () => {
    const edge = await LoneEdge.start(stub.port, { process: { drainTimeoutMs: 0 } })
    const session = await entered(edge)
    edge.edge.process.send('SIGTERM')
    assert.match(await session.rest(), /^\* BYE Server is stopping/)
    assert.deepEqual(await edge.edge.process.exited(), { code: 0, signal: null })
    await edge.stop()
  })

  test('what clients sent while the process was stopped (SIGSTOP) is served when it continues', async (t) => {
    const edge = await edgeFor(t, stub.port, { clients: { idleTimeoutMs: 1500 } })
    const session = await entered(edge)
    edge.edge.process.send('SIGSTOP')
    t.after(() => edge.edge.process.send('SIGCONT'))
    session.send('s STATUS INBOX (MESSAGES)\r\n')
    const until = performance.now() + 3000
    while (performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, until - performance.now()))
    edge.edge.process.send('SIGCONT')
    assert.equal((await session.reply('s')).status, 'OK')
  })

  test('a reload takes effect immediately and ends no session', async (t) => {
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

  test('a reload with mistakes reports each with its line, and changes nothing', async (t) => {
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
    assert.match(
      (await edge.stats()).problems?.join() ?? '',
      /^the last reload was refused: .*edge\.yaml:2: /,
    )
    const client = await edge.client()
    assert.match(client.greeting, /XIMAPPROXY/)
    assert.ok(await isServed(session))
    await session.command('LOGOUT')
    await client.close()
  })

  test('a reload does not wait for a configuration that has become a pipe', async (t) => {
    const edge = await edgeFor(t, stub.port)
    const session = await entered(edge)
    const { configFile, process } = edge.edge
    await rm(configFile)
    execFileSync('mkfifo', ['-m', '666', configFile])
    process.send('SIGHUP')
    await edge.logged(/error reload_refused problem="cannot read \S+ again: it is not a regular file"/)
    assert.ok(await isServed(session))
    await session.command('LOGOUT')
  })

  test('a start with mistakes reports each with its line, in either format, and exits with 2', async () => {
    const ground = temporaryGround()
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
