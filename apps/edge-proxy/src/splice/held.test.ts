import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Knowledge } from '../ahead/knowledge.ts'
import { commandOf } from '../ahead/shapes.ts'
import {
  beginAhead,
  fetch,
  knowledgeOf,
  listing,
  message,
  extendedSearch,
  selectAnswer,
  teach,
  type WebmailPage,
} from './ahead.test-support.ts'

// Answers are matched to commands by content.

test('data and tagged replies in any order reach the command that they answer', async () => {
  const { client, fromClient, fromServer, ok, esearch } = await listing()
  fromServer(selectAnswer + message + esearch(' ALL 10:12'))
  ok(fetch)
  ok(extendedSearch)
  ok('SELECT INBOX')
  fromClient('b SELECT INBOX\r\n')
  assert.equal(await client.until('done\r\n'), `${selectAnswer}b OK done\r\n`)
  fromClient('c UID SEARCH SUBJECT x\r\n')
  assert.equal(await client.until('done\r\n'), '* SEARCH 10 11 12\r\nc OK done\r\n')
  fromClient(`d ${fetch}\r\n`)
  assert.equal(await client.until('done\r\n'), `${message}d OK done\r\n`)
})

test('an answer that is within a literal when the client asks for it continues to stream', async () => {
  const { client, fromClient, fromServer, ok, esearch, tag } = await listing()
  fromServer(selectAnswer)
  ok('SELECT INBOX')
  ok(extendedSearch, esearch(' ALL 10:12'))
  fromClient('b SELECT INBOX\r\n')
  fromClient('c UID SEARCH SUBJECT x\r\n')
  await client.until('c OK done\r\n')
  fromServer(message.slice(0, -6))
  fromClient(`d ${fetch}\r\n`)
  assert.equal(await client.bytes(message.length - 6), message.slice(0, -6))
  fromServer(message.slice(-6))
  fromServer(message + tag(fetch))
  fromServer(' OK done\r\n')
  assert.equal(await client.until('OK done\r\n'), `${message.slice(-6)}${message}d OK done\r\n`)
})

test('a client that asks for the counts of several mailboxes gets each by its name', async () => {
  const page: WebmailPage = [['STATUS a (UNSEEN)'], ['STATUS b (UNSEEN)'], ['STATUS c (UNSEEN)']]
  const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledgeOf(page, page))
  fromClient('1 STATUS a (UNSEEN)\r\n')
  assert.deepEqual(await up(3), ['STATUS a (UNSEEN)', 'STATUS b (UNSEEN)', 'STATUS c (UNSEEN)'])
  fromServer('* STATUS c (UNSEEN 3)\r\n* STATUS "b" (UNSEEN 2)\r\n* STATUS a (UNSEEN 1)\r\n')
  fromServer(`${tag('STATUS c (UNSEEN)')} OK\r\n${tag('STATUS b (UNSEEN)')} OK\r\n1 OK\r\n`)
  assert.equal(await client.until('OK\r\n'), '* STATUS a (UNSEEN 1)\r\n1 OK\r\n')
  fromClient('2 STATUS b (UNSEEN)\r\n')
  assert.equal(await client.until('OK\r\n'), '* STATUS "b" (UNSEEN 2)\r\n2 OK\r\n')
  fromClient('3 STATUS c (UNSEEN)\r\n')
  assert.equal(await client.until('OK\r\n'), '* STATUS c (UNSEEN 3)\r\n3 OK\r\n')
})

/** Two questions for counts of one mailbox. Only the second one asks for UIDNEXT. */
const twoCounts: WebmailPage = [['STATUS a (UNSEEN)'], ['STATUS a (UNSEEN UIDNEXT)']]

