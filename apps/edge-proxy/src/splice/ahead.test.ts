import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Knowledge } from '../ahead/knowledge.ts'
import { commandOf } from '../ahead/shapes.ts'
import {
  beginAhead,
  fetch,
  headers,
  knowledgeOf,
  list,
  listing,
  message,
  extendedSearch,
  selectAnswer,
  status,
  structure,
  structureAnswer,
  statusAnswer,
  teach,
  type WebmailPage,
} from './ahead.test-support.ts'

test('the questions of a known page go to the server with the first one, and are answered from held answers', async () => {
  const { splice, client, fromClient, fromServer, up, tag, counters } = await beginAhead(knowledgeOf(list))
  fromClient('a STATUS INBOX (MESSAGES UNSEEN)\r\n')
  assert.deepEqual(await up(4), ['STATUS INBOX (MESSAGES UNSEEN)', 'SELECT INBOX', extendedSearch, fetch])
  fromServer('* STATUS INBOX (MESSAGES 3 UNSEEN 0)\r\n* 3 EXISTS\r\n* 0 RECENT\r\n')
  fromServer(
    `* ESEARCH (TAG "${tag(extendedSearch)}") UID ALL 10:12\r\n* 1 FETCH (UID 10 RFC822.SIZE 500 FLAGS ()`,
  )
  fromServer(' BODY[HEADER.FIELDS (DATE FROM)] {4}\r\nab\r\n)\r\na OK done\r\n')
  assert.equal(await client.until('done\r\n'), '* STATUS INBOX (MESSAGES 3 UNSEEN 0)\r\na OK done\r\n')
  fromServer(`${tag(fetch)} OK fetched\r\n${tag('SELECT INBOX')} OK [READ-WRITE] selected\r\n`)
  fromClient('b SELECT INBOX\r\n')
  assert.equal(
    await client.until('selected\r\n'),
    '* 3 EXISTS\r\n* 0 RECENT\r\nb OK [READ-WRITE] selected\r\n',
  )
  fromClient('c UID SEARCH SUBJECT x\r\n')
  fromServer(`${tag(extendedSearch)} OK searched\r\n`)
  assert.equal(await client.until('searched\r\n'), '* SEARCH 10 11 12\r\nc OK searched\r\n')
  fromClient(`d ${fetch}\r\n`)
  assert.equal(await client.until('fetched\r\n'), `${message}d OK fetched\r\n`)
  assert.equal(counters.ahead_asked_total({ upstream: 'main' }).value, 3)
  assert.equal(counters.ahead_used_total({ upstream: 'main' }).value, 3)
  assert.equal(splice.aheadUsed, 3)
})

// SELECT.

test('a SELECT that the client does not ask for is undone before any other command is sent', async () => {
  const { client, fromClient, fromServer, ok, esearch, up, tag, connection } = await listing()
  fromServer(selectAnswer)
  fromClient('b SELECT Sent\r\n')
  const [unselect] = await up(1)
  assert.equal(unselect, 'UNSELECT')
  assert.deepEqual(await up(1), ['SELECT Sent'])
  ok('SELECT INBOX')
  ok(extendedSearch, esearch(' ALL 10:12'))
  ok(fetch, message)
  fromServer(`* 5 EXISTS\r\n* OK [CLOSED] Previous mailbox closed.\r\n${tag('UNSELECT')} OK left\r\n`)
  fromServer('* 1 EXISTS\r\nb OK done\r\n')
  assert.equal(await client.until('done\r\n'), '* 1 EXISTS\r\nb OK done\r\n')
  assert.notEqual(connection.mailbox, 'none')
})

test('the answer to SELECT has all its codes, also those that only some servers send', async () => {
  const { client, fromClient, fromServer, ok } = await listing()
  const codes = '* OK [URLMECH INTERNAL] Ok\r\n* OK [ANNOTATIONS 65536] Ok\r\n* OK [MYRIGHTS "lrs"] ACL\r\n'
  const general = '* OK [ALERT] Maintenance tonight\r\n* OK Still here\r\n'
  fromServer(general)
  ok('SELECT INBOX', selectAnswer + codes)
  fromClient('b SELECT INBOX\r\n')
  assert.equal(await client.until('b OK done\r\n'), `${general}${selectAnswer}${codes}b OK done\r\n`)
})

