import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credentials } from '../imap/credentials.ts'
import { wire } from '../imap/cuts.test-support.ts'
import { open } from './open.ts'
import { ScriptedServer, serverAt, wellBehaved, type Script } from './scripted-server.test-support.ts'

const joe = (secret = 'secret'): Credentials => ({
  user: wire('joe'),
  authzid: wire(''),
  secret: wire(secret),
  mechanism: 'command',
})

const client = { address: '192.0.2.7' }

/** A server that answers logins in its own way. */
async function answering(login: Script): Promise<ScriptedServer> {
  const scripted = await ScriptedServer.start()
  scripted.script = (asked) => (asked.verb === 'LOGIN' ? login(asked) : wellBehaved(asked))
  return scripted
}

test('a login that is accepted gives what the server said, for this client and for later ones', async () => {
  const scripted = await answering(
    ({ tag }) =>
      `* CAPABILITY OLD\r\n* OK [ALERT] disk is full\r\n${tag} OK [CAPABILITY NEW IDLE] Welcome, joe\r\n`,
  )
  const opened = await open(serverAt(scripted.port), joe(), client)
  assert.ok(opened.kind === 'opened')
  assert.deepEqual(opened.capabilities, ['NEW', 'IDLE'])
  assert.equal(opened.text, 'Welcome, joe')
  assert.deepEqual(opened.untagged, ['* OK [ALERT] disk is full'])
})

test('the server’s own refusal comes through with its code and words, and its connection is closed', async () => {
  for (const [status, text] of [
    ['NO', '[AUTHENTICATIONFAILED] Authentication failed.'],
    ['NO', '[UNAVAILABLE] Temporary failure'],
    ['NO', '[LIMIT] Too many'],
    ['BAD', 'what?'],
  ] as const) {
    const scripted = await answering(({ tag }) => `${tag} ${status} ${text}\r\n`)
    assert.deepEqual(await open(serverAt(scripted.port), joe(), client), {
      kind: 'login-refused',
      status,
      text,
    })
    await scripted.connections[0]!.closed()
  }
})

test('a connection that is not quiet behind its login is not used', async () => {
  for (const behind of ['* BYE too many connections\r\n', '* 3 EXI', 'x OK who?\r\n']) {
    const scripted = await answering(({ tag }) => `${tag} OK Logged in\r\n${behind}`)
    const opened = await open(serverAt(scripted.port), joe(), client)
    assert.equal(opened.kind, 'unavailable', behind)
    await scripted.connections[0]!.closed()
  }
})

test('a server that does not answer the login, hangs up or says BYE is unavailable, not a wrong password', async () => {
  const endings: [script: Script, reason: string, loginTimeoutMs?: number][] = [
    [() => undefined, 'timed-out', 100],
    [({ peer }) => void peer.socket.end(), 'closed-by-peer'],
    [() => '* BYE going down\r\n', 'bye'],
    [() => 'x OK to somebody else\r\n', 'not-imap'],
  ]
  for (const [script, reason, loginTimeoutMs = 10_000] of endings) {
    const scripted = await answering(script)
    const opened = await open(serverAt(scripted.port, { loginTimeoutMs }), joe(), client)
    assert.equal(opened.kind === 'unavailable' && opened.reason, reason)
    await scripted.connections[0]!.closed()
  }
})

test('the password is in no word that is told of a failure', async () => {
  const scripted = await answering(({ tag, text }) => `* BYE ${tag} ${text} is wrong\r\n`)
  const opened = await open(serverAt(scripted.port), joe('hunter2'), client)
  assert.ok(opened.kind === 'unavailable')
  assert.ok(!opened.detail.includes('\r') && !opened.detail.includes('\n'))
})

test('connecting is tried as often as configured, and what is wrong with the server is remembered', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* BYE busy\r\n'
  const server = serverAt(scripted.port, { connectAttempts: 3, connectDelayMs: 0 })
  const failed = await open(server, joe(), client)
  assert.equal(failed.kind === 'unavailable' && failed.reason, 'bye')
  assert.equal(scripted.connections.length, 3)
  assert.match(server.trouble!, /busy/)
  scripted.greeting = '* OK ready\r\n'
  assert.equal((await open(server, joe(), client)).kind, 'opened')
  assert.equal(server.trouble, undefined)
})

test('an open circuit breaker refuses without a connection, until its time has passed', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* BYE busy\r\n'
  const server = serverAt(scripted.port, { breakerFailures: 2, breakerCooldownMs: 60_000 })
  for (let attempt = 0; attempt < 4; attempt++)
    assert.equal((await open(server, joe(), client)).kind, 'unavailable')
  assert.equal(scripted.connections.length, 2)
})

test('an upstream that is paused gets no new connection', async () => {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port)
  server.isPaused = true
  const opened = await open(server, joe(), client)
  assert.equal(opened.kind === 'unavailable' && opened.reason, 'paused')
  assert.equal(scripted.connections.length, 0)
})

test('the operator’s own command comes before the login, and the login only if it is answered OK', async () => {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port, { preauthCommand: 'XHELLO edge' })
  assert.equal((await open(server, joe(), client)).kind, 'opened')
  assert.deepEqual(scripted.asked, ['CAPABILITY', 'XHELLO edge', 'LOGIN joe secret'])
  scripted.script = (asked) => (asked.verb === 'XHELLO' ? `${asked.tag} NO who?\r\n` : wellBehaved(asked))
  const refused = await open(server, joe(), client)
  assert.equal(refused.kind === 'unavailable' && refused.reason, 'preauth-refused')
  assert.equal(scripted.asked.at(-1), 'XHELLO edge')
  await scripted.connections[1]!.closed()
})

test('with a shared secret all of it must be said; nothing else opens a connection in the master’s name', async () => {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port, {
    masterUser: 'proxy',
    masterPassword: 'master',
    sharedSecret: 'shared secret',
  })
  scripted.script = (asked) => (asked.verb === 'AUTHENTICATE' ? `${asked.tag} OK in\r\n` : wellBehaved(asked))
  for (const wrong of ['', 'shared', 'shared secret ', 'shared secreT', 'master', 'secret']) {
    const refused = await open(server, joe(wrong), client)
    assert.equal(refused.kind, 'login-refused', wrong)
  }
  assert.equal(scripted.connections.length, 0)
  assert.equal((await open(server, joe('shared secret'), client)).kind, 'opened')
  const message = Buffer.from('joe\0proxy\0master').toString('base64')
  assert.equal(scripted.asked.at(-1), `AUTHENTICATE PLAIN ${message}`)
})

test('the server is told the client’s address by the PROXY header, where the operator wants that', async () => {
  for (const [clientAddress, pattern] of [
    ['proxy-v1', /^PROXY TCP4 192\.0\.2\.7 127\.0\.0\.1 \d+ \d+$/],
    ['none', /^i\d+ CAPABILITY$/],
  ] as const) {
    const scripted = await ScriptedServer.start()
    const lines: string[] = []
    scripted.script = (asked) => {
      lines.push(`${asked.tag} ${asked.text}`)
      return asked.tag === 'PROXY' ? undefined : wellBehaved(asked)
    }
    assert.equal((await open(serverAt(scripted.port, { clientAddress }), joe(), client)).kind, 'opened')
    assert.match(lines[0]!, pattern)
  }
})