test('counts of one mailbox are told apart by an item that only the expected question asks for', async () => {
  const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledgeOf(twoCounts, twoCounts))
  fromClient('1 STATUS a (UNSEEN)\r\n')
  assert.deepEqual(await up(2), ['STATUS a (UNSEEN)', 'STATUS a (UNSEEN UIDNEXT)'])
  const expected = tag('STATUS a (UNSEEN UIDNEXT)')
  fromServer(`* STATUS a (UNSEEN 2 UIDNEXT 9)\r\n* STATUS a (UNSEEN 1)\r\n${expected} OK\r\n1 OK\r\n`)
  assert.equal(await client.until('OK\r\n'), '* STATUS a (UNSEEN 1)\r\n1 OK\r\n')
  fromClient('2 STATUS a (UNSEEN UIDNEXT)\r\n')
  assert.equal(await client.until('OK\r\n'), '* STATUS a (UNSEEN 2 UIDNEXT 9)\r\n2 OK\r\n')
})

test('if the server omits counts, the client still gets every answer', async () => {
  const knowledge = knowledgeOf(twoCounts, twoCounts)
  const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledge)
  fromClient('1 STATUS a (UNSEEN)\r\n')
  await up(2)
  fromServer('* STATUS a (UNSEEN 1)\r\n1 OK\r\n')
  await client.until('1 OK\r\n')
  // Only the expected question can have this answer.
  fromServer(`* STATUS a (UNSEEN 2)\r\n${tag('STATUS a (UNSEEN UIDNEXT)')} OK\r\n`)
  fromClient('2 STATUS a (UNSEEN UIDNEXT)\r\n')
  assert.equal(await client.until('OK\r\n'), '* STATUS a (UNSEEN 2)\r\n2 OK\r\n')
  assert.equal(knowledge.commandsMax(0), 4)
})

test('counts are not asked for while the client waits for counts that include them', async () => {
  const page: WebmailPage = twoCounts.toReversed()
  const first = await beginAhead(knowledgeOf(page, page))
  first.fromClient('1 STATUS a (UNSEEN UIDNEXT)\r\n')
  await first.up(1)
  await first.isQuiet()

  // The client asks for them while the dropped answer has not arrived yet.
  const other: WebmailPage = [['NAMESPACE'], ['STATUS a (UNSEEN)']]
  const { client, fromClient, fromServer, up, tag, isQuiet } = await beginAhead(knowledgeOf(other, other))
  fromClient('1 NAMESPACE\r\n')
  await up(2)
  fromServer('* NAMESPACE NIL NIL NIL\r\n1 OK\r\n')
  await client.until('1 OK\r\n')
  fromClient('2 STATUS a (UNSEEN UIDNEXT)\r\n')
  await isQuiet()
  fromServer(`* STATUS a (UNSEEN 1)\r\n${tag('STATUS a (UNSEEN)')} OK\r\n`)
  assert.deepEqual(await up(1), ['STATUS a (UNSEEN UIDNEXT)'])
  fromServer('* STATUS a (UNSEEN 2 UIDNEXT 9)\r\n2 OK\r\n')
  assert.equal(await client.until('OK\r\n'), '* STATUS a (UNSEEN 2 UIDNEXT 9)\r\n2 OK\r\n')
})

test('two commands whose answers look alike are never in flight together', async () => {
  const searches: WebmailPage = [
    ['SELECT INBOX', '3 EXISTS'],
    ['UID SEARCH UNSEEN'],
    ['UID SEARCH SUBJECT x'],
  ]
  const lists: WebmailPage = [['SELECT INBOX', '3 EXISTS'], ['LIST "" "*"'], ['LIST (SUBSCRIBED) "" "*"']]
  const fetches: WebmailPage = [
    ['SELECT INBOX', '3 EXISTS'],
    ['UID FETCH 10 (UID BODYSTRUCTURE)'],
    ['UID FETCH 10 (BODYSTRUCTURE ENVELOPE)'],
  ]
  for (const page of [searches, lists, fetches]) {
    const offered = 'IMAP4REV1 UNSELECT'
    const { fromClient, up, isQuiet } = await beginAhead(knowledgeOf(page, page), { offered })
    fromClient('a SELECT INBOX\r\n')
    assert.deepEqual(await up(2), [page[0]![0], page[1]![0]])
    await isQuiet()
  }
})