test('a SELECT or EXAMINE is sent ahead only if nearly all clients send it there, and if it can be undone', async () => {
  const examine = list.map(([text, ...rest]): WebmailPage[number] => [
    text.replace('SELECT', 'EXAMINE'),
    ...rest,
  ])
  const { fromClient, up } = await beginAhead(knowledgeOf(examine))
  fromClient(`a ${status}\r\n`)
  assert.deepEqual((await up(2))[1], 'EXAMINE INBOX')

  const rare: WebmailPage = [[status], ['NOOP']]
  const enabling: WebmailPage = [[status], ['ENABLE QRESYNC']]
  const cases: [WebmailPage[], string][] = [
    [[list], 'IMAP4REV1 ESEARCH'],
    [[rare, list], 'IMAP4REV1 UNSELECT'],
    [[enabling, list, list, list, list, list, list], 'IMAP4REV1 UNSELECT'],
  ]
  for (const [pages, offered] of cases) {
    const { fromClient: send, up: arrived, isQuiet } = await beginAhead(knowledgeOf(...pages), { offered })
    send(`a ${status}\r\n`)
    await arrived(1)
    await isQuiet()
  }
})

test('a SELECT is not sent ahead while the server may have a mailbox selected', async () => {
  const page: WebmailPage = [
    ['SELECT Sent', '1 EXISTS'],
    ['SELECT x'],
    [status],
    ['SELECT INBOX', '3 EXISTS'],
  ]
  const { client, fromClient, fromServer, up, isQuiet } = await beginAhead(knowledgeOf(page, page, page))
  fromClient('a SELECT Sent\r\nb SELECT x\r\n')
  await up(2)
  // After a refused SELECT, the previous mailbox may still be selected.
  fromServer('* 1 EXISTS\r\na OK done\r\nb NO no such mailbox\r\n')
  await client.until('b NO no such mailbox\r\n')
  fromClient(`c ${status}\r\n`)
  assert.deepEqual(await up(1), [status])
  await isQuiet()
})

test('questions behind a SELECT that the server refuses are dropped', async () => {
  const page: WebmailPage = [['SELECT x', '3 EXISTS'], ['UID SEARCH SUBJECT x'], ['NAMESPACE']]
  const knowledge = knowledgeOf(page)
  const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledge)
  fromClient('a SELECT x\r\n')
  await up(3)
  fromServer(`a NO no such mailbox\r\n${tag(extendedSearch)} BAD nothing selected\r\n`)
  fromServer(`* NAMESPACE NIL NIL NIL\r\n${tag('NAMESPACE')} OK done\r\n`)
  assert.equal(await client.line(), 'a NO no such mailbox')
  // A NO does not pause answer-ahead.
  assert.equal(knowledge.commandsMax(0), 4)
})

// Void.

test('any other command drops the held answers, and the client gets only the answer to its command', async () => {
  const { client, fromClient, fromServer, ok, esearch, up, counters } = await listing()
  ok('SELECT INBOX', selectAnswer)
  fromClient('b SELECT INBOX\r\n')
  await client.until('b OK done\r\n')
  ok(extendedSearch, esearch(' ALL 10:12'))
  fromClient('c UID STORE 10 +FLAGS.SILENT (\\Seen)\r\n')
  assert.deepEqual(await up(1), ['UID STORE 10 +FLAGS.SILENT (\\Seen)'])
  ok(fetch, message)
  fromServer('c OK stored\r\n')
  assert.equal(await client.until('stored\r\n'), 'c OK stored\r\n')
  fromClient('d UID SEARCH SUBJECT x\r\n')
  assert.deepEqual((await up(1))[0], 'UID SEARCH SUBJECT x')
  const dropped = counters.ahead_dropped_total({ upstream: 'main', reason: 'not-asked' }).value
  assert.equal(dropped, 2)
  const bytes = counters.ahead_dropped_bytes_total({ upstream: 'main' }).value
  assert.equal(bytes, message.length + esearch(' ALL 10:12').length)
})

test('a command whose answer looks like a dropped one waits until the server has sent the dropped one', async () => {
  const { client, fromClient, fromServer, ok, esearch, up, isQuiet } = await listing()
  ok('SELECT INBOX', selectAnswer)
  fromClient('b SELECT INBOX\r\n')
  await client.until('b OK done\r\n')
  fromClient(`c UID FETCH 12 ${headers}\r\n`)
  ok(extendedSearch, esearch(' ALL 10:12'))
  fromServer(message)
  await isQuiet()
  ok(fetch)
  assert.deepEqual(await up(1), [`UID FETCH 12 ${headers}`])
  fromServer(`${message}c OK done\r\n`)
  assert.equal(await client.until('c OK done\r\n'), `${message}c OK done\r\n`)
})

