/** No word of a mail is in a trace without bodies, or in the log, however the mail is fetched, searched and stored. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import type { LoneEdge } from '../support/lone-edge.ts'
import { MailServer } from '../support/mail-server.ts'
import type { MailSocket } from '../support/mail-socket.ts'
import { edgeFor, entered, listeningStub } from '../support/stub-edge.ts'
import { until } from '../support/until.ts'

/** Random words that stand in a mail and nowhere else. */
class Markers {
  readonly words: string[] = []

  /** Letters only, so that no encoding of a header or a part changes the word. */
  next(): string {
    const word = [...randomBytes(14)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('')
    this.words.push(word)
    return word
  }

  in(text: string): string[] {
    return this.words.filter((word) => text.toLowerCase().includes(word))
  }

  assertAbsent(text: string, where: string): void {
    const lines = text.split('\n').filter((line) => this.in(line).length > 0)
    assert.deepEqual(lines, [], where)
  }
}

/** An edge that traces this user into a file, without bodies. */
async function tracingEdge(
  t: TestContext,
  port: number,
  user: string,
): Promise<{ edge: LoneEdge; trace: () => Promise<string> }> {
  const directory = temporaryDirectory('trace')
  t.after(() => removeTemporaryDirectory(directory))
  // The edge may run as another account.
  await chmod(directory, 0o777)
  const file = join(directory, 'protocol.log')
  const edge = await edgeFor(t, port, { admin: { commands: true }, trace: { file } })
  const admin = await edge.client()
  assert.equal((await admin.command(`XPROXY_TRACE ${user}`)).status, 'OK')
  await admin.close()
  return { edge, trace: () => readFile(file, 'utf8') }
}

/** Ends the session, and resolves with its trace. */
async function tracedTo(client: MailSocket, trace: () => Promise<string>): Promise<string> {
  await client.command('NOOP')
  await client.close()
  return until('the end of the session', async () => {
    const text = await trace()
    return / EDGE: session ended/.test(text) && text
  })
}

/** A mail with a marker in every header field and every part. */
function markedMail(markers: Markers): string {
  const m = () => markers.next()
  const address = () => `"${m()} ${m()}" <${m()}@${m()}.example>`
  return [
    `Return-Path: <${m()}@x.example>`,
    `From: ${address()}`,
    `Sender: ${address()}`,
    `Reply-To: ${address()}`,
    `To: ${address()}, undisclosed: ${m()}@${m()}.example;`,
    `Cc: =?utf-8?Q?${m()}?= <${m()}@x.example>`,
    `Bcc: ${address()}`,
    `Subject: ${m()} "${m()}" (${m()}) \\${m()} {5}`,
    `Date: Sat, 1 Feb 2025 10:11:12 +0100`,
    `Message-ID: <${m()}@${m()}>`,
    `In-Reply-To: <${m()}@x>`,
    `References: <${m()}@x> <${m()}@y>`,
    `Keywords: ${m()}`,
    `X-Note: ${m()}`,
    ` ${m()}`,
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary="b-${m()}"; note="${m()}"`,
    '',
  ]
    .concat(partsOf(markers))
    .join('\r\n')
}

function partsOf(markers: Markers): string[] {
  const boundary = markers.words.at(-2) ?? ''
  const m = () => markers.next()
  return [
    m(),
    `--b-${boundary}`,
    `Content-Type: text/plain; charset=utf-8; name="${m()}"`,
    `Content-Description: ${m()}`,
    `Content-ID: <${m()}@x>`,
    '',
    `${m()} * 1 FETCH (FLAGS (${m()}))`,
    `a1 OK ${m()} {3}`,
    `--b-${boundary}`,
    `Content-Type: message/rfc822; name=${m()}`,
    `Content-Disposition: attachment; filename="${m()}.eml"`,
    '',
    `Subject: ${m()}`,
    `From: ${m()} <${m()}@x.example>`,
    '',
    m(),
    `--b-${boundary}`,
    `Content-Type: application/octet-stream; name*=utf-8''${m()}`,
    `Content-Location: ${m()}`,
    `Content-Language: ${m()}`,
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(m()).toString('base64'),
    `--b-${boundary}--`,
    '',
  ]
}

test('Dovecot: a mail with marked words leaves none of them in a trace or in the log', async (t) => {
  const server = await MailServer.start([{ user: 'marked', password: 'secret', mailbox: 'small' }])
  t.after(() => server.stop())
  const { edge, trace } = await tracingEdge(t, server.port, 'marked')
  const markers = new Markers()
  const mail = markedMail(markers)
  const client = await entered(edge, 'marked')
  const seen: string[] = []
  const say = async (command: string) => {
    const { status, text, untagged } = await client.command(command)
    seen.push(...untagged, text)
    return status
  }
  assert.equal(
    await say(`APPEND INBOX (\\Seen) " 1-Feb-2025 10:11:12 +0100" {${mail.length}+}\r\n${mail}`),
    'OK',
  )
  // A synchronizing literal.
  client.send(`sync APPEND INBOX {${mail.length}}\r\n`)
  assert.match(await client.line(), /^\+/)
  client.send(`${mail}\r\n`)
  await client.reply('sync')
  await say('SELECT INBOX')
  const fetched = [
    'ALL',
    'FULL',
    'ENVELOPE',
    'BODYSTRUCTURE',
    'BODY',
    'RFC822',
    'RFC822.HEADER',
    'RFC822.TEXT',
    'BODY.PEEK[]',
    'BODY.PEEK[]<5.200>',
    'BODY.PEEK[HEADER]',
    'BODY.PEEK[HEADER.FIELDS (SUBJECT FROM X-NOTE)]',
    'BODY.PEEK[HEADER.FIELDS.NOT (DATE)]',
    'BODY.PEEK[TEXT]',
    'BODY.PEEK[1]',
    'BODY.PEEK[1.MIME]',
    'BODY.PEEK[2.HEADER]',
    'BODY.PEEK[2.TEXT]',
    'BODY.PEEK[3]',
    'BINARY.PEEK[3]',
    'BINARY.SIZE[3]',
    'PREVIEW',
    'SNIPPET',
    '(UID FLAGS RFC822.SIZE INTERNALDATE MODSEQ SAVEDATE BODY.PEEK[HEADER.FIELDS (SUBJECT)] ENVELOPE BODYSTRUCTURE)',
  ]
  for (const items of fetched) await say(`FETCH 3:* ${items}`)
  const word = (n: number) => markers.words[n] ?? ''
  const searched = [
    `SEARCH SUBJECT ${word(20)}`,
    `UID SEARCH FROM "${word(2)}" TEXT ${word(30)} SINCE 1-Jan-2025`,
    `SEARCH HEADER X-Note {${word(5).length}+}\r\n${word(5)} NOT BODY ${word(40)}`,
    `SORT (SUBJECT) UTF-8 OR TO ${word(3)} CC ${word(4)}`,
    `THREAD REFERENCES UTF-8 TEXT ${word(8)}`,
    `SEARCH RETURN (COUNT) TEXT ${word(9)}`,
    // Refused, with the word in the reply.
    `SEARCH ${word(10)} ALL`,
    `SEARCH CHARSET ${word(11)} ALL`,
    `SEARCH KEYWORD "${word(12)} SUBJECT`,
    `${word(13)} ${word(14)}`,
    `STORE 1 ${word(15)} (x)`,
    `SETMETADATA INBOX (/private/comment "${word(17)}")`,
  ]
  for (const command of searched) await say(command)
  const shown = markers.in(seen.join('\n'))
  assert.ok(shown.length > 40, `the server sent only ${shown.length} of ${markers.words.length} words`)
  // Nothing else is hidden with them.
  const text = await tracedTo(client, trace)
  markers.assertAbsent(text, 'the trace')
  markers.assertAbsent(await edge.log(), 'the log')
  assert.match(
    text,
    /SERVER: \* 3 FETCH \(UID 3 FLAGS \(\\Seen[^)]*\) RFC822\.SIZE \d+ INTERNALDATE "01-Feb-2025 \d\d:11:12 \+\d{4}"/,
  )
  assert.match(text, /CLIENT: m\d+ SEARCH SUBJECT \.\.\. \[14 bytes\]/)
})