test('two searches are told apart by their tags if the server has ESEARCH', async () => {
  const page: WebmailPage = [
    ['SELECT INBOX', '3 EXISTS'],
    ['UID SEARCH UNSEEN'],
    ['UID SEARCH RETURN (ALL) SUBJECT x'],
  ]
  const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledgeOf(page, page))
  fromClient('a SELECT INBOX\r\n')
  const unseen = 'UID SEARCH RETURN (ALL) UNSEEN'
  assert.deepEqual(await up(3), ['SELECT INBOX', unseen, extendedSearch])
  fromServer('* 3 EXISTS\r\na OK done\r\n')
  fromServer(`* ESEARCH (TAG "${tag(extendedSearch)}") UID ALL 10:12\r\n${tag(extendedSearch)} OK done\r\n`)
  fromServer(`* ESEARCH (TAG "${tag(unseen)}") UID\r\n${tag(unseen)} OK done\r\n`)
  await client.until('a OK done\r\n')
  fromClient('b UID SEARCH UNSEEN\r\n')
  assert.equal(await client.until('done\r\n'), '* SEARCH\r\nb OK done\r\n')
  fromClient('c UID SEARCH RETURN (ALL) SUBJECT x\r\n')
  assert.equal(await client.until('done\r\n'), '* ESEARCH (TAG "c") UID ALL 10:12\r\nc OK done\r\n')
})

test('a search result that cannot be printed in the form that the client expects is requested again', async () => {
  for (const result of [' ALL 1:4000000000', ' ALL 1:*', '', ' ALL 10 X 1']) {
    const { client, fromClient, fromServer, ok, esearch, up } = await listing()
    ok('SELECT INBOX', selectAnswer)
    fromClient('b SELECT INBOX\r\n')
    await client.until('b OK done\r\n')
    ok(extendedSearch, result === '' ? '' : esearch(result))
    fromClient('c UID SEARCH SUBJECT x\r\n')
    assert.deepEqual(await up(1), ['UID SEARCH SUBJECT x'])
    fromServer('* SEARCH 7\r\nc OK done\r\n')
    assert.equal(await client.until('c OK done\r\n'), '* SEARCH 7\r\nc OK done\r\n')
  }
})

test('a search result that cannot be parsed, while the client waits for it, is answered with NO', async () => {
  const { client, fromClient, fromServer, ok, esearch, tag } = await listing()
  ok('SELECT INBOX', selectAnswer)
  fromClient('b SELECT INBOX\r\nc UID SEARCH SUBJECT x\r\n')
  await client.until('b OK done\r\n')
  fromServer(`${esearch(' ALL 10 X 1')}${tag(extendedSearch)} OK done\r\n`)
  assert.match(await client.line(), /^c NO \[UNAVAILABLE\] /)
})

// The state of the mailbox.

test('an EXPUNGE is sent with the last command whose data came before it', async () => {
  const { client, fromClient, fromServer, ok, esearch } = await listing()
  fromServer(`${selectAnswer}${esearch(' ALL 10:12')}${message}* 1 EXPUNGE\r\n* 3 EXISTS\r\n`)
  ok('SELECT INBOX')
  ok(extendedSearch)
  ok(fetch)
  fromClient('b SELECT INBOX\r\n')
  assert.equal(await client.until('done\r\n'), `${selectAnswer}b OK done\r\n`)
  fromClient('c UID SEARCH SUBJECT x\r\n')
  assert.equal(await client.until('done\r\n'), '* SEARCH 10 11 12\r\nc OK done\r\n')
  fromClient(`d ${fetch}\r\n`)
  assert.equal(await client.until('done\r\n'), `${message}* 1 EXPUNGE\r\n* 3 EXISTS\r\nd OK done\r\n`)
})