test('ID and CAPABILITY drop nothing, and SELECT waits for the reply to the ID of the edge, which may report an EXPUNGE', async () => {
  const { client, fromClient, ok, connection, up } = await listing()
  connection.identification.learnAfterLogin('* ID NIL\r\n')
  ok('SELECT INBOX', selectAnswer)
  fromClient('x CAPABILITY\r\ny ID NIL\r\n')
  await client.until('y OK Completed\r\n')
  assert.deepEqual(await up(1), ['ID NIL'])
  fromClient('b SELECT INBOX\r\n')
  assert.equal(client.unread, '')
  ok('ID NIL', '* ID NIL\r\n')
  assert.equal(await client.until('b OK done\r\n'), `${selectAnswer}b OK done\r\n`)
})

test('a command that the edge usually answers drops the held answers if it goes to the server', async () => {
  for (const [command, pool] of [
    ['ID NIL', {}],
    ['CAPABILITY', { answerCapability: false }],
  ] as const) {
    const { client, fromClient, fromServer, ok, up } = await listing({ pool })
    ok('SELECT INBOX', selectAnswer)
    fromClient(`b ${command}\r\n`)
    assert.deepEqual(await up(2), ['UNSELECT', command])
    fromServer('* ID NIL\r\nb OK done\r\n')
    assert.match(await client.until('b OK done\r\n'), /b OK done\r\n$/)
  }
})

test('no question is sent behind a command that may change its answer', async () => {
  for (const command of [
    'UID STORE 10 +FLAGS (x)',
    'APPEND x {3+}\r\nabc',
    'UID SEARCH TEXT x',
    'FETCH 1 FLAGS',
  ]) {
    const [first = ''] = command.split('\r\n')
    const page: WebmailPage = [['SELECT INBOX', '3 EXISTS'], [first], ['NAMESPACE']]
    const { client, fromClient, fromServer, up, isQuiet, scripted } = await beginAhead(
      knowledgeOf(page, page),
    )
    fromClient('a SELECT INBOX\r\n')
    fromServer('* 3 EXISTS\r\na OK done\r\n')
    await client.until('a OK done\r\n')
    await up(1)
    fromClient(`b ${command}\r\n`)
    await scripted.until(`${command}\r\n`)
    await isQuiet()
  }
})

// Anomalies.

test('an unexpected answer drops everything, and pauses answer-ahead', async () => {
  const faults: [string, (session: Awaited<ReturnType<typeof listing>>) => void][] = [
    ['BAD', ({ fromServer, tag }) => fromServer(`${tag(fetch)} BAD what\r\n`)],
    ['unexpected tag', ({ fromServer }) => fromServer('zz OK done\r\n')],
    ['BYE', ({ fromServer }) => fromServer('* BYE too fast\r\n')],
    ['no data', ({ ok }) => ok(extendedSearch)],
  ]
  for (const [fault, inject] of faults) {
    const knowledge = knowledgeOf(list)
    const session = await listing({}, knowledge)
    session.ok('SELECT INBOX', selectAnswer)
    inject(session)
    assert.equal(knowledge.commandsMax(0), 0, fault)
    assert.ok(
      session.logged.some((line) => line.includes('ahead_paused')),
      fault,
    )
    session.fromClient('b SELECT INBOX\r\n')
    assert.deepEqual(await session.up(2), ['UNSELECT', 'SELECT INBOX'], fault)
    await session.isQuiet()
  }
})

test('BYE, a closed connection or BAD do not pause answer-ahead if the server has answered as many questions before', async () => {
  // A mailbox that is deleted while it is selected, a restart, and a mailbox for which a question is wrong.
  const causes: [string, (session: Awaited<ReturnType<typeof listing>>) => void][] = [
    ['BYE', ({ fromServer }) => fromServer('* BYE Mailbox was deleted under us.\r\n')],
    ['closed', ({ scripted }) => scripted.socket.destroy()],
    ['BAD', ({ fromServer, tag }) => fromServer(`${tag(extendedSearch)} BAD what\r\n`)],
  ]
  for (const [cause, inject] of causes) {
    const knowledge = knowledgeOf(list)
    knowledge.answered(4)
    const session = await listing({}, knowledge)
    session.ok('SELECT INBOX', selectAnswer)
    inject(session)
    session.fromClient('b SELECT INBOX\r\n')
    if (cause !== 'closed') assert.deepEqual(await session.up(2), ['UNSELECT', 'SELECT INBOX'], cause)
    if (cause === 'BYE') session.scripted.socket.destroy()
    if (cause !== 'BAD') assert.equal((await session.ended).ending.kind, 'upstream-gone', cause)
    assert.equal(knowledge.commandsMax(0), 8, cause)
    assert.ok(!session.logged.some((line) => line.includes('ahead_paused')), cause)
  }
})

