import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Credentials } from '../imap/credentials.ts'
import { wire } from '../imap/cuts.test-support.ts'
import { openConnection, type OpenResult } from './open-connection.ts'
import type { Peer } from '../net/wire.test-support.ts'
import {
  ScriptedServer,
  serverAt,
  unlimited,
  wellBehaved,
  type Script,
} from './scripted-server.test-support.ts'

const joe = (secret = 'secret'): Credentials => ({
  user: wire('joe'),
  authzid: wire(''),
  secret: wire(secret),
  mechanism: 'command',
})

const client = { address: '192.0.2.7', loginSignal: unlimited }

/** A server that answers LOGIN by this script. */
async function answering(login: Script): Promise<ScriptedServer> {
  const scripted = await ScriptedServer.start()
  scripted.script = (asked) => (asked.verb === 'LOGIN' ? login(asked) : wellBehaved(asked))
  return scripted
}

test('an accepted login returns the capabilities, the text and the untagged lines of the server', async () => {
  const scripted = await answering(
    ({ tag }) =>
      `* CAPABILITY OLD\r\n* OK [ALERT] disk is full\r\n* OK [CAPABILITY OLD COMPRESS=DEFLATE] x\r\n${tag} OK [CAPABILITY NEW IDLE] Welcome, joe\r\n`,
  )
  const opened = await openConnection(serverAt(scripted.port), joe(), client)
  assert.ok(opened.kind === 'opened')
  assert.deepEqual(opened.capabilities, ['NEW', 'IDLE'])
  assert.equal(opened.text, 'Welcome, joe')
  // The client's list contains only what the edge supports.
  assert.deepEqual(opened.untagged, ['* OK [ALERT] disk is full', '* OK [CAPABILITY OLD] x'])
})

test('a refused login returns the server’s code and text, and the connection is closed', async () => {
  for (const [status, text] of [
    ['NO', '[AUTHENTICATIONFAILED] Authentication failed.'],
    ['NO', '[UNAVAILABLE] Temporary failure'],
    ['NO', '[LIMIT] Too many'],
    ['BAD', 'what?'],
  ] as const) {
    const scripted = await answering(({ tag }) => `${tag} ${status} ${text}\r\n`)
    assert.deepEqual(await openConnection(serverAt(scripted.port), joe(), client), {
      kind: 'login-refused',
      status,
      text,
      logText: text,
      untagged: [],
      ids: { sent: true, refused: [] },
    })
    await scripted.connections[0]!.closed()
  }
})

test('data after the OK to the login, whole or in parts, reaches the next handler of the link', async () => {
  for (const [behind, more] of [
    ['* OK [ALERT] disk is full\r\n', '* 1 EXISTS\r\n'],
    ['* 3 EXI', 'STS\r\n'],
  ] as const) {
    const scripted = await answering(({ tag }) => `${tag} OK Logged in\r\n${behind}`)
    const opened = await openConnection(serverAt(scripted.port), joe(), client)
    assert.ok(opened.kind === 'opened')
    scripted.connections[0]!.say(more)
    const { promise, resolve } = Promise.withResolvers<void>()
    let got = ''
    opened.link.handler = {
      onData: (bytes) => void ((got += bytes.toString()) === behind + more && resolve()),
      onEnd() {},
    }
    opened.link.resume()
    await promise
  }
})

test('a connection that the server closes after its OK to the login is not used, and the client gets the text of the BYE', async () => {
  for (const [behind, bye] of [
    ['* BYE too many connections\r\n', 'too many connections'],
    ['x OK who?\r\n', undefined],
  ] as const) {
    const scripted = await answering(({ tag }) => `${tag} OK Logged in\r\n${behind}`)
    const opened = await openConnection(serverAt(scripted.port), joe(), client)
    assert.ok(opened.kind === 'unavailable', behind)
    assert.equal(opened.bye, bye)
    await scripted.connections[0]!.closed()
  }
})

test('ALERTs and other status texts that the server sends during the dial reach the client of that login', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* OK [ALERT] maintenance at noon\r\n'
  scripted.script = (asked) =>
    asked.verb === 'CAPABILITY' ? `* NO disk is full\r\n${wellBehaved(asked)}` : wellBehaved(asked)
  const opened = await openConnection(serverAt(scripted.port), joe(), client)
  assert.ok(opened.kind === 'opened')
  assert.deepEqual(opened.untagged, ['* OK [ALERT] maintenance at noon', '* NO disk is full'])
})

