import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wire } from '../imap/cuts.test-support.ts'
import { commandHead } from '../imap/verb.ts'
import type { Peer } from '../net/wire.test-support.ts'
import type { SelectAnswer } from '../server/server-connection.ts'
import { mayChangeMailbox, record, selectionKey, type Recording } from './select-cache.ts'
import { begin, type SplicedSession, type SessionSetup } from './session.test-support.ts'

const answer = '* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1] x\r\n'
const kept: SelectAnswer = { key: 'SELECT INBOX', lines: answer, ok: 'OK [READ-WRITE] done', at: 0 }

/** A session on a connection whose mailbox is still selected. */
function warm(mode: 'exact' | 'window', settings: SessionSetup = {}): Promise<SplicedSession> {
  return begin({
    ...settings,
    pool: { selectCache: mode, ...settings.pool },
    prepare(connection) {
      connection.rememberSelect(kept)
    },
  })
}

/** Reads a command of the edge and returns its tag. */
async function own(scripted: Peer, command: string): Promise<string> {
  const [tag, ...words] = (await scripted.line()).split(' ')
  assert.equal(words.join(' '), command)
  assert.ok(tag!.length > 16)
  return tag!
}

test('the answer to a SELECT is kept unchanged for the same SELECT', async () => {
  const { fromClient, fromServer, connection } = await begin({ pool: { selectCache: 'exact' } })
  fromClient('a SELECT INBOX\r\n')
  fromServer('* 3 EXISTS\r\n* 2 RECENT\r\n* OK [UIDVALIDITY 1] x\r\na OK [READ-WRITE] done\r\n')
  assert.deepEqual(connection.selectAnswer, { ...kept, at: 0 })
})

test('an answer that arrives in pieces is kept whole', async () => {
  const { fromClient, fromServer, connection } = await begin({ pool: { selectCache: 'exact' } })
  fromClient('a SELECT INBOX\r\n')
  const scripted =
    '* FLAGS (\\Seen x)\r\n* 3 EXISTS\r\n* SEARCH 1 2 3\r\n*  2 RECENT\r\na OK [READ-WRITE] done\r\n'
  for (const byte of scripted) fromServer(byte)
  const lines = '* FLAGS (\\Seen x)\r\n* 3 EXISTS\r\n* SEARCH 1 2 3\r\n* 0 RECENT\r\n'
  assert.deepEqual(connection.selectAnswer, { ...kept, lines })
})

test('no answer is kept after the client has saved the result of a search, which the next client must not find', async () => {
  for (const search of [
    'UID SEARCH RETURN (SAVE)',
    'SEARCH RETURN (ALL SAVE)',
    'uid sort return (save) (DATE)',
  ]) {
    const { fromClient, fromServer, connection } = await begin({ pool: { selectCache: 'exact' } })
    fromClient('a SELECT INBOX\r\n')
    fromServer(`${answer}a OK [READ-WRITE] done\r\n`)
    assert.notEqual(connection.selectAnswer, undefined)
    fromClient(`b ${search} UTF-8 FLAGGED\r\n`)
    fromServer('b OK done\r\n')
    assert.equal(connection.selectAnswer, undefined)
  }
})