test('after a refused question, the client’s own command goes to the server', async () => {
  const { client, fromClient, fromServer, tag, up, logged } = await listing()
  fromServer(`${tag('SELECT INBOX')} NO not now\r\n${tag(extendedSearch)} BAD\r\n${tag(fetch)} BAD\r\n`)
  fromClient('b SELECT INBOX\r\n')
  assert.deepEqual(await up(2), ['UNSELECT', 'SELECT INBOX'])
  fromServer(`${tag('UNSELECT')} BAD nothing\r\n${selectAnswer}b OK done\r\n`)
  assert.equal(await client.until('b OK done\r\n'), `${selectAnswer}b OK done\r\n`)
  assert.ok(!logged.some((line) => line.includes('unselect_refused')))
})

test('a question that a server does not understand is not sent ahead again, even if a client repeats it', async () => {
  const quota = 'GETQUOTAROOT INBOX'
  const page: WebmailPage = [['NAMESPACE'], [quota]]
  const knowledge = knowledgeOf(page)
  const ask = async (answer: 'BAD' | 'OK') => {
    const { client, fromClient, fromServer, up, isQuiet } = await beginAhead(knowledge)
    fromClient('a NAMESPACE\r\n')
    const isAsked = knowledge.isRefused(commandOf(quota).question!) ? 0 : 1
    await up(1 + isAsked)
    await isQuiet()
    fromServer('* NAMESPACE NIL NIL NIL\r\na OK done\r\n')
    await client.until('a OK done\r\n')
    if (isAsked === 1) return false
    fromClient(`b ${quota}\r\n`)
    await up(1)
    fromServer(`b ${answer} so\r\n`)
    await client.until(`b ${answer} so\r\n`)
    return true
  }
  const first = await beginAhead(knowledge)
  first.fromClient(`a ${quota}\r\n`)
  first.fromServer('a BAD unknown\r\n')
  await first.client.until('a BAD unknown\r\n')
  assert.equal(await ask('BAD'), true)
  assert.equal(await ask('OK'), true)
  // The server answers the same question of another program.
  assert.equal(await ask('OK'), false)
  assert.equal(knowledge.commandsMax(0), 4)
})

test('a question that is refused because no mailbox is selected is still sent ahead when one is selected', async () => {
  const knowledge = knowledgeOf(list)
  const { client, fromClient, fromServer } = await beginAhead(knowledge)
  fromClient('a UID SEARCH SUBJECT x\r\n')
  fromServer('a BAD nothing selected\r\n')
  await client.until('a BAD nothing selected\r\n')
  await listing({}, knowledge)
})

// Bounds.

test('the content of a message is asked ahead only if its size is known and small', async () => {
  const show = (size: number | undefined): WebmailPage => [
    ['SELECT INBOX', '3 EXISTS', ...(size === undefined ? [] : [`1 FETCH (UID 10 RFC822.SIZE ${size})`])],
    ['UID FETCH 10 (BODY.PEEK[])'],
  ]
  const cases: [number | undefined, boolean][] = [
    [undefined, false],
    [131_072, true],
    [131_073, false],
  ]
  for (const [size, isAsked] of cases) {
    const { fromClient, up, isQuiet } = await beginAhead(knowledgeOf(show(size)))
    fromClient('a SELECT INBOX\r\n')
    assert.deepEqual(
      await up(isAsked ? 2 : 1),
      ['SELECT INBOX', 'UID FETCH 10 (BODY.PEEK[])'].slice(0, isAsked ? 2 : 1),
    )
    await isQuiet()
  }
})

