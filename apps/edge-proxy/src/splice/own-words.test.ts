import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ending } from './ending.ts'
import { begin, type SplicedSession } from './session.test-support.ts'

const endings: [Ending, string][] = [
  [
    { kind: 'upstream-gone', end: 'reset-by-peer' },
    '* BYE [UNAVAILABLE] Connection to the mail server is lost\r\n',
  ],
  [{ kind: 'violation', reason: 'literal-too-long' }, '* BYE Literal too long\r\n'],
  [{ kind: 'idle-timeout' }, '* BYE Idle for too long\r\n'],
  [{ kind: 'kicked' }, '* BYE Session ended by the operator\r\n'],
  [{ kind: 'shutdown' }, '* BYE Server is stopping, try again\r\n'],
  [
    { kind: 'reply-overdue', logoutTag: undefined },
    '* BYE [UNAVAILABLE] The mail server does not answer\r\n',
  ],
  [{ kind: 'mailbox-lost' }, '* BYE [UNAVAILABLE] The mailbox has changed, try again\r\n'],
  [{ kind: 'reply-overdue', logoutTag: 'z' }, '* BYE Logging out\r\nz OK Completed\r\n'],
  [{ kind: 'logout', tag: 'z' }, '* BYE Logging out\r\nz OK Completed\r\n'],
]

/** Chunks of the server, and the part of them that the client has received. */
const within: Record<string, string[]> = {
  'in a literal': ['* 1 FETCH (BODY[] {100}\r\n', 'half of the mail'],
  'where a literal is announced': ['* 1 FETCH (BODY[] {100}\r\n'],
  'behind a literal': ['* 1 FETCH (BODY[] {3}\r\nabc'],
  'in the line behind a literal': ['* 1 FETCH (BODY[] {3}\r\nabc FLAGS'],
  'behind an empty literal': ['* LIST () "/" {0}\r\n'],
  'in a line that passes as it arrives': ['* SEARCH 1 2 3'],
  'in a line too long to hold': [`* OK ${'x'.repeat(70_000)}`],
  'in a tagged line too long to hold': [`a OK ${'x'.repeat(70_000)}`],
  'in the blanks before a response': ['* ', '  '],
}
const between: Record<string, [sent: string[], got: string]> = {
  'before any response': [[], ''],
  'behind a response': [['* 1 EXISTS\r\n'], '* 1 EXISTS\r\n'],
  'behind a literal and its line': [
    ['* 1 FETCH (BODY[] {3}\r\nabc)\r\n'],
    '* 1 FETCH (BODY[] {3}\r\nabc)\r\n',
  ],
  'when half a status is held': [['* 1 EXISTS\r\n* OK hal'], '* 1 EXISTS\r\n'],
  'when half a reply is held': [['* 1 EXISTS\r\na O'], '* 1 EXISTS\r\n'],
  'when a * is held': [['* 1 EXISTS\r\n', '*'], '* 1 EXISTS\r\n'],
}

/** Everything that the client gets up to the end of its connection. */
function told({ clientLink, client }: SplicedSession): Promise<string> {
  clientLink.closeWhenWritten(5000)
  return client.finished()
}

for (const [where, sent] of Object.entries(within))
  test(`${where}, the edge sends no BYE when the session ends`, async () => {
    for (const [ending] of endings) {
      const session = await begin()
      session.fromClient('a NOOP\r\n')
      for (const text of sent) session.fromServer(text)
      session.splice.end(ending)
      assert.equal(await told(session), sent.join(''), ending.kind)
    }
  })

for (const [where, [sent, got]] of Object.entries(between))
  test(`${where}, the edge sends BYE when the session ends`, async () => {
    for (const [ending, words] of endings) {
      const session = await begin()
      session.fromClient('a NOOP\r\n')
      for (const text of sent) session.fromServer(text)
      session.splice.end(ending)
      assert.equal(await told(session), got + words)
    }
  })

test('while a response is omitted, the edge may send its own lines', async () => {
  const session = await begin({ ids: ['ID NIL'] })
  session.fromServer('* ID ("name" {100}\r\nhalf')
  session.fromClient('a CAPABILITY\r\n')
  assert.match(await session.client.until('a OK Completed\r\n'), /^\* CAPABILITY /)
  session.splice.end({ kind: 'shutdown' })
  assert.equal(await told(session), '* BYE Server is stopping, try again\r\n')
})

test('a client that has not read gets the BYE after everything that the server sent', async () => {
  const session = await begin()
  const mail = `* 1 FETCH (BODY[] {300000}\r\n${'x'.repeat(300_000)})\r\n`
  session.client.socket.pause()
  session.fromClient('a FETCH 1 BODY[]\r\n')
  session.fromServer(mail)
  session.splice.end({ kind: 'upstream-gone', end: 'reset-by-peer' })
  session.client.socket.resume()
  assert.equal(await told(session), `${mail}* BYE [UNAVAILABLE] Connection to the mail server is lost\r\n`)
})

test('answers of the edge wait for the end of a server line of any length', async () => {
  for (const line of [
    `* OK ${'x'.repeat(70_000)}`,
    `* SEARCH${' 1'.repeat(70_000)}`,
    `* LIST () "/" ${'y'.repeat(100)}`,
  ]) {
    const { client, fromClient, fromServer } = await begin()
    fromServer(line)
    fromClient('a CAPABILITY\r\nb ID NIL\r\nc LOGIN x y\r\n')
    await client.bytes(line.length)
    fromServer(' end\r\n')
    assert.equal(await client.line(), ' end')
    assert.match(await client.line(), /^\* CAPABILITY /)
  }
})

test('the client gets a line as the server writes it, including the additional blanks of DavMail', async () => {
  const { client, fromClient, fromServer } = await begin()
  fromClient('a SELECT INBOX\r\n')
  for (const part of ['*', ' ', ' ', ' ']) fromServer(part)
  assert.equal(await client.bytes(4), '*   ')
  fromServer(' 700 EXISTS\r\n')
  assert.equal(await client.line(), ' 700 EXISTS')
  fromServer('a OK done\r\n')
  fromClient('b UID FETCH 1 (RFC822.SIZE BODY[])\r\n')
  fromServer('* 1 FETCH (UID 1 ')
  assert.equal(await client.until('UID 1 '), 'a OK done\r\n* 1 FETCH (UID 1 ')
  fromServer(' ')
  assert.equal(await client.bytes(1), ' ')
  fromServer('RFC822.SIZE 5 BODY[] {5}\r\na OK ')
  fromServer(')\r\nb OK done\r\n')
  await client.until('b OK done\r\n')
})

test('a response after blanks is recognized', async () => {
  const { fromClient, fromServer, client, handBackNow } = await begin()
  fromClient('a NOOP\r\n')
  fromServer('*   CAPABILITY IMAP4rev1\r\n*  NO text {5}\r\n* ')
  fromServer('  BYE text {5}\r\na OK done\r\n')
  await client.until('a OK done\r\n')
  const { refusal, unanswered } = handBackNow()
  assert.deepEqual([refusal, unanswered], ['server-said-bye', []])
})

test('a line of the server that never ends uses bounded memory, and the client gets all of it', async () => {
  const { client, fromServer, fromClient, splice } = await begin()
  fromClient('a SEARCH ALL\r\n')
  fromServer('* SEARCH')
  let length = '* SEARCH'.length
  for (let times = 0; times < 40; times++) {
    fromServer(' 1'.repeat(5000))
    length += 10_000
  }
  assert.equal((await client.bytes(length)).length, length)
  assert.ok((splice.positions().S.lineTail?.length ?? Infinity) <= 32)
})