test('an EXPUNGE before the data of a command is sent before that data', async () => {
  const { client, fromClient, fromServer, ok, esearch } = await listing()
  fromServer(`${selectAnswer}${esearch(' ALL 10:12')}* 1 EXPUNGE\r\n${message}`)
  ok('SELECT INBOX')
  ok(extendedSearch)
  ok(fetch)
  fromClient('b SELECT INBOX\r\n')
  await client.until('b OK done\r\n')
  fromClient('c UID SEARCH SUBJECT x\r\n')
  assert.equal(await client.until('done\r\n'), '* SEARCH 10 11 12\r\n* 1 EXPUNGE\r\nc OK done\r\n')
  fromClient(`d ${fetch}\r\n`)
  assert.equal(await client.until('done\r\n'), `${message}d OK done\r\n`)
})

test('an answer that is older than an EXPUNGE that must be sent first is requested again', async () => {
  const { client, fromClient, fromServer, ok, esearch, up } = await listing()
  // The server has answered the FETCH before the SEARCH.
  fromServer(`${selectAnswer}${message}* 1 EXPUNGE\r\n${esearch(' ALL 10:12')}`)
  ok('SELECT INBOX')
  ok(extendedSearch)
  ok(fetch)
  fromClient('b SELECT INBOX\r\n')
  await client.until('b OK done\r\n')
  fromClient('c UID SEARCH SUBJECT x\r\n')
  assert.equal(await client.until('done\r\n'), '* 1 EXPUNGE\r\n* SEARCH 10 11 12\r\nc OK done\r\n')
  fromClient(`d ${fetch}\r\n`)
  assert.deepEqual(await up(1), [fetch])
})

test('an EXPUNGE that arrives while the client waits is not sent before older data', async () => {
  const { client, fromClient, fromServer, ok, esearch } = await listing()
  fromClient('b SELECT INBOX\r\n')
  fromServer(`${selectAnswer}${esearch(' ALL 10:12')}${message}* 1 EXPUNGE\r\n`)
  ok('SELECT INBOX')
  assert.equal(await client.until('b OK done\r\n'), `${selectAnswer}b OK done\r\n`)
  fromClient('c UID SEARCH SUBJECT x\r\n')
  ok(extendedSearch)
  assert.equal(await client.until('done\r\n'), '* SEARCH 10 11 12\r\nc OK done\r\n')
  fromClient(`d ${fetch}\r\n`)
  ok(fetch)
  assert.equal(await client.until('done\r\n'), `${message}* 1 EXPUNGE\r\nd OK done\r\n`)
})

test('an EXPUNGE between the data of two questions is sent before the newer data, and the older data is dropped', async () => {
  const [envelope, structure] = ['UID FETCH 10 (UID ENVELOPE)', 'UID FETCH 10 (UID BODYSTRUCTURE)']
  const page: WebmailPage = [['SELECT INBOX', '3 EXISTS'], [envelope], [structure]]
  const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledgeOf(page, page))
  fromClient('a SELECT INBOX\r\n')
  assert.deepEqual(await up(3), ['SELECT INBOX', envelope, structure])
  fromServer('* 3 EXISTS\r\na OK done\r\n* 2 FETCH (UID 10 BODYSTRUCTURE ())\r\n* 1 EXPUNGE\r\n')
  fromServer('* 1 FETCH (UID 10 ENVELOPE ())\r\n')
  fromServer(`${tag(structure)} OK done\r\n${tag(envelope)} OK done\r\n`)
  await client.until('a OK done\r\n')
  fromClient(`b ${envelope}\r\n`)
  const told = '* 1 EXPUNGE\r\n* 1 FETCH (UID 10 ENVELOPE ())\r\nb OK done\r\n'
  assert.equal(await client.until('b OK done\r\n'), told)
  fromClient(`c ${structure}\r\n`)
  assert.deepEqual(await up(1), [structure])
})