test('only a plain answer to one plain SELECT is kept', async () => {
  const cases: [SessionSetup, string, string][] = [
    [{}, 'a SELECT INBOX\r\n', `${answer}a NO gone\r\n`],
    [{}, 'a SELECT INBOX (CONDSTORE)\r\n', `${answer}a OK done\r\n`],
    [{}, 'a NOOP\r\nb SELECT INBOX\r\n', `a OK done\r\n${answer}b OK done\r\n`],
    [{}, 'a SELECT INBOX\r\nb STORE 1 +FLAGS (x)\r\n', `${answer}a OK done\r\nb OK done\r\n`],
    [{}, 'a SELECT INBOX\r\nb FETCH 1 BODY[]\r\n', `${answer}a OK done\r\nb OK done\r\n`],
    [{}, 'a SELECT INBOX\r\nb CLOSE\r\n', `${answer}a OK done\r\nb OK done\r\n`],
    [{}, 'a SELECT INBOX\r\nb SELECT y\r\n', `${answer}a OK done\r\nb NO no\r\n`],
    [{}, 'a SELECT INBOX\r\nb NOOP\r\n', `${answer}a OK done\r\n* 4 EXISTS\r\nb OK done\r\n`],
    [{}, 'a SELECT INBOX\r\nb NOOP\r\n', `${answer}a OK done\r\n* 1 FETCH (FLAGS (x))\r\nb OK done\r\n`],
    [
      {},
      'a FETCH 1 (FLAGS)\r\nb SELECT INBOX\r\n',
      `* 1 FETCH (FLAGS (x))\r\n${answer}b OK done\r\na OK done\r\n`,
    ],
    [{}, 'a SELECT INBOX\r\n', `* LIST () "/" {5}\r\nINBOX\r\n${answer}a OK done\r\n`],
    [{}, 'a SELECT INBOX\r\n', `* OK [X] ${'x'.repeat(40_000)}\r\n${answer}a OK done\r\n`],
    [{ offered: 'IMAP4REV1' }, 'a SELECT INBOX\r\n', `${answer}a OK done\r\n`],
    [{ pool: { selectCache: 'off' } }, 'a SELECT INBOX\r\n', `${answer}a OK done\r\n`],
  ]
  for (const [settings, client, scripted] of cases) {
    const session = await begin({ ...settings, pool: { selectCache: 'exact', ...settings.pool } })
    session.scripted.socket.resume()
    session.fromClient(client)
    session.fromServer(scripted)
    assert.equal(session.connection.selectAnswer, undefined, client + scripted)
  }
})

test('blanks before a report about a mailbox that another session selected do not make it pass', async () => {
  const { client, clientLink, fromServer } = await warm('exact')
  for (const part of ['*', ' ', ' ', '  4 EXISTS\r\n']) fromServer(part)
  clientLink.write('end\r\n')
  assert.equal(await client.line(), 'end')
})

test('a command in a long line may change the mailbox, and is never answered from the cache', async () => {
  for (const command of [`b UID FETCH ${'1,'.repeat(700)}2`, `b SELECT ${'x'.repeat(700)}`]) {
    const { fromClient, fromServer, connection, scripted } = await begin({
      pool: { selectCache: 'exact' },
      clients: { lineBytesMax: 512 },
    })
    fromClient('a SELECT INBOX\r\n')
    fromServer(`${answer}a OK [READ-WRITE] done\r\n`)
    assert.ok(connection.selectAnswer)
    fromClient(command)
    assert.equal(connection.selectAnswer, undefined)
    fromClient(' BODY[]\r\n')
    fromServer(`${answer}b OK done\r\n`)
    assert.equal(connection.selectAnswer, undefined)
    await scripted.until(' BODY[]\r\n')
  }
})

test('the answer is dropped when either side may have changed the mailbox', async () => {
  const changes: [client: string, scripted: string][] = [
    ['b STORE 1 +FLAGS (x)\r\n', 'b OK done\r\n'],
    ['b FETCH 1 BODY[]\r\n', 'b OK done\r\n'],
    ['b SELECT y\r\n', 'b NO no\r\n'],
    ['b SELECT INBOX (CONDSTORE)\r\n', 'b BAD no\r\n'],
    ['b CLOSE\r\n', 'b OK done\r\n'],
    ['b NOOP\r\n', '* 4 EXISTS\r\nb OK done\r\n'],
    ['b NOOP\r\n', '* 1 FETCH (FLAGS (x))\r\nb OK done\r\n'],
  ]
  for (const [client, scripted] of changes) {
    const session = await begin({ pool: { selectCache: 'exact' } })
    session.scripted.socket.resume()
    session.fromClient('a SELECT INBOX\r\n')
    session.fromServer(`${answer}a OK done\r\n`)
    assert.ok(session.connection.selectAnswer)
    session.fromClient(client)
    session.fromServer(scripted)
    assert.equal(session.connection.selectAnswer, undefined, client + scripted)
  }
})