test('untagged lines before a refused login reach the client', async () => {
  const said = ['* NO [WEBALERT https://example.org/] Web login required', '* BAD hm', '* OK [ALERT] see {5}']
  const scripted = await answering(
    ({ tag }) =>
      `* CAPABILITY X\r\n${said.join('\r\n')}\r\n* X {3}\r\nabc\r\n${tag} NO [ALERT] Web login required\r\n`,
  )
  const refused = await openConnection(serverAt(scripted.port), joe(), client)
  assert.ok(refused.kind === 'login-refused')
  assert.deepEqual(refused.untagged, said)
})

test('lines after a refusal in the same segment reach the client, also if the server closes the connection', async () => {
  for (const behind of ['* NO [ALERT] account locked', '* BYE [ALERT] blocked for an hour']) {
    const scripted = await answering(
      ({ tag }) => `* BAD hm\r\n${tag} NO [AUTHENTICATIONFAILED] no\r\n${behind}\r\n* half`,
    )
    const refused = await openConnection(serverAt(scripted.port), joe(), client)
    assert.ok(refused.kind === 'login-refused', behind)
    assert.equal(refused.text, '[AUTHENTICATIONFAILED] no')
    assert.deepEqual(refused.untagged, ['* BAD hm', behind])
  }
})

test('the password of the master user reaches neither the client nor the log', async () => {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port, {
    masterUser: 'proxy',
    masterPassword: 'm4ster',
    sharedSecret: 'secret',
  })
  for (const answer of ['* NO TEXT?\r\nTAG NO TEXT\r\n', '* NO TEXT?\r\nTAG OK TEXT\r\n', '* BYE TEXT\r\n']) {
    scripted.script = (asked) =>
      asked.verb === 'AUTHENTICATE'
        ? answer.replaceAll('TEXT', `${asked.text} m4ster`).replaceAll('TAG', asked.tag)
        : wellBehaved(asked)
    const opened = await openConnection(server, joe(), client)
    const { link: _, ...told } = { link: undefined, ...opened }
    const text = JSON.stringify(told)
    assert.match(text, /\[redacted\]/)
    assert.doesNotMatch(text, /m4ster/)
    assert.ok(!text.includes(Buffer.from('joe\0proxy\0m4ster').toString('base64')))
  }
})

test('a server that does not answer the login, closes or sends BYE is unavailable, and not a wrong password', async () => {
  const endings: [script: Script, reason: string, loginTimeoutMs?: number][] = [
    [() => undefined, 'timed-out', 100],
    [({ peer }) => void peer.socket.end(), 'closed-by-peer'],
    [() => '* BYE going down\r\n', 'bye'],
    [() => 'x OK for another tag\r\n', 'not-imap'],
  ]
  for (const [script, reason, loginTimeoutMs = 10_000] of endings) {
    const scripted = await answering(script)
    const opened = await openConnection(serverAt(scripted.port, { loginTimeoutMs }), joe(), client)
    assert.equal(opened.kind === 'unavailable' && opened.reason, reason)
    await scripted.connections[0]!.closed()
  }
})

test('the detail of a failed login is one line, whatever the server sends', async () => {
  const scripted = await answering(({ tag, text }) => `* BYE ${tag} ${text} is wrong\r\n`)
  const opened = await openConnection(serverAt(scripted.port), joe('hunter2'), client)
  assert.ok(opened.kind === 'unavailable')
  assert.ok(!opened.detail.includes('\r') && !opened.detail.includes('\n'))
})

test('a dial is attempted as often as configured, and the server is marked down with the reason', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* BYE busy\r\n'
  const server = serverAt(scripted.port, { connectAttempts: 3, connectDelayMs: 0 })
  const failed = await openConnection(server, joe(), client)
  assert.equal(failed.kind === 'unavailable' && failed.reason, 'bye')
  assert.equal(scripted.connections.length, 3)
  assert.match(server.downReason!, /busy/)
  scripted.greeting = '* OK ready\r\n'
  assert.equal((await openConnection(server, joe(), client)).kind, 'opened')
  assert.equal(server.downReason, undefined)
})

test('an open circuit breaker fails logins without a connection', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* BYE busy\r\n'
  const server = serverAt(scripted.port, { breakerFailures: 2, breakerCooldownMs: 60_000 })
  for (let attempt = 0; attempt < 4; attempt++)
    assert.equal((await openConnection(server, joe(), client)).kind, 'unavailable')
  assert.equal(scripted.connections.length, 2)
})

