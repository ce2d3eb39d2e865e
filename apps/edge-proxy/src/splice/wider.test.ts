/** Questions that are sent in a wider form than the client is expected to use. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginAhead, headers, knowledgeOf, teach, type WebmailPage } from './ahead.test-support.ts'

const list: WebmailPage = [
  ['SELECT INBOX', '3 EXISTS', '0 RECENT', 'OK [UIDNEXT 13] x'],
  ['UID SEARCH 3', 'SEARCH 12'],
  ['UID SEARCH ALL', 'SEARCH 10 11 12'],
  [`UID FETCH 10:12 ${headers}`, '1 FETCH (UID 10 RFC822.SIZE 500 FLAGS ())'],
]
const all = 'UID SEARCH RETURN (ALL) ALL'
const newest = `UID FETCH 10:* ${headers}`

const fetched = (number: number, uid = number + 9): string =>
  `* ${number} FETCH (UID ${uid} RFC822.SIZE 500 FLAGS () BODY[HEADER.FIELDS (DATE FROM)] {4}\r\nab\r\n)\r\n`
const messages = (...numbers: number[]): string => numbers.map((number) => fetched(number)).join('')

/** The mailbox has this number of messages when it is selected, and the client has got the answer to SELECT. */
async function selected(count: number) {
  const session = await beginAhead(knowledgeOf(list))
  session.fromClient('a SELECT INBOX\r\n')
  assert.deepEqual(await session.up(3), ['SELECT INBOX', all, newest])
  session.fromServer(`* ${count} EXISTS\r\n* 0 RECENT\r\n* OK [UIDNEXT ${count + 10}] x\r\na OK done\r\n`)
  await session.client.until('a OK done\r\n')
  const ok = (text: string, data: string) => session.fromServer(`${data}${session.tag(text)} OK done\r\n`)
  const found = (text: string, uids: string) => `* ESEARCH (TAG "${session.tag(text)}") UID ALL ${uids}\r\n`
  return { ...session, ok, found }
}

test('the answer to a wider question includes new messages, and the client gets the messages that it asks for', async () => {
  for (const [count, set, wanted] of [
    [3, '10:12', [1, 2, 3]],
    [4, '11:13', [2, 3, 4]],
    [4, '10,13', [1, 4]],
  ] as const) {
    const { client, fromClient, ok, found, isQuiet, counters } = await selected(count)
    ok(all, found(all, `10:${count + 9}`))
    ok(newest, messages(...[1, 2, 3, 4].slice(0, count)))
    fromClient(`b UID SEARCH ${count}\r\nc UID SEARCH ALL\r\n`)
    assert.match(await client.until('b OK done\r\n'), new RegExp(`^\\* SEARCH ${count + 9}\r\n`))
    await client.until('c OK done\r\n')
    fromClient(`d UID FETCH ${set} ${headers}\r\n`)
    assert.equal(await client.until('d OK done\r\n'), `${messages(...wanted)}d OK done\r\n`)
    await isQuiet()
    assert.equal(counters.ahead_used_total({ upstream: 'main' }).value, 3)
  }
})

test('a mailbox that is little larger than a page is requested as a whole, for any of its pages', async () => {
  for (const [exists, requested] of [
    [6, '1:*'],
    [7, `${7 + 6}:*`],
  ] as const) {
    const last = exists + 9
    const page = `${last - 3}:${last}`
    const uids = Array.from({ length: exists }, (_, index) => index + 10)
    const session = await beginAhead(
      knowledgeOf([
        ['SELECT INBOX', `${exists} EXISTS`, '0 RECENT', `OK [UIDNEXT ${last + 1}] x`],
        ['UID SEARCH ALL', `SEARCH ${uids.join(' ')}`],
        [`UID FETCH ${page} ${headers}`, `${exists} FETCH (UID ${last} RFC822.SIZE 500 FLAGS ())`],
      ]),
    )
    const { client, fromClient, fromServer, up, tag, isQuiet } = session
    const requestedList = `UID FETCH ${requested} ${headers}`
    fromClient('a SELECT INBOX\r\n')
    assert.deepEqual(await up(3), ['SELECT INBOX', all, requestedList])
    fromServer(`* ${exists} EXISTS\r\n* 0 RECENT\r\n* OK [UIDNEXT ${last + 1}] x\r\na OK done\r\n`)
    fromServer(`* ESEARCH (TAG "${tag(all)}") UID ALL 10:${last}\r\n${tag(all)} OK done\r\n`)
    const isWhole = requested === '1:*'
    const numbers = uids.map((_, index) => index + 1)
    fromServer(`${messages(...(isWhole ? numbers : numbers.slice(-4)))}${tag(requestedList)} OK done\r\n`)
    fromClient('b UID SEARCH ALL\r\n')
    await client.until('b OK done\r\n')
    // The older page.
    fromClient(`c UID FETCH 10:11 ${headers}\r\n`)
    if (isWhole) {
      assert.equal(await client.until('c OK done\r\n'), `${messages(1, 2)}c OK done\r\n`)
      await isQuiet()
    } else assert.deepEqual(await up(1), [`UID FETCH 10:11 ${headers}`])
  }
})