test('the answer is kept while the server’s responses report no change of the mailbox', async () => {
  const session = await begin({ pool: { selectCache: 'exact' } })
  session.scripted.socket.resume()
  session.fromClient('a SELECT INBOX\r\n')
  session.fromServer(`${answer}a OK done\r\n`)
  for (const command of ['FETCH 1 (FLAGS)', 'UID FETCH 1 (FLAGS)']) {
    session.fromClient(`b ${command}\r\n`)
    session.fromServer('* 1 FETCH (FLAGS (x))\r\nb OK done\r\n')
    assert.ok(session.connection.selectAnswer, command)
  }
})

test('the answer to the first SELECT is kept if the server has UNSELECT, even if its capability list comes later', async () => {
  for (const list of ['UNSELECT', 'IDLE']) {
    const { scripted, fromClient, fromServer, connection } = await begin({
      pool: { selectCache: 'exact' },
      prepare: (unlisted) => unlisted.learnCapabilities([]),
    })
    fromClient('a SELECT INBOX\r\n')
    const tag = await own(scripted, 'CAPABILITY')
    fromServer(`* CAPABILITY IMAP4rev1 ${list}\r\n${tag} OK done\r\n${answer}a OK [READ-WRITE] done\r\n`)
    assert.deepEqual(connection.selectAnswer, list === 'UNSELECT' ? kept : undefined)
  }
})

test('the answer to an ID of the edge is not recorded as part of the answer to SELECT', async () => {
  const { scripted, fromClient, fromServer, connection } = await begin({
    pool: { selectCache: 'exact' },
    ids: ['ID NIL'],
  })
  const tag = await own(scripted, 'ID NIL')
  fromClient('a SELECT INBOX\r\n')
  fromServer(`* ID ("name" "Dovecot")\r\n${tag} OK done\r\n${answer}a OK [READ-WRITE] done\r\n`)
  assert.deepEqual(connection.selectAnswer, kept)
})

test('each SELECT and EXAMINE of a client is one hit or one miss', async () => {
  const hitsAndMisses = ({ counters }: SplicedSession) => [
    counters.select_cache_hits_total.value,
    counters.select_cache_misses_total.value,
  ]
  const cold = await begin({ pool: { selectCache: 'exact' } })
  cold.scripted.socket.resume()
  cold.fromClient(
    'a SELECT INBOX\r\nb EXAMINE x (CONDSTORE)\r\nc SELECT {1+}\r\ny\r\nd NOOP\r\ne STATUS x (UNSEEN)\r\n',
  )
  assert.deepEqual(hitsAndMisses(cold), [0, 3])
  const off = await begin({ pool: { selectCache: 'off' } })
  off.fromClient('a SELECT INBOX\r\n')
  assert.deepEqual(hitsAndMisses(off), [0, 0])
  const other = await warm('exact')
  other.fromClient('a SELECT other\r\nb SELECT INBOX\r\n')
  assert.deepEqual(hitsAndMisses(other), [0, 2])
  const unselecting = await warm('exact')
  unselecting.fromClient('a NOOP\r\n')
  assert.deepEqual(hitsAndMisses(unselecting), [0, 0])
  const late = await warm('window', { now: () => 10_001 })
  late.fromClient('a SELECT INBOX\r\n')
  assert.deepEqual(hitsAndMisses(late), [0, 1])
  const hit = await warm('window')
  hit.fromClient('a SELECT INBOX\r\nb SELECT INBOX\r\n')
  assert.deepEqual(hitsAndMisses(hit), [1, 1])
})