test('while an EXPUNGE is held back, a command by sequence number is refused, and the EXPUNGE is sent with the next reply', async () => {
  for (const command of ['STORE 1 +FLAGS (x)', 'FETCH 1 FLAGS', 'UID SEARCH 1', 'SEARCH ALL', 'COPY 1 x']) {
    const { client, fromClient, fromServer, ok, esearch, up } = await listing()
    fromServer(`${selectAnswer}${esearch(' ALL 10:12')}${message}* 1 EXPUNGE\r\n`)
    for (const text of ['SELECT INBOX', extendedSearch, fetch]) ok(text)
    fromClient('b SELECT INBOX\r\n')
    await client.until('b OK done\r\n')
    fromClient(`c ${command}\r\n`)
    assert.match(await client.line(), /^c NO \[EXPUNGEISSUED\] /)
    fromClient('d NOOP\r\n')
    assert.deepEqual(await up(1), ['NOOP'])
    fromServer('d OK done\r\n')
    assert.equal(await client.until('done\r\n'), '* 1 EXPUNGE\r\nd OK done\r\n')
  }
})

test('a command by sequence number waits while the reply to an earlier command may report an EXPUNGE', async () => {
  const { client, fromClient, fromServer, ok, esearch, up, isQuiet } = await listing()
  ok('SELECT INBOX', selectAnswer)
  fromClient('b SELECT INBOX\r\n')
  await client.until('b OK done\r\n')
  fromClient('c STORE 1 +FLAGS (x)\r\n')
  ok(extendedSearch, esearch(' ALL 10:12'))
  fromServer(message)
  await isQuiet()
  ok(fetch)
  assert.deepEqual(await up(1), ['STORE 1 +FLAGS (x)'])
})

test('an answer is not selected by a sequence number from before an EXPUNGE', async () => {
  const page: WebmailPage = [['SELECT INBOX', '3 EXISTS'], ['UID SEARCH UNSEEN'], ['UID SEARCH 2']]
  for (const isWaiting of [false, true]) {
    const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledgeOf(page, page))
    fromClient('a SELECT INBOX\r\n')
    const [unseen, second] = ['UID SEARCH RETURN (ALL) UNSEEN', 'UID SEARCH RETURN (ALL) 2']
    assert.deepEqual(await up(3), ['SELECT INBOX', unseen, second])
    fromServer(`* 3 EXISTS\r\na OK done\r\n* ESEARCH (TAG "${tag(unseen)}") UID ALL 11\r\n`)
    fromServer(`${tag(unseen)} OK done\r\n`)
    await client.until('a OK done\r\n')
    fromClient('b UID SEARCH UNSEEN\r\n')
    await client.until('b OK done\r\n')
    const rest = `* 1 EXPUNGE\r\n* ESEARCH (TAG "${tag(second)}") UID ALL 12\r\n${tag(second)} OK done\r\n`
    if (!isWaiting) fromServer(rest)
    fromClient('c UID SEARCH 2\r\n')
    if (isWaiting) fromServer(rest)
    assert.match(await client.until('[EXPUNGEISSUED]'), /^(\* 1 EXPUNGE\r\n)?c NO \[EXPUNGEISSUED\]$/)
  }
})

test('a client that waits for its SELECT gets the counts in the order in which the server sent them', async () => {
  const page: WebmailPage = [['SELECT INBOX', '3 EXISTS', 'OK [UIDNEXT 13] x'], [fetch]]
  const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledgeOf(page, page))
  fromClient('a SELECT INBOX\r\n')
  assert.deepEqual(await up(2), ['SELECT INBOX', fetch])
  fromServer(`${selectAnswer}${message}* 4 EXISTS\r\n`)
  // The held answer becomes too large, so the report no longer has to wait for it.
  fromServer('* 2 FETCH (UID 11 BODY[HEADER.FIELDS (DATE FROM)] {200000}\r\n')
  for (let part = 0; part < 20; part++) fromServer('x'.repeat(10_000))
  fromServer(`)\r\n* 5 EXISTS\r\na OK done\r\n${tag(fetch)} OK done\r\n`)
  assert.equal(
    await client.until('a OK done\r\n'),
    `${selectAnswer}* 4 EXISTS\r\n* 5 EXISTS\r\na OK done\r\n`,
  )
})

