/** Questions that the client asks in another order than expected. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  beginAhead,
  knowledgeOf,
  list,
  selectAnswer,
  status,
  statusAnswer,
  structure,
  structureAnswer,
  type WebmailPage,
} from './ahead.test-support.ts'

const part = 'UID FETCH 10 (BODY.PEEK[1])'
const folders = 'LIST (SUBSCRIBED) "" "*"'
/** A page that shows one message. */
const show: WebmailPage = [
  ['SELECT INBOX', '3 EXISTS', '0 RECENT', 'OK [UIDNEXT 13] x'],
  [structure, '1 FETCH (UID 10 RFC822.SIZE 500 FLAGS () BODYSTRUCTURE ())'],
  [part],
  [folders],
]

/** A session that has selected INBOX, with the questions of a message page in flight. */
async function showing(setup: Parameters<typeof beginAhead>[1] = {}) {
  const session = await beginAhead(knowledgeOf(list, show, show), setup)
  session.fromClient('a SELECT INBOX\r\n')
  assert.deepEqual(await session.up(4), ['SELECT INBOX', structure, part, folders])
  session.fromServer(`${selectAnswer}a OK done\r\n`)
  await session.client.until('a OK done\r\n')
  const ok = (text: string, data: string) => session.fromServer(`${data}${session.tag(text)} OK done\r\n`)
  ok(structure, structureAnswer)
  ok(part, partAnswer)
  ok(folders, foldersAnswer)
  return session
}

const partAnswer = '* 1 FETCH (UID 10 BODY[1] {4}\r\nab\r\n)\r\n'
const foldersAnswer = '* LIST () "." Sent\r\n'

test('a question whose answer never changes is answered in any order', async () => {
  const { client, fromClient, isQuiet } = await showing()
  fromClient(`b ${structure}\r\nc ${folders}\r\nd ${part}\r\n`)
  const answers = `${structureAnswer}b OK done\r\n${foldersAnswer}c OK done\r\n${partAnswer}d OK done\r\n`
  assert.equal(await client.until('d OK done\r\n'), answers)
  await isQuiet()
})

test('a question that the client has skipped is dropped if the client could tell that its answer is older', async () => {
  const { client, fromClient, up, counters } = await showing()
  // The flags of the message may have changed since.
  fromClient(`b ${folders}\r\n`)
  assert.equal(await client.until('b OK done\r\n'), `${foldersAnswer}b OK done\r\n`)
  assert.equal(counters.ahead_dropped_total({ upstream: 'main', reason: 'not-asked' }).value, 1)
  fromClient(`c ${structure}\r\n`)
  assert.deepEqual((await up(1))[0], structure)
})

test('a held answer waits for the replies to the commands before it', async () => {
  const { client, fromClient, fromServer, up } = await showing()
  fromClient(`b UID FETCH 10 (BODY.PEEK[2])\r\nc ${structure}\r\n`)
  await up(1)
  assert.equal(client.unread, '')
  fromServer('* 1 FETCH (UID 10 BODY[2] {2}\r\nab)\r\nb OK done\r\n')
  const answers = `* 1 FETCH (UID 10 BODY[2] {2}\r\nab)\r\nb OK done\r\n${structureAnswer}c OK done\r\n`
  assert.equal(await client.until('c OK done\r\n'), answers)
})

test('an unexpected question keeps the held answers that commute with it, and any other command drops all', async () => {
  const other = 'UID FETCH 10 (BODY.PEEK[2])'
  for (const [command, isKept] of [
    [other, true],
    ['UID SEARCH UNSEEN', false],
    ['UID STORE 10 +FLAGS.SILENT (\\Seen)', false],
    ['NOOP', false],
  ] as const) {
    const { client, fromClient, fromServer, up } = await showing()
    fromClient(`b ${structure}\r\n`)
    await client.until('b OK done\r\n')
    fromClient(`c ${command}\r\n`)
    assert.deepEqual((await up(1))[0], command)
    fromServer('c OK done\r\n')
    await client.until('c OK done\r\n')
    fromClient(`d ${folders}\r\n`)
    if (isKept) assert.equal(await client.until('d OK done\r\n'), `${foldersAnswer}d OK done\r\n`)
    else assert.ok((await up(1)).includes(folders))
  }
})