test('the same SELECT is answered from the cache after a NOOP shows no change', async () => {
  const { client, scripted, fromClient, fromServer, counters } = await warm('exact')
  fromClient('a SELECT INBOX\r\nb FETCH 1 FLAGS\r\n')
  const tag = await own(scripted, 'NOOP')
  assert.equal(client.unread, '')
  fromServer(`${tag} OK done\r\n`)
  assert.equal(await client.until('a OK [READ-WRITE] done\r\n'), `${answer}a OK [READ-WRITE] done\r\n`)
  assert.equal(await scripted.line(), 'b FETCH 1 FLAGS')
  assert.deepEqual([counters.select_cache_hits_total.value, counters.select_cache_misses_total.value], [1, 0])
})

test('a change that the NOOP reports, or a failed NOOP, sends the SELECT to the server', async () => {
  for (const told of [
    '* 4 EXISTS\r\nTAG OK done\r\n',
    '* 1 EXPUNGE\r\nTAG OK done\r\n',
    '* 1 FETCH (FLAGS (\\Seen))\r\nTAG OK done\r\n',
    '* VANISHED 5\r\nTAG OK done\r\n',
    '* OK [HIGHESTMODSEQ 9] x\r\nTAG OK done\r\n',
    'TAG NO no\r\n',
    'TAG BAD no\r\n',
  ]) {
    const { client, scripted, fromClient, fromServer, counters } = await warm('exact')
    fromClient('a SELECT INBOX\r\n')
    fromServer(told.replace('TAG', await own(scripted, 'NOOP')))
    assert.equal(await scripted.line(), 'a SELECT INBOX')
    // Reports on the mailbox before the client has selected it are not for the client.
    assert.equal(client.unread, '')
    fromServer('* 4 EXISTS\r\na OK done\r\n')
    assert.equal(await client.until('a OK done\r\n'), '* 4 EXISTS\r\na OK done\r\n')
    assert.deepEqual(
      [counters.select_cache_hits_total.value, counters.select_cache_misses_total.value],
      [0, 1],
    )
  }
})

test('a session that begins with another command finds no mailbox selected', async () => {
  for (const command of [
    'SELECT other',
    'EXAMINE INBOX',
    'SELECT INBOX (CONDSTORE)',
    'FETCH 1 FLAGS',
    'NOOP',
    'ENABLE QRESYNC',
  ]) {
    const { client, scripted, fromClient, fromServer } = await warm('exact')
    fromClient(`a ${command}\r\n`)
    const tag = await own(scripted, 'UNSELECT')
    assert.equal(await scripted.line(), `a ${command}`)
    fromServer(`* 4 EXISTS\r\n* OK [UIDNEXT 5] x\r\n${tag} OK done\r\n* OK ready\r\na NO x\r\n`)
    assert.equal(await client.until('a NO x\r\n'), '* OK ready\r\na NO x\r\n')
  }
})

test('a session ends if the server answers a SELECT but not the UNSELECT before it', async () => {
  const bye = '* BYE [UNAVAILABLE] The mail server does not answer\r\n'
  for (const [status, expected] of [
    ['OK', bye],
    // No mailbox is selected, so no data is missing.
    ['NO', 'a NO done\r\n'],
  ] as const) {
    const { client, scripted, fromClient, fromServer, endings } = await warm('exact')
    fromClient('a SELECT other\r\n')
    await own(scripted, 'UNSELECT')
    fromServer(`* 4 EXISTS\r\na ${status} done\r\n* 5 EXISTS\r\n`)
    assert.equal(await client.until('\r\n'), expected)
    assert.deepEqual(endings, status === 'OK' ? [{ kind: 'reply-overdue', logoutTag: undefined }] : [])
  }
})

test('a refused UNSELECT is logged by its name, and the client does not get the reply', async () => {
  const { client, scripted, fromClient, fromServer, logged, connection } = await warm('exact')
  fromClient('a NOOP\r\n')
  fromServer(`${await own(scripted, 'UNSELECT')} BAD what\r\na OK done\r\n`)
  assert.equal(await client.line(), 'a OK done')
  assert.deepEqual(logged, ['warn unselect_refused user=joe answer="BAD what"'])
  // The reset deselects it, or closes the connection.
  assert.equal(connection.mailbox, 'selected')
})

