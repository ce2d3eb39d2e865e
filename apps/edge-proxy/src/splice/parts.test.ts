/** Parts of a message that are requested in one question. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  beginAhead,
  knowledgeOf,
  structure,
  structureAnswer,
  teach,
  type WebmailPage,
} from './ahead.test-support.ts'

/** A message page that asks for these parts, one after the other. */
const opening = (...parts: string[]): WebmailPage => [
  ['SELECT INBOX', '3 EXISTS'],
  ['UID FETCH 20 (UID RFC822.SIZE FLAGS BODYSTRUCTURE)'],
  ...parts.map((part): WebmailPage[number] => [`UID FETCH 20 (${part})`]),
]
const html = opening('BODY.PEEK[2]')
const text = opening('BODY.PEEK[1]')
const mixed = opening('BODY.PEEK[2.MIME]', 'BODY.PEEK[1.1]')

/** The client has got the structure of a message of this size, and the edge has asked for its parts. */
async function opened(pages: readonly WebmailPage[], joined: string, size = 500) {
  const knowledge = knowledgeOf([['SELECT INBOX'], ['NOOP', `1 FETCH (UID 10 RFC822.SIZE ${size})`]])
  for (const page of pages) teach(knowledge, page, 'main jane')
  const session = await beginAhead(knowledge)
  session.fromClient(`a SELECT INBOX\r\n`)
  await session.up(1)
  session.fromServer('* 3 EXISTS\r\na OK done\r\n')
  await session.client.until('a OK done\r\n')
  session.fromClient(`b ${structure}\r\n`)
  assert.deepEqual(await session.up(2), [structure, joined])
  session.fromServer(`${structureAnswer}b OK done\r\n`)
  await session.client.until('b OK done\r\n')
  const answer = (data: string) => session.fromServer(`${data}${session.tag(joined)} OK done\r\n`)
  return { ...session, answer }
}

const both = 'UID FETCH 10 (BODY.PEEK[1] BODY.PEEK[2])'
const bothAnswer = '* 1 FETCH (UID 10 BODY[1] {11}\r\n) BODY[2]\r\n BODY[2] {3}\r\nx)\n)\r\n'

test('parts of a message are requested in one question, and the client gets the part that it asks for', async () => {
  for (const [part, data] of [
    ['1', 'BODY[1] {11}\r\n) BODY[2]\r\n'],
    ['2', 'BODY[2] {3}\r\nx)\n'],
  ]) {
    const { client, fromClient, answer, isQuiet, counters } = await opened([html, text, html, text], both)
    answer(bothAnswer)
    fromClient(`c UID FETCH 10 (BODY.PEEK[${part}])\r\n`)
    const got = await client.until('c OK done\r\n')
    assert.equal(got, `* 1 FETCH (UID 10 ${data})\r\nc OK done\r\n`)
    await isQuiet()
    assert.equal(counters.ahead_asked_total({ upstream: 'main' }).value, 1)
    assert.equal(counters.ahead_used_total({ upstream: 'main' }).value, 1)
  }
})

test('one answer serves a client that asks for one part after the other, and later reports follow it', async () => {
  const joined = 'UID FETCH 10 (BODY.PEEK[2.MIME] BODY.PEEK[1.1])'
  const { client, fromClient, fromServer, answer, isQuiet } = await opened([mixed, mixed], joined)
  fromClient('c UID FETCH 10 (BODY.PEEK[2.MIME])\r\n')
  await isQuiet()
  fromServer('* 1 FETCH (BODY[1.1] "a\\"b" UID 10 BODY[2.MIME] NIL)\r\n')
  answer('* 4 EXISTS\r\n')
  assert.equal(await client.until('c OK done\r\n'), '* 1 FETCH (UID 10 BODY[2.MIME] NIL)\r\nc OK done\r\n')
  fromClient('d UID FETCH 10 (BODY.PEEK[1.1])\r\n')
  assert.equal(await client.until('d OK done\r\n'), '* 1 FETCH (BODY[1.1] "a\\"b" UID 10)\r\nd OK done\r\n')
  fromClient('e NOOP\r\n')
  fromServer('e OK done\r\n')
  assert.equal(await client.until('e OK done\r\n'), '* 4 EXISTS\r\ne OK done\r\n')
})

test('a report between an older answer and the parts is sent before the parts, and only the older answer is dropped', async () => {
  const page: WebmailPage = [
    ['SELECT INBOX', '3 EXISTS'],
    ['UID SEARCH SUBJECT x'],
    ['UID FETCH 10 (BODY.PEEK[1])'],
    ['UID FETCH 10 (BODY.PEEK[2])'],
  ]
  const knowledge = knowledgeOf([['SELECT INBOX'], ['NOOP', '1 FETCH (UID 10 RFC822.SIZE 500)']], page, page)
  const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledge)
  fromClient('a SELECT INBOX\r\n')
  const [, search = '', parts = ''] = await up(3)
  assert.equal(parts, both)
  fromServer('* 3 EXISTS\r\na OK done\r\n')
  await client.until('a OK done\r\n')
  fromServer(`* ESEARCH (TAG "${tag(search)}") UID ALL 10:12\r\n* 4 EXISTS\r\n${bothAnswer}`)
  fromServer(`${tag(search)} OK done\r\n${tag(parts)} OK done\r\n`)
  fromClient('b UID FETCH 10 (BODY.PEEK[2])\r\n')
  const got = await client.until('b OK done\r\n')
  assert.equal(got, '* 4 EXISTS\r\n* 1 FETCH (UID 10 BODY[2] {3}\r\nx)\n)\r\nb OK done\r\n')
})