test('a client without an unanswered command gets no reports', async () => {
  const { client, clientLink, fromServer, ok, fromClient } = await listing()
  ok('SELECT INBOX', selectAnswer)
  fromClient('b SELECT INBOX\r\n')
  await client.until('b OK done\r\n')
  fromServer('* 4 EXISTS\r\n* 2 FETCH (FLAGS (\\Seen))\r\n')
  clientLink.write('end\r\n')
  assert.equal(await client.line(), 'end')
})

test('a server that sends reports without end does not fill the memory', async () => {
  const floods = [
    (): string => '* 2 FETCH (FLAGS (\\Seen))\r\n'.repeat(2000),
    (count: number): string => (count === 0 ? '* 2 FETCH (BODY[] {4000000000}\r\n' : 'x'.repeat(60_000)),
  ]
  for (const flood of floods) {
    const session = await listing()
    session.ok('SELECT INBOX', selectAnswer)
    session.fromClient('b SELECT INBOX\r\n')
    await session.client.until('b OK done\r\n')
    for (let count = 0; count < 30 && session.endings.length === 0; count++) session.fromServer(flood(count))
    assert.deepEqual(session.endings, [{ kind: 'mailbox-lost' }])
  }
})

test('flags are asked ahead only while the client has received none since its SELECT', async () => {
  const page: WebmailPage = [
    ['SELECT INBOX', '3 EXISTS'],
    ['UID FETCH 10 (UID FLAGS ENVELOPE)', '1 FETCH (UID 10 FLAGS () ENVELOPE ())'],
    ['NAMESPACE'],
    ['UID FETCH 10 (UID FLAGS BODYSTRUCTURE)', '1 FETCH (UID 10 FLAGS () BODYSTRUCTURE ())'],
  ]
  const { client, fromClient, fromServer, up, tag, isQuiet } = await beginAhead(knowledgeOf(page, page))
  fromClient('a SELECT INBOX\r\n')
  const first = 'UID FETCH 10 (UID FLAGS ENVELOPE)'
  // The second question also asks for flags, and the first one may still be dropped.
  assert.deepEqual(await up(3), ['SELECT INBOX', first, 'NAMESPACE'])
  fromServer(
    `* 3 EXISTS\r\na OK done\r\n* 1 FETCH (UID 10 FLAGS () ENVELOPE ())\r\n${tag(first)} OK done\r\n`,
  )
  fromServer(`* NAMESPACE NIL NIL NIL\r\n${tag('NAMESPACE')} OK done\r\n`)
  await client.until('a OK done\r\n')
  fromClient(`b ${first}\r\n`)
  await client.until('b OK done\r\n')
  fromClient('c NAMESPACE\r\n')
  await client.until('c OK done\r\n')
  await isQuiet()
})

test('flags of a message are not asked ahead after the client has set them', async () => {
  for (const [stored, isAsked] of [
    ['UID STORE 10 ', false],
    ['UID STORE 12,9:11 ', false],
    ['UID STORE 11:12 ', true],
    ['UID STORE 11:* ', false],
    ['STORE 3 ', false],
  ] as const) {
    const command = `${stored}+FLAGS.SILENT (\\Seen)`
    const question = 'UID FETCH 10 (UID FLAGS ENVELOPE)'
    const page: WebmailPage = [
      ['SELECT INBOX', '3 EXISTS'],
      [command],
      ['NAMESPACE'],
      [question, '1 FETCH (UID 10 FLAGS () ENVELOPE ())'],
    ]
    const { client, fromClient, fromServer, up, isQuiet } = await beginAhead(knowledgeOf(page, page))
    fromClient('a SELECT INBOX\r\n')
    fromServer('* 3 EXISTS\r\na OK done\r\n')
    await client.until('a OK done\r\n')
    fromClient(`b ${command}\r\n`)
    assert.deepEqual(await up(2), ['SELECT INBOX', command])
    fromServer('b OK done\r\n')
    await client.until('b OK done\r\n')
    fromClient('c NAMESPACE\r\n')
    const sent = ['NAMESPACE', ...(isAsked ? [question] : [])]
    assert.deepEqual(await up(sent.length), sent, stored)
    await isQuiet()
  }
})