test('commands that the edge answers leave the mailbox selected', async () => {
  const { client, scripted, fromClient, fromServer } = await warm('exact')
  fromClient('a CAPABILITY\r\nb LOGIN x y\r\n')
  await client.until('b BAD Already logged in\r\n')
  assert.equal(scripted.unread, '')
  fromClient('c SELECT INBOX\r\n')
  fromServer(`${await own(scripted, 'NOOP')} OK done\r\n`)
  await client.until('c OK [READ-WRITE] done\r\n')
})

test('after a reload turned the cache off, it answers nothing, and the session finds no mailbox selected', async () => {
  const { scripted, fromClient, counters } = await warm('exact', { pool: { selectCache: 'off' } })
  fromClient('a SELECT INBOX\r\n')
  await own(scripted, 'UNSELECT')
  assert.equal(await scripted.line(), 'a SELECT INBOX')
  assert.deepEqual([counters.select_cache_hits_total.value, counters.select_cache_misses_total.value], [0, 0])
})

test('a session without a command leaves the mailbox selected', async () => {
  const { client, ended, connection } = await warm('exact')
  client.say('a LOGOUT\r\n')
  assert.equal((await ended).handBack.refusal, undefined)
  assert.equal(connection.selectAnswer, kept)
})

test('with a window, the SELECT waits for the replies to commands of the edge: one of them may report an EXPUNGE', async () => {
  const { client, scripted, fromClient, fromServer } = await warm('window', { ids: ['ID NIL'] })
  const tag = await own(scripted, 'ID NIL')
  fromClient('a SELECT INBOX\r\n')
  fromServer(`* 1 EXPUNGE\r\n${tag} OK done\r\n`)
  assert.equal(await scripted.line(), 'a SELECT INBOX')
  fromServer('* 2 EXISTS\r\na OK done\r\n')
  assert.equal(await client.until('a OK done\r\n'), '* 2 EXISTS\r\na OK done\r\n')
  const undisturbed = await warm('window', { ids: ['ID NIL'] })
  const other = await own(undisturbed.scripted, 'ID NIL')
  undisturbed.fromClient('a SELECT INBOX\r\n')
  undisturbed.fromServer(`* ID NIL\r\n${other} OK done\r\n`)
  assert.equal(
    await undisturbed.client.until('a OK [READ-WRITE] done\r\n'),
    `${answer}a OK [READ-WRITE] done\r\n`,
  )
})

test('with a window, the SELECT is answered without a NOOP within it, and goes to the server after it', async () => {
  let now = 10_000
  const within = await warm('window', { now: () => now })
  within.fromClient('a SELECT INBOX\r\n')
  await within.client.until('a OK [READ-WRITE] done\r\n')
  assert.equal(within.scripted.unread, '')
  now = 10_001
  const beyond = await warm('window', { now: () => now })
  beyond.fromClient('a SELECT INBOX\r\n')
  assert.equal(await beyond.scripted.line(), 'a SELECT INBOX')
})

test('the answer waits for the end of a response that the server is sending', async () => {
  const { client, scripted, counters, fromClient, fromServer } = await warm('window')
  fromServer('* LIST () "/" {3}\r\nab')
  fromClient('a SELECT INBOX\r\n')
  fromServer('c\r\n')
  const told = `* LIST () "/" {3}\r\nabc\r\n${answer}a OK [READ-WRITE] done\r\n`
  assert.equal(await client.until('a OK [READ-WRITE] done\r\n'), told)
  assert.equal(scripted.unread, '')
  assert.equal(counters.select_cache_hits_total.value, 1)
})