test('a command waits for a wider question in flight that may contain its answer', async () => {
  const { client, fromClient, ok, found, isQuiet } = await selected(3)
  fromClient('b UID SEARCH 3\r\n')
  await isQuiet()
  ok(all, found(all, '10:12'))
  assert.equal(await client.until('b OK done\r\n'), '* SEARCH 12\r\nb OK done\r\n')
})

test('a list of all messages answers questions for one message by its number, and then the question for all', async () => {
  const { client, fromClient, fromServer, ok, found, isQuiet, counters } = await selected(3)
  ok(all, found(all, '10,12:13'))
  ok(newest, messages(1))
  fromServer('* 4 EXISTS\r\n')
  for (const [text, answer] of [
    ['UID SEARCH 3', '13'],
    ['UID SEARCH 1', '10'],
    ['UID SEARCH ALL', '10 12 13'],
  ]) {
    fromClient(`b ${text}\r\n`)
    assert.equal(await client.until('b OK done\r\n'), `* SEARCH ${answer}\r\nb OK done\r\n`)
  }
  await isQuiet()
  fromClient('c NOOP\r\n')
  fromServer('c OK done\r\n')
  assert.equal(await client.until('c OK done\r\n'), '* 4 EXISTS\r\nc OK done\r\n')
  // The page of messages was not used, the list was.
  assert.equal(counters.ahead_used_total({ upstream: 'main' }).value, 3)
  assert.equal(counters.ahead_dropped_total({ upstream: 'main', reason: 'not-asked' }).value, 1)
})

test('a wider answer that does not contain all that the client asks for is not given', async () => {
  for (const [text, count, data] of [
    // The list has a message that the client does not know, or lacks one that it knows.
    ['UID SEARCH 3', 3, '10:13'],
    ['UID SEARCH 3', 3, '10,12'],
    ['UID SEARCH 4', 3, '10:12'],
    // The client's page begins before the one that was requested, or is larger.
    [`UID FETCH 9:12 ${headers}`, 3, '10:12'],
    [`UID FETCH 10:13 ${headers}`, 3, '10:12'],
  ] as const) {
    const { client, fromClient, ok, found, up } = await selected(count)
    ok(all, found(all, data))
    ok(newest, messages(1, 2, 3))
    if (text.includes('FETCH')) {
      fromClient('b UID SEARCH 3\r\nc UID SEARCH ALL\r\n')
      await client.until('c OK done\r\n')
    }
    fromClient(`d ${text}\r\n`)
    assert.deepEqual((await up(1))[0], text)
  }
})

test('sequence numbers are those before an EXPUNGE that the client has not been told of', async () => {
  for (const expunged of ['before', 'behind']) {
    const { client, fromClient, ok, found } = await selected(3)
    const expunge = '* 1 EXPUNGE\r\n'
    ok(all, expunged === 'before' ? expunge + found(all, '11:12') : found(all, '10:12') + expunge)
    ok(newest, messages(1, 2))
    fromClient('b UID SEARCH 2\r\n')
    assert.match(
      await client.until('\r\n'),
      expunged === 'before' ? /^b NO \[EXPUNGEISSUED\]/ : /^\* SEARCH 11\r\n/,
    )
  }
})

const large: WebmailPage = [
  ['SELECT INBOX', '3000 EXISTS', '0 RECENT', 'OK [UIDNEXT 4000] x'],
  ['UID SEARCH 3000', 'SEARCH 3999'],
]
const last = 'UID SEARCH RETURN (ALL) *'

test('in a large mailbox, only the last message is requested', async () => {
  for (const [number, count, isAnswered] of [
    [3000, 3000, true],
    [3001, 3001, true],
    // A message has arrived, so the last one has another sequence number.
    [3000, 3001, false],
    [2999, 3000, false],
  ] as const) {
    const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledgeOf(large))
    fromClient('a SELECT INBOX\r\n')
    assert.deepEqual(await up(2), ['SELECT INBOX', last])
    fromServer(`* ${count} EXISTS\r\na OK done\r\n`)
    await client.until('a OK done\r\n')
    fromServer(`* ESEARCH (TAG "${tag(last)}") UID ALL 4000\r\n${tag(last)} OK done\r\n`)
    fromClient(`b UID SEARCH ${number}\r\n`)
    if (isAnswered) assert.equal(await client.until('b OK done\r\n'), '* SEARCH 4000\r\nb OK done\r\n')
    else assert.deepEqual(await up(1), [`UID SEARCH ${number}`])
  }
})

test('an older page, and messages found by a search for words, are requested exactly', async () => {
  const older = `UID FETCH 10:11 ${headers}`
  const page: WebmailPage = [
    ['SELECT INBOX', '3 EXISTS', 'OK [UIDNEXT 13] x'],
    ['UID SEARCH ALL', 'SEARCH 10 11 12'],
    [older],
  ]
  const session = await beginAhead(knowledgeOf(page, page))
  session.fromClient('a SELECT INBOX\r\n')
  assert.deepEqual(await session.up(3), ['SELECT INBOX', all, older])
})