test('a command that waits too long for a question goes to the server itself', async () => {
  const page: WebmailPage = [
    ['SELECT INBOX', '3 EXISTS', '0 RECENT', 'OK [UIDNEXT 13] x'],
    ['UID SEARCH ALL', 'SEARCH 10 11 12'],
  ]
  for (const isTried of [true, false]) {
    const knowledge = isTried ? knowledgeOf(page, page) : new Knowledge()
    if (!isTried) for (let count = 0; count < 2; count++) teach(knowledge, page)
    if (!isTried) knowledge.measured(20, 0)
    const session = await beginAhead(knowledge, { pool: { replyTimeoutMs: 100 } })
    const { client, fromClient, fromServer, up, tag, endings, logged } = session
    fromClient('a SELECT INBOX\r\n')
    const [, search] = await up(2)
    fromServer(`${selectAnswer}a OK done\r\n`)
    await client.until('a OK done\r\n')
    fromClient('b UID SEARCH ALL\r\n')
    assert.deepEqual(await up(1), ['UID SEARCH ALL'])
    // If the server answers questions of other sessions, the cause is this question.
    assert.equal(knowledge.commandsMax(0), isTried ? 4 : 0)
    assert.equal(logged.includes('warn ahead_paused upstream=main reason=overdue'), !isTried)
    assert.ok(knowledge.isRefused(commandOf('UID SEARCH ALL').question!))
    // The server answers both after all.
    fromServer(`* ESEARCH (TAG "${tag(search!)}") UID ALL 10:12\r\n${tag(search!)} OK done\r\n`)
    fromServer('* SEARCH 10 11 12\r\nb OK done\r\n')
    assert.equal(await client.until('b OK done\r\n'), '* SEARCH 10 11 12\r\nb OK done\r\n')
    assert.deepEqual(endings, [])
  }
})

test('the client is not told how far the server is with a question that was asked ahead', async () => {
  const { client, fromClient, fromServer, tag } = await listing()
  fromClient('b NOOP\r\n')
  const ours = `* OK [INPROGRESS ("${tag(extendedSearch)}" 1 9)] Still searching\r\n`
  const theirs = '* OK [INPROGRESS ("b" 1 9)] Still here\r\n'
  fromServer(`${ours}${theirs}* OK [INPROGRESS] Hello\r\nb OK done\r\n`)
  assert.equal(await client.until('b OK done\r\n'), `${theirs}* OK [INPROGRESS] Hello\r\nb OK done\r\n`)
})

test('a list of flags does not overtake an earlier one that waits', async () => {
  const session = await listing()
  const { client, fromClient, fromServer, ok, esearch } = session
  ok('SELECT INBOX', selectAnswer)
  ok(extendedSearch, esearch(' ALL 10:12'))
  const [earlier, later] = ['* FLAGS (\\Seen a)\r\n', '* FLAGS (\\Seen a b)\r\n']
  fromServer(earlier)
  fromClient('b SELECT INBOX\r\n')
  await client.until('b OK done\r\n')
  fromServer(later)
  fromClient('c UID SEARCH SUBJECT x\r\nd NOOP\r\n')
  fromServer('d OK done\r\n')
  const told = await client.until('d OK done\r\n')
  assert.ok(told.includes(later) && told.indexOf(earlier) < told.indexOf(later), told)
})

test('a session ends if its command waits for a question with a similar answer, and the server never replies', async () => {
  const session = await listing({ offered: 'IMAP4REV1 UNSELECT', pool: { replyTimeoutMs: 100 } })
  session.ok('SELECT INBOX', selectAnswer)
  session.fromClient('b SELECT INBOX\r\n')
  await session.client.until('b OK done\r\n')
  session.fromClient('c UID SEARCH SUBJECT y\r\n')
  assert.equal((await session.ended).ending.kind, 'reply-overdue')
})