test('after the cool-down one login at a time tries the server, and the others are refused immediately', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* BYE busy\r\n'
  const server = serverAt(scripted.port, { breakerFailures: 1, breakerCooldownMs: 25_000 })
  await openConnection(server, joe(), client)
  // The server sends no greeting, so that the attempt lasts.
  scripted.greeting = undefined
  const abandoning = new AbortController()
  const isRefused = (opened: OpenResult) => opened.kind === 'unavailable' && opened.reason === 'breaker-open'
  const attempt = async () => {
    for (;;) {
      const opened = await openConnection(server, joe(), { ...client, loginSignal: abandoning.signal })
      if (!isRefused(opened)) return opened
      await turn()
    }
  }
  const trial = attempt()
  while (scripted.connections.length < 2) await turn()
  for (let login = 0; login < 5; login++) assert.ok(isRefused(await openConnection(server, joe(), client)))
  // The client of the attempt disconnects, so the next login tries.
  abandoning.abort('client-gone')
  assert.equal((await trial).kind, 'abandoned')
  scripted.greeting = '* OK ready\r\n'
  assert.equal((await openConnection(server, joe(), client)).kind, 'opened')
  assert.equal((await openConnection(server, joe(), client)).kind, 'opened')
})

test('a paused server gets no new connection', async () => {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port)
  server.isPaused = true
  const opened = await openConnection(server, joe(), client)
  assert.equal(opened.kind === 'unavailable' && opened.reason, 'paused')
  assert.equal(scripted.connections.length, 0)
})

test('preauthCommand is sent before the login, and the login is sent only if the answer is OK', async () => {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port, { preauthCommand: 'XHELLO edge' })
  assert.equal((await openConnection(server, joe(), client)).kind, 'opened')
  assert.deepEqual(scripted.asked, ['CAPABILITY', 'XHELLO edge', 'LOGIN joe secret'])
  scripted.script = (asked) => (asked.verb === 'XHELLO' ? `${asked.tag} NO who?\r\n` : wellBehaved(asked))
  const refused = await openConnection(server, joe(), client)
  assert.equal(refused.kind === 'unavailable' && refused.reason, 'preauth-refused')
  assert.equal(scripted.asked.at(-1), 'XHELLO edge')
  await scripted.connections[1]!.closed()
})

test('the time limit of a login does not end the connection later', async () => {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port, { loginTimeoutMs: 100 })
  const opened = await openConnection(server, joe(), client)
  assert.ok(opened.kind === 'opened')
  // The time limit of the next login ends later, so the first one has ended too.
  scripted.script = (asked) => (asked.verb === 'LOGIN' ? undefined : wellBehaved(asked))
  assert.equal((await openConnection(server, joe(), client)).kind, 'unavailable')
  assert.equal(opened.link.isOpen, true)
})

test('with a shared secret, only the complete secret opens a connection of the master user', async () => {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port, {
    masterUser: 'proxy',
    masterPassword: 'master',
    sharedSecret: 'shared secret',
  })
  scripted.script = (asked) => (asked.verb === 'AUTHENTICATE' ? `${asked.tag} OK in\r\n` : wellBehaved(asked))
  for (const wrong of ['', 'shared', 'shared secret ', 'shared secreT', 'master', 'secret']) {
    const refused = await openConnection(server, joe(wrong), client)
    assert.equal(refused.kind, 'login-refused', wrong)
  }
  assert.equal(scripted.connections.length, 0)
  assert.equal((await openConnection(server, joe('shared secret'), client)).kind, 'opened')
  const message = Buffer.from('joe\0proxy\0master').toString('base64')
  assert.equal(scripted.asked.at(-1), `AUTHENTICATE PLAIN ${message}`)
})

test('the server gets the client’s address in a PROXY header, if that is configured', async () => {
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
    assert.equal(
      (await openConnection(serverAt(scripted.port, { clientAddress }), joe(), client)).kind,
      'opened',
    )
    assert.match(lines[0]!, pattern)
  }
})

test('after the password was sent, a login ends at its time limit, but not when the client disconnects', async () => {
  for (const [reason, kind] of [
    ['out-of-time', 'abandoned'],
    ['shutdown', 'abandoned'],
    ['client-gone', 'opened'],
  ] as const) {
    const scripted = await ScriptedServer.start()
    const abandoning = new AbortController()
    const loginSignal = abandoning.signal
    scripted.script = (asked) => {
      if (asked.verb === 'LOGIN') abandoning.abort(reason)
      return wellBehaved(asked)
    }
    const opened = await openConnection(serverAt(scripted.port), joe(), { ...client, loginSignal })
    assert.equal(opened.kind, kind, reason)
    if (kind === 'abandoned') await scripted.connections[0]!.closed()
  }
})