test('a question is sent again after one that makes its first answer outdated', async () => {
  const counts = 'STATUS Trash (MESSAGES)'
  const all = 'UID SEARCH RETURN (ALL) ALL'
  const page: WebmailPage = [
    ['SELECT INBOX', '3 EXISTS', 'OK [UIDNEXT 13] x'],
    ['UID SEARCH 3'],
    [counts, 'STATUS Trash (MESSAGES 9)'],
    ['UID SEARCH ALL', 'SEARCH 10 11 12'],
  ]
  const { client, fromClient, fromServer, scripted, isQuiet } = await beginAhead(knowledgeOf(page, page))
  fromClient('a SELECT INBOX\r\n')
  const lines: string[] = []
  while (lines.length < 4) lines.push(await scripted.line())
  const [, first, second, third] = lines.map((line) => line.slice(0, line.indexOf(' ')))
  assert.deepEqual(
    lines.map((line) => line.slice(line.indexOf(' ') + 1)),
    ['SELECT INBOX', all, counts, all],
  )
  fromServer(`${selectAnswer}a OK done\r\n* ESEARCH (TAG "${first}") UID ALL 10:12\r\n${first} OK done\r\n`)
  fromServer(`* STATUS Trash (MESSAGES 9)\r\n${second} OK done\r\n* 2 EXPUNGE\r\n`)
  fromServer(`* ESEARCH (TAG "${third}") UID ALL 10,12\r\n${third} OK done\r\n`)
  await client.until('a OK done\r\n')
  fromClient('b UID SEARCH 3\r\n')
  assert.equal(await client.until('b OK done\r\n'), '* SEARCH 12\r\nb OK done\r\n')
  fromClient(`c ${counts}\r\n`)
  const counted = '* STATUS Trash (MESSAGES 9)\r\n* 2 EXPUNGE\r\nc OK done\r\n'
  assert.equal(await client.until('c OK done\r\n'), counted)
  fromClient('d UID SEARCH ALL\r\n')
  assert.equal(await client.until('d OK done\r\n'), '* SEARCH 10 12\r\nd OK done\r\n')
  await isQuiet()
})

test('a question is sent once if no expected question in between makes its answer outdated', async () => {
  const subject = 'UID SEARCH RETURN (ALL) SUBJECT x'
  const page: WebmailPage = [
    ['SELECT INBOX', '3 EXISTS', 'OK [UIDNEXT 13] x'],
    ['UID SEARCH 3'],
    [subject],
    ['UID SEARCH ALL', 'SEARCH 10 11 12'],
  ]
  const { fromClient, up, isQuiet } = await beginAhead(knowledgeOf(page, page))
  fromClient('a SELECT INBOX\r\n')
  assert.deepEqual(await up(3), ['SELECT INBOX', 'UID SEARCH RETURN (ALL) ALL', subject])
  await isQuiet()
})

test('a client whose UNSELECT is refused still gets the changes of its mailbox', async () => {
  for (const [reply, told] of [
    ['NO', '* 1 EXPUNGE\r\nc NO done\r\n'],
    ['OK', 'c OK done\r\n'],
  ] as const) {
    const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledgeOf(list, show, show))
    fromClient('a SELECT INBOX\r\n')
    await up(4)
    fromServer(`${selectAnswer}a OK done\r\n${structureAnswer}* 1 EXPUNGE\r\n${tag(structure)} OK done\r\n`)
    await client.until('a OK done\r\n')
    fromClient('c UNSELECT\r\n')
    await up(1)
    fromServer(`c ${reply} done\r\n`)
    assert.equal(await client.until(`c ${reply} done\r\n`), told)
  }
})

test('answers behind an expected SELECT are not given to a client that has not sent the SELECT', async () => {
  const page: WebmailPage = [[status], ['SELECT INBOX', '3 EXISTS'], [folders]]
  const { client, fromClient, fromServer, up, tag } = await beginAhead(knowledgeOf(page, page))
  fromClient(`a ${status}\r\n`)
  assert.deepEqual(await up(3), [status, 'SELECT INBOX', folders])
  fromServer(`${statusAnswer}a OK done\r\n${selectAnswer}${tag('SELECT INBOX')} OK done\r\n`)
  fromServer(`${foldersAnswer}${tag(folders)} OK done\r\n`)
  await client.until('a OK done\r\n')
  fromClient(`b ${folders}\r\n`)
  assert.deepEqual(await up(2), ['UNSELECT', folders])
})

test('an answer that was held for more than ten seconds is not given', async () => {
  for (const [waited, isGiven] of [
    [10_000, true],
    [10_001, false],
  ] as const) {
    let now = 0
    const { client, fromClient, up } = await showing({ now: () => now })
    now = waited
    fromClient(`b ${structure}\r\n`)
    if (isGiven) assert.equal(await client.until('b OK done\r\n'), `${structureAnswer}b OK done\r\n`)
    else assert.deepEqual((await up(1))[0], structure)
  }
})

test('held answers are released after ten seconds without a question, and the client gets all reports in order', async () => {
  let now = 0
  const { client, fromClient, fromServer, splice, counters } = await showing({ now: () => now })
  const dropped = counters.ahead_dropped_bytes_total({ upstream: 'main' })
  fromServer('* 4 EXISTS\r\n')
  now = 10_000
  splice.dropStale()
  assert.equal(dropped.value, 0)
  now = 10_001
  splice.dropStale()
  assert.equal(dropped.value, structureAnswer.length + partAnswer.length + foldersAnswer.length)
  fromServer('* 5 EXISTS\r\n')
  fromClient('b NOOP\r\n')
  fromServer('* 6 EXISTS\r\nb OK done\r\n')
  assert.equal(await client.until('b OK done\r\n'), '* 4 EXISTS\r\n* 5 EXISTS\r\n* 6 EXISTS\r\nb OK done\r\n')
})
