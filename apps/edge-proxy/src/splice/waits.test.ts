import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilTrue } from '../pool/pool.test-support.ts'
import { begin, type SessionSetup, type SplicedSession } from './session.test-support.ts'

/** A state in which the client or the edge waits for the server, and how it ends if the server never answers. */
interface Waiting extends SessionSetup {
  /** What the client (`C `) and the server (`S `) send, in this order. */
  said: string[]
  /** What the client gets until the end. `idle`: only the client waits for the server, as without the edge. */
  ends: string
  /** Why the connection is not reset. Empty: it may be reset. */
  refusal: string
}

const loggedOut = (tag: string) => `* BYE Logging out\r\n${tag} OK Completed\r\n`
const overdue = '* BYE [UNAVAILABLE] The mail server does not answer\r\n'
const cached: SessionSetup = {
  pool: { selectCache: 'exact' },
  prepare: (connection) =>
    connection.rememberSelect({ key: 'SELECT INBOX', lines: '* 3 EXISTS\r\n', ok: 'OK done', at: 0 }),
}

const states: Record<string, Waiting> = {
  'LOGOUT behind a command that gets no reply': {
    said: ['C a LIST "" *\r\nb LOGOUT\r\n'],
    ends: loggedOut('b'),
    refusal: 'reply-overdue',
  },
  'LOGOUT behind a command that gets an untagged BAD instead of its reply': {
    said: ['C a LIST "" *\r\n', 'S * BAD [ALERT] no\r\n', 'C b LOGOUT\r\n'],
    ends: `* BAD [ALERT] no\r\n${loggedOut('b')}`,
    refusal: 'reply-overdue',
  },
  'LOGOUT behind a literal that is shorter than announced': {
    said: ['C a FETCH 1 BODY[]\r\nb LOGOUT\r\n', 'S * 1 FETCH (BODY[] {100}\r\nshort)\r\na OK done\r\n'],
    ends: '* 1 FETCH (BODY[] {100}\r\nshort)\r\na OK done\r\n',
    refusal: 'reply-overdue',
  },
  'LOGOUT behind a line that never ends': {
    said: ['C a SEARCH ALL\r\nb LOGOUT\r\n', 'S * SEARCH 1 2'],
    ends: '* SEARCH 1 2',
    refusal: 'reply-overdue',
  },
  'LOGOUT behind half a reply': {
    said: ['C a NOOP\r\nb LOGOUT\r\n', 'S a OK do'],
    ends: loggedOut('b'),
    refusal: 'reply-overdue',
  },
  'LOGOUT behind a DONE whose IDLE gets no reply': {
    said: ['C a IDLE\r\n', 'S + idling\r\n', 'C DONE\r\nb LOGOUT\r\n'],
    ends: `+ idling\r\n${loggedOut('b')}`,
    refusal: 'reply-overdue',
  },
  'CAPABILITY behind a command that gets no reply': {
    said: ['C a LIST "" *\r\nb CAPABILITY\r\n'],
    ends: overdue,
    refusal: 'reply-overdue',
  },
  'ID behind a command that gets no reply': {
    said: ['C a LIST "" *\r\nb ID NIL\r\n'],
    ends: overdue,
    refusal: 'reply-overdue',
  },
  'ENABLE behind a command that gets no reply': {
    said: ['C a LIST "" *\r\nb ENABLE CONDSTORE\r\n'],
    ends: overdue,
    refusal: 'reply-overdue',
  },
  'a second LOGIN behind a command that gets no reply': {
    said: ['C a LIST "" *\r\nb LOGIN joe secret\r\n'],
    ends: overdue,
    refusal: 'reply-overdue',
  },
  'a literal that the server does not ask for': {
    said: ['C a APPEND x {3}\r\nabc\r\n'],
    ends: overdue,
    refusal: 'reply-overdue',
  },
  'LOGOUT where the server does not ask for a literal': {
    said: ['C a APPEND x {30}\r\nb LOGOUT\r\n'],
    ends: overdue,
    refusal: 'reply-overdue',
  },
  'DONE of an IDLE that the server does not confirm': {
    said: ['C a IDLE\r\nDONE\r\n'],
    ends: overdue,
    refusal: 'reply-overdue',
  },
  'a command behind 1000 unanswered ones': {
    said: ['C ', 'C b NOOP\r\n'].concat(
      Array.from({ length: 999 }, (_, at) => `C c${at} NOOP\r\n`),
      'C d NOOP\r\n',
    ),
    ends: overdue,
    refusal: 'reply-overdue',
  },
  'SELECT behind a NOOP of the edge': {
    ...cached,
    said: ['C a SELECT INBOX\r\n'],
    ends: overdue,
    refusal: 'reply-overdue',
  },
  'LOGOUT behind a SELECT that waits for a NOOP of the edge': {
    ...cached,
    said: ['C a SELECT INBOX\r\nb LOGOUT\r\n'],
    ends: overdue,
    refusal: 'reply-overdue',
  },
  'LOGOUT behind a command that waits for an UNSELECT of the edge': {
    ...cached,
    said: ['C a NOOP\r\nb LOGOUT\r\n'],
    ends: loggedOut('b'),
    refusal: 'reply-overdue',
  },
  'a command that gets no reply': { said: ['C a LIST "" *\r\n'], ends: 'idle', refusal: '' },
  'a reply that gets no end': {
    said: ['C a FETCH 1 BODY[]\r\n', 'S * 1 FETCH (BODY[] {9}\r\nab'],
    ends: 'idle',
    refusal: '',
  },
  'a + that never comes, and a client that waits for it': {
    said: ['C a APPEND x {3}\r\n'],
    ends: 'idle',
    refusal: 'open-literal',
  },
  'an IDLE that is not confirmed, and a client that waits for it': {
    said: ['C a IDLE\r\n'],
    ends: 'idle',
    refusal: 'open-continuation',
  },
  'a DONE that is not answered': {
    said: ['C a IDLE\r\n', 'S + idling\r\n', 'C DONE\r\n'],
    ends: 'idle',
    refusal: '',
  },
  'half a line of the client': { said: ['C a NO'], ends: 'idle', refusal: '' },
  'half a literal of the client': {
    said: ['C a APPEND x {9+}\r\nab'],
    ends: 'idle',
    refusal: 'open-literal',
  },
  'an ID of the edge': { ids: ['ID NIL\r\n'], said: [], ends: 'idle', refusal: '' },
}