test('an answer that is too large to be held is dropped', async () => {
  const { client, fromClient, fromServer, ok, esearch, up, connection, counters } = await listing()
  ok('SELECT INBOX', selectAnswer)
  ok(extendedSearch, esearch(' ALL 10:12'))
  fromServer('* 1 FETCH (UID 10 BODY[HEADER.FIELDS (DATE FROM)] {200000}\r\n')
  for (let part = 0; part < 20; part++) fromServer('x'.repeat(10_000))
  ok(fetch, ')\r\n')
  fromClient('b SELECT INBOX\r\nc UID SEARCH SUBJECT x\r\n')
  await client.until('c OK done\r\n')
  fromClient(`d ${fetch}\r\n`)
  assert.deepEqual(await up(1), [fetch])
  assert.equal(counters.ahead_dropped_total({ upstream: 'main', reason: 'too-large' }).value, 1)
  assert.equal(connection.scanner.atBoundary, true)
})

test('no more questions are sent at once than the server is known to answer', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const page: WebmailPage = names.map((name) => [`STATUS ${name} (UNSEEN)`])
  const knowledge = knowledgeOf(page, page)
  const { fromClient, up, isQuiet } = await beginAhead(knowledge)
  fromClient('1 STATUS a (UNSEEN)\r\n')
  assert.equal((await up(5)).length, 5)
  await isQuiet()

  const fresh = knowledgeOf(page, page)
  fresh.failed(-1_000_000)
  const other = await beginAhead(fresh)
  other.fromClient('1 STATUS a (UNSEEN)\r\n')
  await other.up(2)
  await other.isQuiet()
  const second = 'STATUS b (UNSEEN)'
  other.fromServer(`* STATUS b (UNSEEN 1)\r\n${other.tag(second)} OK\r\n* STATUS a (UNSEEN 1)\r\n1 OK\r\n`)
  other.fromClient(`2 ${second}\r\n`)
  assert.deepEqual(await other.up(2), ['STATUS c (UNSEEN)', 'STATUS d (UNSEEN)'])
})

test('the round trip is measured while questions are asked ahead, by the reply to the measured command only', async () => {
  const knowledge = knowledgeOf(list)
  const measured = 60_000
  for (const now of [300_000, 600_000]) knowledge.measured(measured, now)
  const { fromClient, fromServer, up, client, tag } = await beginAhead(knowledge, { ids: ['ID NIL'] })
  await up(1)
  fromClient(`a ${status}\r\n`)
  await up(4)
  // The ID may have been sent long before.
  fromServer(`* ID NIL\r\n${tag('ID NIL')} OK done\r\n${statusAnswer}`)
  await client.line()
  assert.equal(knowledge.roundTripMs, measured)
  fromServer('a OK done\r\n')
  await client.line()
  assert.ok(knowledge.roundTripMs < measured)
})

test('no question is sent to a server with a short or unknown round trip, or in the mode `learn`', async () => {
  const near = knowledgeOf(list)
  near.measured(2, 0)
  const learning = {
    upstream: 'main',
    mode: 'learn' as const,
    roundTripMinMs: 3,
    knowledge: knowledgeOf(list),
    identity: '',
  }
  const nearby = { ...learning, mode: 'on' as const, knowledge: near }
  const unknown = { ...nearby, knowledge: new Knowledge() }
  for (const page of [list, list]) teach(unknown.knowledge, page)
  for (const setup of [
    { knowledge: near, ahead: nearby },
    { knowledge: unknown.knowledge, ahead: unknown },
    { knowledge: knowledgeOf(list), ahead: learning },
  ]) {
    const { knowledge, ...rest } = setup
    const { fromClient, up, isQuiet } = await beginAhead(knowledge, rest)
    fromClient(`a ${status}\r\n`)
    await up(1)
    await isQuiet()
  }
})

// Giving back, and the select cache.

test('questions in flight do not delay LOGOUT, and the reset waits for their replies', async () => {
  const { client, fromClient, ended, tag } = await listing()
  fromClient('z LOGOUT\r\n')
  assert.match(await client.until('z OK Completed\r\n'), /^\* BYE /)
  const { handBack } = await ended
  assert.equal(handBack.refusal, undefined)
  assert.deepEqual(handBack.unanswered, [tag('SELECT INBOX'), tag(extendedSearch), tag(fetch)])
  assert.equal(handBack.connection.mailbox, 'selected')
})