test('after a client has disconnected, its password is not sent to a server that becomes ready later', async () => {
  const scripted = await ScriptedServer.start()
  const abandoning = new AbortController()
  scripted.script = ({ tag, verb }) => {
    if (verb === 'CAPABILITY') return `* CAPABILITY IMAP4rev1 AUTH=PLAIN LOGINDISABLED\r\n${tag} OK done\r\n`
    abandoning.abort('client-gone')
    return '+ \r\n'
  }
  const opened = await openConnection(serverAt(scripted.port), joe(), {
    ...client,
    loginSignal: abandoning.signal,
  })
  assert.equal(opened.kind, 'abandoned')
  assert.equal(await scripted.connections[0]!.closed(), '')
  assert.deepEqual(scripted.asked, ['CAPABILITY', 'AUTHENTICATE PLAIN'])
})

test('a login that is abandoned during preauthCommand sends no password', async () => {
  const scripted = await ScriptedServer.start()
  const abandoning = new AbortController()
  scripted.script = (asked) => {
    if (asked.verb === 'XHELLO') abandoning.abort('client-gone')
    return wellBehaved(asked)
  }
  const server = serverAt(scripted.port, { preauthCommand: 'XHELLO edge' })
  const opened = await openConnection(server, joe(), { ...client, loginSignal: abandoning.signal })
  assert.equal(opened.kind, 'abandoned')
  await scripted.connections[0]!.closed()
  assert.deepEqual(scripted.asked, ['CAPABILITY', 'XHELLO edge'])
})

/** Logs in `count` times at once. */
const allAtOnce = (server: ReturnType<typeof serverAt>, count: number): Promise<OpenResult>[] =>
  Array.from({ length: count }, () => openConnection(server, joe(), client))

test('a server that has restarted gets connectsMax attempts at a time, and every login succeeds', async () => {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port, { connectsMax: 3 })
  const greeted = Promise.withResolvers<void>()
  scripted.greeting = undefined
  let connecting = 0
  let most = 0
  const greetLater = async (peer: Peer) => {
    await greeted.promise
    connecting--
    peer.say('* OK [CAPABILITY IMAP4rev1] ready\r\n')
  }
  scripted.onConnect = (peer) => {
    most = Math.max(most, ++connecting)
    if (connecting === 3) greeted.resolve()
    void greetLater(peer)
    return true
  }
  const opened = await Promise.all(allAtOnce(server, 20))
  assert.deepEqual([...new Set(opened.map(({ kind }) => kind))], ['opened'])
  assert.equal(most, 3)
  assert.equal(server.gate.waiting, 0)
})

test('a server that greets immediately and checks logins slowly gets connectsMax logins at a time', async () => {
  const judging: (() => void)[] = []
  let most = 0
  const judgeSoon = async () => {
    for (let turns = 0; turns < 50; turns++) await turn()
    for (const answer of judging.splice(0)) answer()
  }
  const scripted = await answering(({ tag, peer }) => {
    most = Math.max(
      most,
      judging.push(() => peer.say(`${tag} OK Logged in\r\n`)),
    )
    if (judging.length === 3) void judgeSoon()
    return undefined
  })
  const opened = await Promise.all(allAtOnce(serverAt(scripted.port, { connectsMax: 3 }), 21))
  assert.deepEqual([...new Set(opened.map(({ kind }) => kind))], ['opened'])
  assert.equal(most, 3)
})

test('logins that the server checks for a long time do not prevent others from connecting', async () => {
  const { promise: isJudged, resolve: judge } = Promise.withResolvers<void>()
  const scripted = await answering(({ tag, peer }) => {
    void isJudged.then(() => peer.say(`${tag} NO [AUTHENTICATIONFAILED] wrong\r\n`))
    return undefined
  })
  const server = serverAt(scripted.port, { connectsMax: 1 })
  const wrong = allAtOnce(server, 5)
  while (scripted.asked.filter((text) => text.startsWith('LOGIN')).length < 5) await turn()
  judge()
  for (const { kind } of await Promise.all(wrong)) assert.equal(kind, 'login-refused')
})

test('logins to a server that restarts wait for it', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* BYE not now\r\n'
  const server = serverAt(scripted.port, { connectAttempts: 3, connectDelayMs: 10, breakerFailures: 2 })
  const logins = allAtOnce(server, 20)
  while (!server.breaker.isOpen) await turn()
  scripted.greeting = '* OK ready\r\n'
  const opened = await Promise.all(logins)
  assert.deepEqual([...new Set(opened.map(({ kind }) => kind))], ['opened'])
})

test('when the circuit breaker opens, logins that wait for their turn are refused immediately', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* BYE not now\r\n'
  const server = serverAt(scripted.port, { connectsMax: 2, breakerFailures: 2, breakerCooldownMs: 60_000 })
  const refused = await Promise.all(allAtOnce(server, 50))
  for (const each of refused) assert.equal(each.kind, 'unavailable')
  assert.ok(scripted.connections.length <= 4, `${scripted.connections.length} attempts`)
})