test('after a reload turned the cache off, it has forgotten its answers, also when it is turned on again', async () => {
  const { fromClient, fromServer, connection, reload } = await begin({ pool: { selectCache: 'exact' } })
  fromClient('a SELECT INBOX\r\n')
  fromServer(`${answer}a OK done\r\n`)
  assert.ok(connection.selectAnswer)
  reload({ selectCache: 'off' })
  fromClient('b STORE 1 +FLAGS (x)\r\n')
  reload({ selectCache: 'exact' })
  fromServer('b OK done\r\n')
  assert.equal(connection.selectAnswer, undefined)
})

test('if the client disconnects while the NOOP is unanswered, the reset waits for the reply', async () => {
  const { connection, fromClient, scripted, handBackNow } = await warm('exact')
  fromClient('a SELECT INBOX\r\n')
  const tag = await own(scripted, 'NOOP')
  assert.deepEqual(handBackNow(), {
    connection,
    refusal: undefined,
    unanswered: [tag],
    idling: false,
    usesCondstore: false,
    hadBad: false,
  })
})

test('a change reported right after the NOOP also sends the SELECT to the server', async () => {
  const { client, scripted, fromClient, fromServer, connection } = await warm('exact')
  fromClient('a SELECT INBOX\r\n')
  fromServer(`${await own(scripted, 'NOOP')} OK done\r\n* 4 EXISTS\r\n`)
  assert.equal(await scripted.line(), 'a SELECT INBOX')
  assert.equal(client.unread, '')
  fromServer('* 4 EXISTS\r\na OK done\r\n')
  assert.equal(await client.until('a OK done\r\n'), '* 4 EXISTS\r\na OK done\r\n')
  assert.equal(connection.selectAnswer?.lines, '* 4 EXISTS\r\n')
})

test('reports on the inherited mailbox do not reach the client', async () => {
  const { client, scripted, fromClient, fromServer } = await warm('exact')
  fromServer('* 4 EXISTS\r\n* OK [ALERT] disk is full\r\n* OK hello\r\n')
  assert.equal(await client.until('hello\r\n'), '* OK [ALERT] disk is full\r\n* OK hello\r\n')
  fromClient('a SELECT INBOX\r\n')
  await own(scripted, 'UNSELECT')
  assert.equal(await scripted.line(), 'a SELECT INBOX')
})

function headOf(line: string) {
  const bytes = wire(`${line}\r\n`)
  return { bytes, lineFeed: bytes.length - 1, ...commandHead(bytes, 0, bytes.length - 1) }
}

function keyOf(line: string): string | undefined {
  const { verb, bytes, verbEnd, lineFeed } = headOf(line)
  return selectionKey(verb, bytes, verbEnd, lineFeed)
}

function mayChange(line: string): boolean {
  const { verb, bytes, lineFeed } = headOf(line)
  return mayChangeMailbox(verb, bytes, 0, lineFeed)
}

test('flags that are reported during a search, and not asked for, make the answer to SELECT outdated', async () => {
  for (const [command, isKept] of [
    ['UID SEARCH ALL', false],
    ['uid sort (DATE) UTF-8 ALL', false],
    ['UID FETCH 1 (FLAGS)', true],
  ] as const) {
    const { fromClient, fromServer, connection } = await begin({ pool: { selectCache: 'exact' } })
    fromClient('a SELECT INBOX\r\n')
    fromServer(`${answer}a OK [READ-WRITE] done\r\n`)
    fromClient(`b ${command}\r\n`)
    fromServer('* 1 FETCH (UID 1 FLAGS (\\Seen))\r\nb OK done\r\n')
    assert.equal(connection.selectAnswer !== undefined, isKept, command)
  }
})