test('the reset waits for a claimed command by the tag that the server knows', async () => {
  const { fromClient, handBackNow, tag } = await listing()
  fromClient('b SELECT INBOX\r\n')
  assert.deepEqual(handBackNow().unanswered, [tag('SELECT INBOX'), tag(extendedSearch), tag(fetch)])
})

test('a claimed SELECT is recorded in the select cache like any other, unless the mailbox has changed since', async () => {
  for (const change of ['', '* 4 EXISTS\r\n']) {
    for (const isStreaming of [false, true]) {
      const { client, fromClient, fromServer, ok, esearch, connection } = await listing({
        pool: { selectCache: 'exact' },
      })
      fromServer(selectAnswer)
      if (isStreaming) fromClient('b SELECT INBOX\r\n')
      fromServer(esearch(' ALL 10:12') + change)
      ok('SELECT INBOX')
      if (!isStreaming) fromClient('b SELECT INBOX\r\n')
      await client.until('b OK done\r\n')
      const key = change === '' ? 'SELECT INBOX' : undefined
      assert.equal(connection.selectAnswer?.key, key, `${change} ${isStreaming}`)
      if (key !== undefined) assert.equal(connection.selectAnswer?.lines, selectAnswer)
    }
  }
})

test('no question is sent while a mailbox of an earlier session may be selected', async () => {
  const page: WebmailPage = [['SELECT INBOX', '3 EXISTS'], ['UID SEARCH SUBJECT x']]
  const { client, fromClient, fromServer, up, tag, isQuiet } = await beginAhead(knowledgeOf(page), {
    pool: { selectCache: 'exact' },
    prepare: (connection) =>
      connection.rememberSelect({ key: 'SELECT INBOX', lines: selectAnswer, ok: 'OK done', at: 0 }),
  })
  fromClient('a SELECT INBOX\r\n')
  assert.deepEqual(await up(1), ['NOOP'])
  await isQuiet()
  fromServer(`${tag('NOOP')} OK done\r\n`)
  assert.equal(await client.until('a OK done\r\n'), `${selectAnswer}a OK done\r\n`)
  assert.deepEqual(await up(1), [extendedSearch])
})

test('no question is sent on a connection with extensions that a client enabled', async () => {
  const { fromClient, up, isQuiet } = await beginAhead(knowledgeOf(list), {
    prepare: (connection) => connection.enabledByOne(['QRESYNC'], 'QRESYNC'),
  })
  fromClient(`a ${status}\r\n`)
  await up(1)
  await isQuiet()
})

// CONDSTORE.

test('a question that enables CONDSTORE is sent only on a connection that has it, and counts as used by the client', async () => {
  const modseq = 'STATUS INBOX (MESSAGES HIGHESTMODSEQ)'
  const modseqAnswer = '* STATUS INBOX (MESSAGES 3 HIGHESTMODSEQ 7)\r\n'
  const page: WebmailPage = [['SELECT INBOX', '3 EXISTS'], [modseq]]
  const without = await beginAhead(knowledgeOf(page, page))
  without.fromClient('a SELECT INBOX\r\n')
  await without.up(1)
  await without.isQuiet()

  for (const isAsked of [true, false]) {
    const { client, fromClient, fromServer, up, tag, handBackNow } = await beginAhead(
      knowledgeOf(page, page),
      {
        prepare: (connection) => connection.condstoreEnabled(),
      },
    )
    fromClient('a SELECT INBOX\r\n')
    assert.deepEqual(await up(2), ['SELECT INBOX', modseq])
    fromServer(`${selectAnswer}a OK done\r\n${modseqAnswer}${tag(modseq)} OK done\r\n`)
    await client.until('a OK done\r\n')
    if (isAsked) {
      fromClient(`b ${modseq}\r\n`)
      assert.equal(await client.until('b OK done\r\n'), `${modseqAnswer}b OK done\r\n`)
    }
    assert.equal(handBackNow().usesCondstore, isAsked)
  }
})

test('no question is sent behind a command of the client that enables CONDSTORE', async () => {
  const modseq = 'STATUS INBOX (HIGHESTMODSEQ)'
  const page: WebmailPage = [[modseq], ['NAMESPACE']]
  const { fromClient, up, isQuiet } = await beginAhead(knowledgeOf(page, page))
  fromClient(`a ${modseq}\r\n`)
  await up(1)
  await isQuiet()
})

// Learning.