/** A folder that the user opens for the first time. The edge knows its number of messages from an earlier STATUS. */
async function firstOpened(count: number) {
  const knowledge = knowledgeOf([['STATUS Sent (MESSAGES)', 'STATUS Sent (MESSAGES 3)'], ['NOOP']])
  for (const user of ['main jane', 'main jim']) teach(knowledge, folder, user)
  const session = await beginAhead(knowledge)
  const byNumber = `FETCH 2:* ${headers}`
  session.fromClient('a SELECT Sent\r\n')
  assert.deepEqual(await session.up(3), ['SELECT Sent', all, byNumber])
  session.fromServer(`* ${count} EXISTS\r\n* OK [UIDNEXT 90] x\r\na OK done\r\n`)
  await session.client.until('a OK done\r\n')
  const ok = (text: string, data: string) => session.fromServer(`${data}${session.tag(text)} OK done\r\n`)
  const found = (uids: string) => `* ESEARCH (TAG "${session.tag(all)}") UID ALL ${uids}\r\n`
  return { ...session, ok, found, byNumber }
}
const folder: WebmailPage = [
  ['SELECT Sent', '3 EXISTS', 'OK [UIDNEXT 13] x'],
  ['UID SEARCH ALL', 'SEARCH 10 11 12'],
  [`UID FETCH 11:12 ${headers}`, '2 FETCH (UID 11 RFC822.SIZE 500 FLAGS ())'],
]

test('the newest messages of a folder with unknown UIDs are requested by sequence numbers', async () => {
  for (const [count, uids, set, wanted] of [
    [3, '50,70,80', '70,80', [2, 3]],
    // A message has arrived.
    [4, '50,70,80,85', '80,85', [3, 4]],
  ] as const) {
    const { client, fromClient, ok, found, byNumber, isQuiet, counters } = await firstOpened(count)
    const message = (number: number) => fetched(number, Number(uids.split(',')[number - 1]))
    ok(all, found(uids))
    ok(
      byNumber,
      [2, 3, 4]
        .slice(0, count - 1)
        .map(message)
        .join(''),
    )
    fromClient('b UID SEARCH ALL\r\n')
    await client.until('b OK done\r\n')
    fromClient(`c UID FETCH ${set} ${headers}\r\n`)
    assert.equal(await client.until('c OK done\r\n'), `${wanted.map(message).join('')}c OK done\r\n`)
    await isQuiet()
    assert.equal(counters.ahead_used_total({ upstream: 'main' }).value, 2)
  }
})

test('an answer by sequence numbers is not given if it lacks a message that the client asks for', async () => {
  const { client, fromClient, ok, found, byNumber, up } = await firstOpened(3)
  ok(all, found('50,70,80'))
  ok(byNumber, fetched(2, 70) + fetched(3, 80))
  fromClient('b UID SEARCH ALL\r\n')
  await client.until('b OK done\r\n')
  fromClient(`c UID FETCH 50,70,80 ${headers}\r\n`)
  assert.deepEqual(await up(1), [`UID FETCH 50,70,80 ${headers}`])
})

test('a page by message numbers that are too high is dropped, and answer-ahead is not paused', async () => {
  const knowledge = knowledgeOf([
    ['STATUS INBOX (MESSAGES)', 'STATUS INBOX (MESSAGES 4)'],
    ['SELECT INBOX', '4 EXISTS', 'OK [UIDNEXT 13] x'],
    ['UID SEARCH ALL', 'SEARCH 9 10 11 12'],
    ['UID FETCH 10:12 (UID FLAGS ENVELOPE)', '2 FETCH (UID 10 FLAGS ())'],
  ])
  knowledge.answered(4)
  // The UIDs of this user are unknown.
  const session = await beginAhead(knowledge, {
    ahead: { upstream: 'main', mode: 'on', roundTripMinMs: 0, knowledge, identity: 'main ann' },
  })
  session.fromClient('a STATUS INBOX (MESSAGES)\r\n')
  const first = await session.up(3)
  session.fromServer('* STATUS INBOX (MESSAGES 4)\r\na OK done\r\n')
  await session.client.until('a OK done\r\n')
  const numbered = 'FETCH 2:* (UID FLAGS ENVELOPE)'
  assert.deepEqual(
    [first.slice(1), await session.up(1)],
    [['SELECT INBOX', 'UID SEARCH RETURN (ALL) ALL'], [numbered]],
  )
  // Meanwhile all messages but one were removed.
  session.fromServer(`* 1 EXISTS\r\n${session.tag('SELECT INBOX')} OK done\r\n`)
  session.fromServer(`${session.tag(numbered)} BAD Invalid messageset\r\n`)
  assert.notEqual(knowledge.commandsMax(0), 0)
  session.fromClient('b SELECT INBOX\r\n')
  assert.equal(await session.client.until('b OK done\r\n'), '* 1 EXISTS\r\nb OK done\r\n')
})