function say({ fromClient, fromServer }: SplicedSession, said: string[]): void {
  for (const words of said)
    if (words.startsWith('C ')) fromClient(words.slice(2))
    else fromServer(words.slice(2))
}

for (const [name, { said, ends, refusal, ...setup }] of Object.entries(states))
  test(`every wait ends: ${name}`, async () => {
    let now = 0
    const pool = { ...setup.pool, replyTimeoutMs: 100 }
    const session = await begin({ ...setup, pool, now: () => now })
    session.scripted.socket.resume()
    say(session, said)
    if (ends === 'idle') {
      // The edge holds back no command, so the session is idle from the last byte on.
      now = 5000
      assert.equal(session.splice.lastActiveAt, 0)
      session.splice.end({ kind: 'idle-timeout' })
    }
    const { ending, handBack } = await session.ended
    assert.equal(ending.kind, ends === 'idle' ? 'idle-timeout' : 'reply-overdue')
    assert.equal(handBack.refusal ?? '', refusal)
    if (ends === 'idle') return
    session.clientLink.closeWhenWritten(5000)
    assert.equal(await session.client.finished(), ends)
  })

test('a wait continues while the server sends, but not beyond clients.idleTimeoutMs', async () => {
  const { fromClient, fromServer, endings, ended, client } = await begin({
    pool: { replyTimeoutMs: 100 },
    clients: { idleTimeoutMs: 1000 },
  })
  fromClient('a FETCH 1:* FLAGS\r\nb LOGOUT\r\n')
  const beganAt = performance.now()
  const timer = setInterval(() => fromServer('* 1 FETCH (FLAGS ())\r\n'), 30)
  const { ending } = await ended
  clearInterval(timer)
  assert.ok(performance.now() - beganAt >= 900, 'the LOGOUT was answered while the server sent data')
  assert.deepEqual([ending, endings.length], [{ kind: 'reply-overdue', logoutTag: 'b' }, 1])
  assert.match(
    await client.until('b OK Completed\r\n'),
    /^(\* 1 FETCH \(FLAGS \(\)\)\r\n){8,}\* BYE Logging out\r\nb OK Completed\r\n$/,
  )
})

test('a wait continues while the client takes a long answer slowly', async () => {
  const { client, clientLink, fromClient, fromServer, ended } = await begin({ pool: { replyTimeoutMs: 100 } })
  client.socket.pause()
  const mail = Buffer.alloc(16_777_216, 'x')
  fromClient('a FETCH 1 BODY.PEEK[]\r\nb CAPABILITY\r\nc LOGOUT\r\n')
  fromServer(`* 1 FETCH (BODY[] {${mail.length}}\r\n`)
  fromServer(mail)
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.ok(clientLink.queuedBytes > 0)
  client.socket.resume()
  // The edge reads from the server again.
  await untilTrue(() => clientLink.queuedBytes === 0)
  fromServer(')\r\na OK done\r\n')
  assert.deepEqual((await ended).ending, { kind: 'logout', tag: 'c' })
})