test('an answer that changes the expected values replaces the questions in flight from the first difference on', async () => {
  /** The client asks for the third message from the end. */
  const page = (last: number): WebmailPage => [
    [status, `STATUS INBOX (MESSAGES ${last - 9} UNSEEN 0)`],
    ['SELECT INBOX', `${last - 9} EXISTS`, `OK [UIDNEXT ${last + 1}] x`],
    ['UID SEARCH ALL', `SEARCH 10 11 12 13${last > 13 ? ' 14' : ''}`],
    [`UID FETCH ${last - 2} ${headers}`],
  ]
  const session = await beginAhead(knowledgeOf(page(13), page(14)))
  session.fromClient(`a ${status}\r\n`)
  const [, , , asked = ''] = await session.up(4)
  assert.equal(asked, `UID FETCH 12 ${headers}`)
  session.fromServer(
    `* STATUS INBOX (MESSAGES 6 UNSEEN 1)\r\na OK done\r\n* 6 EXISTS\r\n* OK [UIDNEXT 16] x\r\n`,
  )
  // Its answer would look like the answer to the question in flight.
  await session.isQuiet()
  session.fromServer(`${message.replaceAll('10', '12')}${session.tag(asked)} OK done\r\n`)
  assert.deepEqual(await session.up(1), [`UID FETCH 13 ${headers}`])
  const dropped = session.counters.ahead_dropped_total({ upstream: 'main', reason: 'corrected' }).value
  assert.equal(dropped, 1)
})

test('a trace says what was asked ahead, used and dropped', async () => {
  const knowledge = knowledgeOf(list)
  const session = await beginAhead(knowledge)
  const seen: string[] = []
  session.splice.tap = {
    fromClient: (bytes) => void seen.push(`C ${bytes.toString('latin1')}`),
    fromServer: (bytes) => void seen.push(`S ${bytes.toString('latin1')}`),
    remark: (text) => void seen.push(text),
  }
  session.fromClient(`a ${status}\r\n`)
  await session.up(4)
  session.fromServer(`${statusAnswer}a OK done\r\n${selectAnswer}${session.tag('SELECT INBOX')} OK done\r\n`)
  session.fromClient('b SELECT INBOX\r\n')
  session.fromClient('c NOOP\r\n')
  const marks = seen.filter((line) => line.startsWith('answer-ahead'))
  assert.deepEqual(marks, [
    ...['SELECT', 'UID SEARCH', 'UID FETCH'].map((name) => `answer-ahead: asked ${name}`),
    'answer-ahead: used SELECT, held',
    ...['UID SEARCH', 'UID FETCH'].map((name) => `answer-ahead: dropped ${name}: not-asked`),
  ])
  assert.ok(seen.includes('C b SELECT INBOX\r\n'))
  assert.ok(seen.includes(`S ${selectAnswer}b OK done\r\n`))
})

// Hints.

test('page hints in an ID after the login are used, and are not sent to the mail server', async () => {
  const knowledge = knowledgeOf(list)
  const hint = 'ID ("x-page" "show" "x-page-uid" "10" "name" "Roundcube")'
  for (const isKnown of [false, true]) {
    const session = await beginAhead(knowledge)
    const { client, fromClient, fromServer, up, connection } = session
    connection.identification.learnAfterLogin('* ID NIL\r\n')
    fromClient(`A1 ${hint}\r\n`)
    await client.until('A1 OK Completed\r\n')
    assert.deepEqual(await up(1), ['ID ("name" "Roundcube")'])
    fromClient('A2 SELECT INBOX\r\n')
    assert.deepEqual(await up(1), ['SELECT INBOX'])
    // The message is known from the hint, without a question of this user before.
    if (isKnown) assert.deepEqual(await up(1), [structure])
    fromServer(`${selectAnswer}A2 OK done\r\n`)
    await client.until('A2 OK done\r\n')
    if (isKnown) continue
    fromClient(`A3 ${structure}\r\n`)
    await up(1)
    fromServer(`${structureAnswer}A3 OK done\r\n`)
    await client.until('A3 OK done\r\n')
    fromClient('A4 LOGOUT\r\n')
    await session.ended
  }
})

test('an ID that contains only page hints is not sent to the mail server', async () => {
  const { client, fromClient, connection, isQuiet } = await beginAhead(knowledgeOf(list))
  connection.identification.learnAfterLogin('* ID NIL\r\n')
  fromClient('A1 ID ("x-page" "show")\r\n')
  await client.until('A1 OK Completed\r\n')
  await isQuiet()
})
