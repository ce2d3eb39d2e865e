/** A live trace: the protocol of a user from every edge, as it happens and without the password. */
import assert from 'node:assert/strict'
import { mkdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { edgeProxy, enrollByApi, layGround, node, programFiles } from '@imapfleet/local'
import { traceSchema } from '@imapfleet/api'
import { edgeStatsSchema } from '@imapfleet/protocol'
import { z } from 'zod'
import { startCommand } from '../support/command.ts'
import { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

suite('trace', () => {
  let fleet: TestFleet
  before(async () => (fleet = await TestFleet.start()))
  after(() => fleet?.stop())

  const traces = async () =>
    z.object({ traces: z.array(traceSchema) }).parse((await fleet.api('/v1/traces')).body).traces

  test("shows that user's lines from both edges, never the password, never another user, and ends on Ctrl-C", async () => {
    const { user, password } = fleet.alice
    const trace = fleet.startCli('trace', user)
    await until(
      'both edges to trace',
      () => /eu-1 is tracing/.test(trace.stderr()) && /us-1 is tracing/.test(trace.stderr()),
    )

    await fleet.session(fleet.eu, fleet.bob)
    await fleet.session(fleet.eu, fleet.alice)
    const login = await fleet.client(fleet.us)
    await login.command(`LOGIN {${user.length}+}\r\n${user} {${password.length}+}\r\n${password}`)
    await login.command('SELECT "Archive.2025"')
    await login.command('LOGOUT')
    const plain = await fleet.client(fleet.us)
    const secret = Buffer.from(`\0${user}\0${password}`).toString('base64')
    assert.equal((await plain.command(`AUTHENTICATE PLAIN ${secret}`)).status, 'OK')
    await plain.command('NOOP')
    await plain.command('LOGOUT')

    const seen = await until('the lines of both edges', () => {
      const text = trace.stdout()
      return /eu-1 .* C: \S+ SELECT INBOX/.test(text) && /us-1 .* C: \S+ NOOP/.test(text) && text
    })
    assert.match(seen, /us-1 .* C: \S+ SELECT "Archive\.2025"/)
    assert.match(seen, /eu-1 .* S: \* 9 EXISTS/)
    const running = (await traces()).find((each) => each.user === user)
    assert.equal(running?.endedAt, null)

    trace.child.kill('SIGINT')
    const said = await trace.ended
    assert.equal(said.status, 0, said.stderr)
    for (const hidden of [password, secret, 'Hello bob', fleet.bob.password])
      assert.ok(!said.stdout.includes(hidden) && !said.stderr.includes(hidden), `${hidden} was shown`)
    assert.ok(!/LOGIN bob|box-of-bob/.test(said.stdout))
    const ended = (await traces()).find((each) => each.id === running?.id)
    assert.notEqual(ended?.endedAt, null)
  })

  test('a trace without message bodies shows no mail, and one with them shows all of it', async () => {
    const { user, password } = fleet.carol
    const made = await fleet.api('/v1/tokens', {
      method: 'POST',
      body: { name: 'reader', role: 'operator', scopes: ['trace-bodies'], expiresInSeconds: 3600 },
    })
    const { token } = z.object({ token: z.string() }).parse(made.body)
    const env = { IMAPFLEET_SERVER: fleet.stack.control.api, IMAPFLEET_TOKEN: token }
    const whole = startCommand(node, [programFiles.cli, 'trace', user, '--bodies'], { env })
    const trace = fleet.startCli('trace', user)
    for (const { stderr } of [trace, whole])
      await until('both edges to trace', () => (stderr().match(/ is tracing/g) ?? []).length === 2)
    const client = await fleet.client(fleet.eu)
    await client.command(`LOGIN ${user} ${password}`)
    await client.command('SELECT INBOX')
    await client.command('FETCH 1 (BODY.PEEK[TEXT] ENVELOPE BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
    await client.command('SEARCH SUBJECT welcome')
    await client.command('LOGOUT')
    const [hidden, shown] = await Promise.all(
      [trace, whole].map(async (running) => {
        await until('the end of the session', () => /C: \S+ LOGOUT/.test(running.stdout()))
        running.child.kill('SIGINT')
        const said = await running.ended
        assert.equal(said.status, 0, said.stderr)
        return said.stdout
      }),
    )
    assert.match(
      hidden ?? '',
      /FETCH 1 \(BODY\.PEEK\[TEXT\] ENVELOPE BODY\.PEEK\[HEADER\.FIELDS \(SUBJECT\)\]\)/,
    )
    assert.match(hidden ?? '', /S: .*ENVELOPE \(\.\.\.\) \[\d+ bytes\] BODY\[HEADER/)
    assert.doesNotMatch(hidden ?? '', /Hello carol|welcome/i)
    for (const words of [/Hello carol/, /"Welcome"/, /Subject: Welcome/, /SEARCH SUBJECT welcome/])
      assert.match(shown ?? '', words)
    assert.ok(!shown?.includes(password))
  })

  test('several users are traced at the same time, each line has its user, and an edge that joins later takes part', async () => {
    const { alice, bob } = fleet
    const trace = fleet.startCli('trace', alice.user, bob.user)
    await until('both edges to trace both', () => (trace.stderr().match(/ is tracing/g) ?? []).length === 4)
    const { directory, nats, control, token, upstream } = fleet.stack
    const ground = layGround(directory)
    const name = { id: 'late-1', region: 'late' }
    const credentialsFile = await enrollByApi({ ground, nats, control, token }, name)
    const config = { fleet: { heartbeatMs: 200 } }
    const late = await edgeProxy({ ground, ...name, upstream, nats, credentialsFile, config })
    await late.process.start()
    try {
      await until(
        'the new edge to trace both',
        () => (trace.stderr().match(/late-1 is tracing/g) ?? []).length === 2,
      )
      await fleet.session(late, alice)
      await fleet.session(fleet.eu, bob)
      await until('the lines of both', () =>
        [/late-1 \S+ alice C: \S+ SELECT INBOX/, /eu-1 \S+ bob C: \S+ SELECT INBOX/].every((line) =>
          line.test(trace.stdout()),
        ),
      )
      trace.child.kill('SIGINT')
      const said = await trace.ended
      assert.equal(said.status, 0, said.stderr)
      assert.ok((await traces()).every(({ endedAt }) => endedAt !== null))
    } finally {
      await late.process.stop()
    }
  })

  test('after the protocol log was moved, `imapfleet newlog` starts a new file of the same name', async () => {
    const { directory, nats, control, token, upstream } = fleet.stack
    const ground = layGround(directory)
    const name = { id: 'log-1', region: 'log' }
    const credentialsFile = await enrollByApi({ ground, nats, control, token }, name)
    const file = join(directory, 'edges', name.id, 'protocol.log')
    const config = { fleet: { heartbeatMs: 200 }, admin: { commands: true }, trace: { file } }
    const edge = await edgeProxy({ ground, ...name, upstream, nats, credentialsFile, config })
    await edge.process.start()
    const sessionsIn = async (path: string) =>
      (await readFile(path, 'utf8')).match(/ EDGE: session ended/g)?.length ?? 0
    try {
      await until('the edge', async () => (await fleet.api('/v1/edges/log-1')).status === 200)
      const admin = await fleet.client(edge)
      assert.equal((await admin.command(`XPROXY_TRACE ${fleet.alice.user}`)).status, 'OK')
      await fleet.session(edge, fleet.alice)
      await until('a traced session', async () => (await sessionsIn(file)) === 1)
      await rename(file, `${file}.1`)
      const moved = await readFile(`${file}.1`)
      const done = await fleet.cli('newlog', '--edge', 'log-1')
      assert.equal(done.status, 0, done.stderr)
      await fleet.session(edge, fleet.alice)
      await until('a traced session in the new file', async () => (await sessionsIn(file)) === 1)
      assert.deepEqual(await readFile(`${file}.1`), moved)
      assert.equal((await stat(file)).mode & 0o777, 0o600)

      await rename(file, `${file}.2`)
      await mkdir(file)
      const failed = await fleet.cli('newlog', '--edge', 'log-1')
      assert.notEqual(failed.status, 0)
      assert.match(failed.stderr, /log-1 failed \(cannot open .*EISDIR; lines still go to the old file\)/)
      await fleet.session(edge, fleet.alice)
      await until('a session in the old file', async () => (await sessionsIn(`${file}.2`)) === 2)
      await admin.kill()
    } finally {
      await edge.process.stop()
    }
  })

  test('it ends on time while control is stopped, and can then be listed and downloaded', async () => {
    const { user } = fleet.bob
    const started = await fleet.api('/v1/traces', { method: 'POST', body: { user, seconds: 5 } })
    const { id } = traceSchema.parse(started.body)
    const active = async () => {
      const stats = await (await fetch(`http://127.0.0.1:${fleet.eu.httpPort}/stats`)).json()
      return edgeStatsSchema.parse(stats).gauges['traces_active']
    }
    await until('the edge to trace', async () => (await active()) === 1)
    await fleet.session(fleet.eu, fleet.bob)
    await fleet.stack.control.process.kill()
    await until('the end of the trace', async () => (await active()) === 0)
    await fleet.session(fleet.eu, fleet.bob)
    await fleet.stack.control.process.start()

    const found = (await traces()).find((each) => each.id === id)
    assert.equal(found?.endedAt, found?.expiresAt)
    const download = await fleet.cli('traces', 'download', id, '--output', 'json')
    assert.equal(download.status, 0, download.stderr)
    const lines = download.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>)
    assert.equal(lines.filter(({ text }) => text?.includes('SELECT INBOX')).length, 1)
    assert.ok(
      lines.some(({ kind, edge, reason }) => kind === 'edge' && edge === 'eu-1' && reason === 'expired'),
    )
    assert.doesNotMatch(download.stdout, new RegExp(fleet.bob.password))
    assert.match((await fleet.cli('traces', 'download', id)).stdout, /eu-1 .* C: \S+ SELECT INBOX/)
  })
})