/** Many times what the sockets of one connection hold. */
const largeMail = Buffer.alloc(16_777_216, 'x')
/** Time passes only when the test calls `onWaitTimeout`. */
const slowClock: SessionSetup = {
  pool: { replyTimeoutMs: 100_000 },
  clients: { idleTimeoutMs: 1_000_000 },
}
const overdueEnding = { kind: 'reply-overdue', logoutTag: undefined }

/** A command that waits behind a large mail that the peer takes slowly. */
const slowPeers = {
  client: ({ client, clientLink, fromClient, fromServer }: SplicedSession) => {
    client.socket.pause()
    fromClient('a FETCH 1 BODY.PEEK[]\r\nb CAPABILITY\r\n')
    fromServer(`* 1 FETCH (BODY[] {${largeMail.length}}\r\n`)
    fromServer(largeMail)
    return { socket: client.socket, link: clientLink }
  },
  server: ({ scripted, serverLink, fromClient }: SplicedSession) => {
    scripted.socket.pause()
    fromClient(`a APPEND x {${2 * largeMail.length}+}\r\n`)
    // A socket reports that it has sent bytes when it has sent the whole chunk.
    fromClient(largeMail)
    fromClient(largeMail)
    fromClient('\r\nb CAPABILITY\r\n')
    return { socket: scripted.socket, link: serverLink }
  },
}

test('the wait begins again after a slow peer has taken all bytes written to it', async () => {
  for (const begins of Object.values(slowPeers)) {
    const session = await begin(slowClock)
    const { socket, link } = begins(session)
    const { splice, endings } = session
    assert.ok(link.queuedBytes > 0)
    socket.resume()
    await untilTrue(() => link.queuedBytes === 0)
    await new Promise((resolve) => setImmediate(resolve))
    splice.onWaitTimeout()
    assert.deepEqual(endings, [])
    splice.onWaitTimeout()
    assert.deepEqual(endings, [overdueEnding])
  }
})

test('a wait continues while the client takes nothing, because the edge does not read from the server', async () => {
  const session = await begin(slowClock)
  const { link } = slowPeers.client(session)
  for (let count = 0; count < 3; count++) session.splice.onWaitTimeout()
  assert.ok(link.queuedBytes > 0)
  assert.deepEqual(session.endings, [])
})

test('a wait continues while the server takes bytes, and ends when it takes none', async () => {
  const session = await begin(slowClock)
  const { splice, endings } = session
  const { socket, link } = slowPeers.server(session)
  const before = link.queuedBytes
  socket.resume()
  await untilTrue(() => link.queuedBytes < before)
  socket.pause()
  assert.ok(link.queuedBytes > 0, 'the server has not taken all')
  splice.onWaitTimeout()
  assert.deepEqual(endings, [])
  splice.onWaitTimeout()
  assert.deepEqual(endings, [overdueEnding])
})

test('a reply that comes in time ends the wait', async () => {
  const { fromClient, fromServer, client, endings } = await begin({ pool: { replyTimeoutMs: 300 } })
  fromClient('a NOOP\r\nb CAPABILITY\r\n')
  fromServer('a OK done\r\n')
  await client.until('b OK Completed\r\n')
  fromClient('c APPEND x {3}\r\nabc\r\n')
  fromServer('+ go on\r\nc OK done\r\n')
  // Twice the timeout of the wait above.
  const [, waited] = await Promise.all([
    client.until('c OK done\r\n'),
    begin({ pool: { replyTimeoutMs: 1200 } }),
  ])
  waited.fromClient('a NOOP\r\nb LOGOUT\r\n')
  await waited.ended
  assert.deepEqual(endings, [])
})

test('a client that closes its sending side after LOGOUT gets a mail to its end, however long the server takes', async () => {
  const { client, fromServer, clientSocket, ended } = await begin({ pool: { resetTimeoutMs: 100 } })
  client.say('a FETCH 1 BODY[]\r\nb LOGOUT\r\n')
  client.socket.end()
  await new Promise((resolve) => clientSocket.once('end', resolve))
  let sent = 0
  fromServer('* 1 FETCH (BODY[] {10}\r\n')
  const timer = setInterval(() => {
    fromServer('x')
    if (++sent < 10) return
    clearInterval(timer)
    fromServer(')\r\na OK done\r\n')
  }, 40)
  assert.deepEqual((await ended).ending, { kind: 'logout', tag: 'b' })
})