test('a part that is not in the answer, or whose answer cannot be parsed, is requested again', async () => {
  for (const [data, command] of [
    ['* 1 FETCH (UID 10 BODY[1] "x")\r\n', 'UID FETCH 10 (BODY.PEEK[2])'],
    ['* 1 FETCH (BODY[1] "x" BODY[2] "y")\r\n', 'UID FETCH 10 (BODY.PEEK[2])'],
    ['* 1 FETCH (UID 10 BODY[1] (x (y)) BODY[2] "y")\r\n', 'UID FETCH 10 (BODY.PEEK[2])'],
    ['* 1 FETCH (UID 10 BODY[1] "x" BODY[1] "z" BODY[2] "y")\r\n', 'UID FETCH 10 (BODY.PEEK[2])'],
    [
      '* 1 FETCH (UID 10 BODY[1] "x" BODY[2] "y")\r\n* 1 FETCH (UID 10 BODY[2] "z")\r\n',
      'UID FETCH 10 (BODY.PEEK[2])',
    ],
    [bothAnswer, 'UID FETCH 10 (BODY.PEEK[3])'],
    [bothAnswer, 'UID FETCH 11 (BODY.PEEK[1])'],
    // It would mark the message as read.
    [bothAnswer, 'UID FETCH 10 (BODY[1])'],
    [bothAnswer, 'UID FETCH 10 (BODY.PEEK[1]<0.5>)'],
  ] as const) {
    const { fromClient, answer, up } = await opened([html, text, html, text], both)
    answer(data)
    fromClient(`c ${command}\r\n`)
    assert.deepEqual(await up(1), [command])
  }
})

test('complete parts are requested only if all of them are small enough to be held', async () => {
  const nested = [opening('BODY.PEEK[1.1]'), text, opening('BODY.PEEK[1.1]'), text]
  // A multipart contains its parts, so the same text may be sent twice.
  await opened(nested, 'UID FETCH 10 (BODY.PEEK[1] BODY.PEEK[1.1])', 60_000)
  await opened(nested, 'UID FETCH 10 (BODY.PEEK[1]<0.32768> BODY.PEEK[1.1]<0.32768>)', 90_000)
})

test('the first bytes of a part of a large message are requested, and given if they are the whole part', async () => {
  const bounded = 'UID FETCH 10 (BODY.PEEK[1]<0.32768>)'
  const literal = (length: number) => `{${length}}\r\n${'x'.repeat(length)}`
  for (const [data, given] of [
    [`BODY[1]<0> ${literal(3)}`, `BODY[1] ${literal(3)}`],
    [`BODY[1]<0> ${literal(32_700)}`, `BODY[1] ${literal(32_700)}`],
    ['BODY[1]<0> "a b"', 'BODY[1] "a b"'],
    ['BODY[1] NIL', 'BODY[1] NIL'],
    // The server has ignored the range.
    [`BODY[1] ${literal(40_000)}`, `BODY[1] ${literal(40_000)}`],
    [`BODY[1]<0> ${literal(32_768)}`, undefined],
    [`BODY[1]<1> ${literal(3)}`, undefined],
  ] as const) {
    const { client, fromClient, answer, up, isQuiet } = await opened([text, text], bounded, 4_000_000)
    answer(`* 1 FETCH (UID 10 ${data})\r\n`)
    fromClient('c UID FETCH 10 (BODY.PEEK[1])\r\n')
    if (given === undefined) assert.deepEqual(await up(1), ['UID FETCH 10 (BODY.PEEK[1])'])
    else {
      assert.equal(await client.until('c OK done\r\n'), `* 1 FETCH (UID 10 ${given})\r\nc OK done\r\n`)
      await isQuiet()
    }
  }
})

test('the client can get another part although one was cut off', async () => {
  const joined = 'UID FETCH 10 (BODY.PEEK[2.MIME] BODY.PEEK[1.1]<0.32768>)'
  const { client, fromClient, answer, up } = await opened([mixed, mixed], joined, 4_000_000)
  answer(`* 1 FETCH (UID 10 BODY[2.MIME] "a" BODY[1.1]<0> {32768}\r\n${'x'.repeat(32_768)})\r\n`)
  fromClient('c UID FETCH 10 (BODY.PEEK[2.MIME])\r\n')
  assert.equal(await client.until('c OK done\r\n'), '* 1 FETCH (UID 10 BODY[2.MIME] "a")\r\nc OK done\r\n')
  fromClient('d UID FETCH 10 (BODY.PEEK[1.1])\r\n')
  assert.deepEqual(await up(1), ['UID FETCH 10 (BODY.PEEK[1.1])'])
})