test('only a plain SELECT or EXAMINE has a key', () => {
  assert.equal(keyOf('a SELECT INBOX'), 'SELECT INBOX')
  assert.equal(keyOf('a examine "Sent Items"'), 'EXAMINE "Sent Items"')
  assert.equal(keyOf('a SELECT "a\\"b"'), 'SELECT "a\\"b"')
  assert.notEqual(keyOf('a SELECT INBOX'), keyOf('b EXAMINE INBOX'))
  for (const line of [
    'a SELECT INBOX (CONDSTORE)',
    'a SELECT "INBOX" (QRESYNC (1 2))',
    'a SELECT {5}',
    'a SELECT "a" "b"',
    'a SELECT "open',
    'a SELECT',
    'a SELECT a b',
    'a STATUS INBOX (MESSAGES)',
    'a FETCH 1 FLAGS',
  ])
    assert.equal(keyOf(line), undefined, line)
})

test('commands that may change the answer to a SELECT are recognized, unknown commands included', () => {
  for (const line of [
    'a STORE 1 +FLAGS (\\Deleted)',
    'a UID STORE 1 FLAGS ()',
    'a EXPUNGE',
    'a UID EXPUNGE 1',
    'a CLOSE',
    'a UNSELECT',
    'a APPEND INBOX {5}',
    'a COPY 1 INBOX',
    'a UID MOVE 1 x',
    'a DELETE INBOX',
    'a FETCH 1 BODY[]',
    'a UID FETCH 1 (body[text])',
    'a FETCH 1 RFC822',
    'a FETCH 1 BINARY[1]',
    'a SEARCH RETURN (SAVE) ALL',
    'a uid search return (min save) all',
    'a UID SORT RETURN (SAVE) (DATE) UTF-8 ALL',
    'a XUNKNOWN',
  ])
    assert.equal(mayChange(line), true, line)
  for (const line of [
    'a NOOP',
    'a IDLE',
    'a LIST "" *',
    'a STATUS INBOX (MESSAGES)',
    'a SEARCH ALL',
    'a UID SEARCH DELETED',
    'a UID SEARCH RETURN (ALL) DELETED',
    'a UID SORT (DATE) UTF-8 ALL',
    'a FETCH 1 (FLAGS BODY.PEEK[])',
    'a UID FETCH 1:* (UID FLAGS)',
  ])
    assert.equal(mayChange(line), false, line)
})

test('an answer is recorded unchanged, except for the number of recent messages, which is 0', () => {
  const recording: Recording = { key: 'SELECT INBOX', lines: [], bytes: 0 }
  for (const line of ['* 3 EXISTS\r\n', '* 3 RECENT\r\n', '* OK [UIDNEXT 4] x\r\n'])
    assert.equal(record(recording, line), true)
  assert.deepEqual(recording.lines, ['* 3 EXISTS\r\n', '* 0 RECENT\r\n', '* OK [UIDNEXT 4] x\r\n'])
})

test('what a server reports about the mailbox that a SELECT leaves is not kept', async () => {
  const left = '* 2 EXPUNGE\r\n* 9 EXISTS\r\n* 1 FETCH (FLAGS (x))\r\n'
  const closed = '* OK [CLOSED] Previous mailbox closed.\r\n'
  for (const [before, lines] of [
    [closed, answer],
    [left + closed, answer],
    // The server does not show where the answer begins.
    ['* 2 EXPUNGE\r\n', undefined],
    ['* 9 EXISTS\r\n', undefined],
    ['* 1 FETCH (FLAGS (x))\r\n', undefined],
  ] as const) {
    const { fromClient, fromServer, connection } = await begin({ pool: { selectCache: 'exact' } })
    fromClient('a SELECT INBOX\r\n')
    fromServer(`${before}${answer}a OK [READ-WRITE] done\r\n`)
    assert.equal(connection.selectAnswer?.lines, lines, before)
  }
})

test('an answer that is too long or has a literal is not recorded', () => {
  const recording = (): Recording => ({ key: 'SELECT INBOX', lines: [], bytes: 0 })
  assert.equal(record(recording(), '* LIST () "/" {5}\r\n'), false)
  const long = recording()
  const line = `* OK ${'x'.repeat(1000)}\r\n`
  let accepted = 0
  while (record(long, line)) accepted++
  assert.ok(accepted > 10 && accepted * line.length <= 32_768)
})
