import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Peer } from '../net/wire.test-support.ts'
import type { Selection } from '../server/server-connection.ts'
import { begin, type Session, type SessionSetup } from './session.test-support.ts'

const answer = '* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1] x\r\n'
const kept: Selection = { key: 'SELECT INBOX', lines: answer, ok: 'OK [READ-WRITE] done', at: 0 }

/** A session on a connection whose mailbox is still selected. */
function warm(mode: 'exact' | 'window', settings: SessionSetup = {}): Promise<Session> {
  return begin({
    ...settings,
    pool: { selectCache: mode, ...settings.pool },
    prepare(connection) {
      connection.session.selected = true
      connection.selection = kept
    },
  })
}

/** Reads a command of the edge's own and returns its tag. */
async function own(scripted: Peer, command: string): Promise<string> {
  const [tag, ...words] = (await scripted.line()).split(' ')
  assert.equal(words.join(' '), command)
  assert.ok(tag!.length > 16)
  return tag!
}

test('the answer to a SELECT is remembered as it was, for one that asks the same', async () => {
  const { fromClient, fromServer, connection } = await begin({ pool: { selectCache: 'exact' } })
  fromClient('a SELECT INBOX\r\n')
  fromServer('* 3 EXISTS\r\n* 2 RECENT\r\n* OK [UIDVALIDITY 1] x\r\na OK [READ-WRITE] done\r\n')
  assert.deepEqual(connection.selection, { ...kept, at: 0 })
})

test('what is not a plain answer to one plain SELECT is not remembered', async () => {
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
    [{ offered: 'IMAP4REV1' }, 'a SELECT INBOX\r\n', `${answer}a OK done\r\n`],
    [{ pool: { selectCache: 'off' } }, 'a SELECT INBOX\r\n', `${answer}a OK done\r\n`],
  ]
  for (const [settings, client, scripted] of cases) {
    const session = await begin({ ...settings, pool: { selectCache: 'exact', ...settings.pool } })
    session.scripted.socket.resume()
    session.fromClient(client)
    session.fromServer(scripted)
    assert.equal(session.connection.selection, undefined, client + scripted)
  }
})

test('what was remembered is forgotten by whatever may change it, from either side', async () => {
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
    assert.ok(session.connection.selection)
    session.fromClient(client)
    session.fromServer(scripted)
    assert.equal(session.connection.selection, undefined, client + scripted)
  }
})

test('a SELECT of the same mailbox is answered from memory once a NOOP shows that nothing changed', async () => {
  const { client, scripted, fromClient, fromServer, counters } = await warm('exact')
  fromClient('a SELECT INBOX\r\nb FETCH 1 FLAGS\r\n')
  const tag = await own(scripted, 'NOOP')
  assert.equal(client.unread, '')
  fromServer(`${tag} OK done\r\n`)
  assert.equal(await client.until('a OK [READ-WRITE] done\r\n'), `${answer}a OK [READ-WRITE] done\r\n`)
  assert.equal(await scripted.line(), 'b FETCH 1 FLAGS')
  assert.deepEqual([counters.select_cache_hits_total.value, counters.select_cache_misses_total.value], [1, 0])
})

test('whatever the NOOP tells of, or a NOOP that fails, makes it a real SELECT', async () => {
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
    // What was said of the mailbox before the client had selected it is not for the client.
    assert.equal(client.unread, '')
    fromServer('* 4 EXISTS\r\na OK done\r\n')
    assert.equal(await client.until('a OK done\r\n'), '* 4 EXISTS\r\na OK done\r\n')
    assert.deepEqual(
      [counters.select_cache_hits_total.value, counters.select_cache_misses_total.value],
      [0, 1],
    )
  }
})

test('a session that begins with anything else finds no mailbox selected', async () => {
  for (const command of [
    'SELECT other',
    'EXAMINE INBOX',
    'SELECT INBOX (CONDSTORE)',
    'FETCH 1 FLAGS',
    'NOOP',
  ]) {
    const { client, scripted, fromClient, fromServer } = await warm('exact')
    fromClient(`a ${command}\r\n`)
    const tag = await own(scripted, 'UNSELECT')
    assert.equal(await scripted.line(), `a ${command}`)
    fromServer(`* 4 EXISTS\r\n${tag} OK done\r\n* OK ready\r\na NO x\r\n`)
    assert.equal(await client.until('a NO x\r\n'), '* OK ready\r\na NO x\r\n')
  }
})

test('commands that no mailbox matters to leave it selected', async () => {
  const { client, scripted, fromClient, fromServer } = await warm('exact')
  fromClient('a CAPABILITY\r\nb LOGIN x y\r\n')
  await client.until('b BAD Already logged in\r\n')
  assert.equal(scripted.unread, '')
  fromClient('c SELECT INBOX\r\n')
  fromServer(`${await own(scripted, 'NOOP')} OK done\r\n`)
  await client.until('c OK [READ-WRITE] done\r\n')
})

test('a session that never asks leaves the mailbox as it was', async () => {
  const { client, ended, connection } = await warm('exact')
  client.say('a LOGOUT\r\n')
  assert.equal((await ended).handBack.refusal, undefined)
  assert.equal(connection.selection, kept)
})

test('with a window, the answer is given blindly within it and asked for beyond it', async () => {
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

test('a cache that a reload has turned off remembers nothing, also when it is turned on again', async () => {
  const { fromClient, fromServer, connection, reload } = await begin({ pool: { selectCache: 'exact' } })
  fromClient('a SELECT INBOX\r\n')
  fromServer(`${answer}a OK done\r\n`)
  assert.ok(connection.selection)
  reload({ selectCache: 'off' })
  fromClient('b STORE 1 +FLAGS (x)\r\n')
  reload({ selectCache: 'exact' })
  fromServer('b OK done\r\n')
  assert.equal(connection.selection, undefined)
})

test('a client that goes away while the NOOP is under way leaves it to the reset', async () => {
  const { connection, fromClient, scripted, handBackNow } = await warm('exact')
  fromClient('a SELECT INBOX\r\n')
  const tag = await own(scripted, 'NOOP')
  assert.deepEqual(handBackNow(), { connection, refusal: undefined, unanswered: [tag], idling: false })
})

test('a change that is told right behind the NOOP makes it a real SELECT, too', async () => {
  const { client, scripted, fromClient, fromServer, connection } = await warm('exact')
  fromClient('a SELECT INBOX\r\n')
  fromServer(`${await own(scripted, 'NOOP')} OK done\r\n* 4 EXISTS\r\n`)
  assert.equal(await scripted.line(), 'a SELECT INBOX')
  assert.equal(client.unread, '')
  fromServer('* 4 EXISTS\r\na OK done\r\n')
  assert.equal(await client.until('a OK done\r\n'), '* 4 EXISTS\r\na OK done\r\n')
  assert.equal(connection.selection?.lines, '* 4 EXISTS\r\n')
})

test('what the server says of the mailbox before the first command is not for this client', async () => {
  const { client, scripted, fromClient, fromServer } = await warm('exact')
  fromServer('* 4 EXISTS\r\n* OK [ALERT] disk is full\r\n* OK hello\r\n')
  assert.equal(await client.until('hello\r\n'), '* OK [ALERT] disk is full\r\n* OK hello\r\n')
  fromClient('a SELECT INBOX\r\n')
  await own(scripted, 'UNSELECT')
  assert.equal(await scripted.line(), 'a SELECT INBOX')
})