test('servers that violate the grammar: their mail is in no trace', async (t) => {
  const stub = await listeningStub()
  t.after(() => stub.close())
  const { edge, trace } = await tracingEdge(t, stub.port, 'alice')
  const markers = new Markers()
  const client = await entered(edge)
  const odd = (): string[] => {
    const m = () => markers.next()
    return [
      `* 1 FETCH (ENVELOPE (${m()} "${m()}" {14}\r\n${m()} ((${m()} NIL)) ~{14}\r\n${m()}) UID 1)`,
      `* 1 FETCH (BODY[HEADER.FIELDS ("${m()}" {14}\r\n${m()})] "${m()}" BODY[]<0> ${m()})`,
      `* 1 FETCH (FLAGS "${m()}" UID ${m()} MODSEQ ("${m()}") INTERNALDATE "${m()}")`,
      `* 1 FETCH (X-${m()} (${m()}) UID 5 FLAGS (a))`,
      `* 1 FETCH (SUBJECT "a "${m()}" b ) ${m()}" UID 5)`,
      `* 1 FETCH (ENVELOPE ("${m()}" "${m()}\\" ${m()}) UID 3)`,
      `* 1 FETCH (BODY[TEXT] "${m()}\r\n* ${m()} ${m()}\r\n* 5 ${m()}\r\n+ ${m()}\r\n* NO ${m()}")`,
      `* 1 FETCH ${m()} (UID "${m()}")`,
      `* METADATA INBOX (${m()} "${m()}" /shared/comment {14}\r\n${m()} /private/x (${m()}))`,
      `* ANNOTATION INBOX /comment (value.priv "${m()}")`,
      `* SEARCH ${m()} "${m()}"`,
      `* X${m()} "${m()}"`,
      `* OK [${m()} ${m()}] ${m()}`,
      `* NO ${m()}`,
      `* BAD [PARSE] ${m()}`,
      `* 1 FETCH (BODY[] {14}\r\n${m()}${m()} UID 5)`,
      `* 1 FETCH (ENVELOPE ("${m().repeat(6000)}" "${m()}"))`,
    ]
  }
  let answers: string[] = []
  stub.behave(({ tag, name }, connection) => {
    if (name !== 'FETCH' && name !== 'SEARCH') return undefined
    const last = answers.pop()
    connection.send(`${last ?? ''}\r\n${tag} BAD [CLIENTBUG] ${markers.next()}\r\n`)
    return true
  })
  answers = odd()
  await client.command('SELECT INBOX')
  for (let rounds = answers.length; rounds > 0; rounds--) {
    client.send(`x${rounds} FETCH 1 (ENVELOPE)\r\n`)
    for (;;) if ((await client.line()).startsWith(`x${rounds} BAD`)) break
  }
  stub.dribble(true)
  answers = odd().slice(0, -1)
  for (let rounds = answers.length; rounds > 0; rounds--) {
    client.send(`y${rounds} SEARCH SUBJECT ${markers.next()}\r\n`)
    for (;;) if ((await client.line()).startsWith(`y${rounds} BAD`)) break
  }
  stub.dribble(false)
  const text = await tracedTo(client, trace)
  markers.assertAbsent(text, 'the trace')
  markers.assertAbsent(await edge.log(), 'the log')
  assert.match(text, /CLIENT: m\d+ NOOP/)
  assert.deepEqual(stub.faults, [])
})
