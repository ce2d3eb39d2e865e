import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionOver } from '../server/scripted-server.test-support.ts'
import { dialedLink } from '../net/wire.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { HandBack } from '../server/reset.ts'
import { begin } from './session.test-support.ts'

/** A connection on which an earlier session has enabled these extensions. */
async function enabledWith(key: string) {
  const { link, peer } = await dialedLink()
  const connection = connectionOver(link)
  connection.enabledByOne(key.split(' '), key)
  return { connection, scripted: peer }
}

test('the first ENABLE of a session goes to the server, and its extensions become the key of the connection', async () => {
  const wanted: string[] = []
  const { client, scripted, fromClient, fromServer, connection, handBackNow } = await begin({
    swap: (key) => void wanted.push(key),
  })
  fromClient('a enable qresync Condstore\r\n')
  assert.match(await scripted.line(), /^a ENABLE CONDSTORE QRESYNC$/)
  fromServer('* ENABLED QRESYNC CONDSTORE\r\na OK done\r\n')
  assert.equal(await client.until('a OK done\r\n'), '* ENABLED QRESYNC CONDSTORE\r\na OK done\r\n')
  assert.deepEqual(wanted, ['CONDSTORE QRESYNC'])
  assert.equal(connection.enabledKey, 'CONDSTORE QRESYNC')
  assert.equal(handBackNow().refusal, undefined)
})

test('an ENABLE that is refused or enables nothing leaves a clean connection', async () => {
  for (const reply of ['a BAD no\r\n', 'a NO no\r\n', '* ENABLED\r\na OK done\r\n']) {
    const { scripted, fromClient, fromServer, connection, handBackNow } = await begin()
    fromClient('a ENABLE X\r\n')
    await scripted.line()
    fromServer(reply)
    assert.equal(connection.enabledKey, '')
    assert.equal(handBackNow().refusal, undefined)
  }
})

test('if an idle connection has the extension, the session moves to it and gives its own back', async () => {
  const other = await enabledWith('CONDSTORE')
  const given: HandBack[] = []
  const { client, connection, scripted, fromClient, ended } = await begin({
    swap: (key, handBack) => (given.push(handBack), key === 'CONDSTORE' ? other.connection : undefined),
  })
  fromClient('a NOOP\r\nb ENABLE CONDSTORE\r\nc SELECT x\r\nd LOGOUT\r\n')
  assert.equal(await scripted.line(), 'a NOOP')
  scripted.say('a OK done\r\n')
  assert.equal(
    await client.until('b OK Completed\r\n'),
    'a OK done\r\n* ENABLED CONDSTORE\r\nb OK Completed\r\n',
  )
  assert.equal(await other.scripted.line(), 'c SELECT x')
  other.scripted.say('c OK done\r\n')
  assert.equal(await client.line(), 'c OK done')
  const { ending, handBack } = await ended
  assert.equal(ending.kind, 'logout')
  assert.equal(handBack.connection, other.connection)
  assert.equal(handBack.refusal, undefined)
  assert.deepEqual(given, [
    {
      connection,
      refusal: undefined,
      unanswered: [],
      idling: false,
      usesCondstore: undefined,
      hadBad: false,
    },
  ])
  assert.equal(scripted.unread, '')
  assert.equal(other.connection.mailbox, 'selected')
})

test('after a move, the session ignores the connection that it left', async () => {
  const other = await enabledWith('CONDSTORE')
  let left: ServerConnection | undefined
  const { client, scripted, fromClient, connection, handBackNow } = await begin({
    swap: () => ((left = connection), other.connection),
  })
  fromClient('a ENABLE CONDSTORE\r\n')
  await client.until('a OK Completed\r\n')
  assert.equal(left, connection)
  // The pool passes it to its reset.
  connection.setHandlers({ onData() {}, onEnd() {} }, { onResponse: () => 'omit', onPass() {} })
  scripted.say('* BYE going down\r\n')
  scripted.socket.end()
  fromClient('b NOOP\r\n')
  assert.equal(await other.scripted.line(), 'b NOOP')
  other.scripted.say('b OK done\r\n')
  assert.equal(await client.line(), 'b OK done')
  assert.equal(handBackNow().refusal, undefined)
})

test('a connection has no key after ENABLE with a mailbox selected, or after a second ENABLE', async () => {
  const mixtures: string[][] = [
    ['C a SELECT x\r\n', 'S a OK done\r\n', 'C b ENABLE X\r\n', 'S * ENABLED X\r\nb OK done\r\n'],
    [
      'C a ENABLE X\r\n',
      'S * ENABLED X\r\na OK done\r\n',
      'C b ENABLE Y\r\n',
      'S * ENABLED Y\r\nb OK done\r\n',
    ],
    ['C a ENABLE X\r\n', 'S * ENABLED X\r\na OK done\r\n', 'C b ENABLE Y\r\n', 'S b OK done\r\n'],
    ['C a ENABLE X\r\n', 'S a OK done\r\n* ENABLED X\r\n'],
  ]
  for (const said of mixtures) {
    const session = await begin()
    session.scripted.socket.resume()
    for (const words of said)
      (words.startsWith('C') ? session.fromClient : session.fromServer)(words.slice(2))
    assert.equal(session.handBackNow().refusal, 'extensions-enabled', said.join(''))
  }
})

test('a CONDSTORE-enabling command changes nothing if CONDSTORE is enabled', async () => {
  const session = await begin()
  session.fromClient('a ENABLE CONDSTORE\r\n')
  session.fromServer('* ENABLED CONDSTORE\r\na OK done\r\n')
  session.fromClient('b SELECT x (CONDSTORE)\r\nc FETCH 1 (MODSEQ)\r\n')
  session.fromServer('b OK done\r\nc NO no\r\n')
  assert.equal(session.handBackNow().refusal, undefined)
  assert.equal(session.connection.enabledKey, 'CONDSTORE')
})

test('CONDSTORE enabled by a command is noticed although an ENABLE was sent, in either order of the replies', async () => {
  const fetches: [key: string, said: string[]][] = [
    [
      'condstore',
      ['C a ENABLE CONDSTORE\r\n', 'S a BAD no\r\n', 'C b FETCH 1 (MODSEQ)\r\n', 'S b OK done\r\n'],
    ],
    [
      'condstore',
      ['C a ENABLE CONDSTORE\r\n', 'S a OK done\r\n', 'C b FETCH 1 (MODSEQ)\r\n', 'S b OK done\r\n'],
    ],
    [
      'X condstore',
      ['C a ENABLE X\r\nb FETCH 1 (MODSEQ)\r\n', 'S b OK done\r\n* ENABLED X\r\na OK done\r\n'],
    ],
    [
      'X condstore',
      ['C a ENABLE X\r\nb FETCH 1 (MODSEQ)\r\n', 'S * ENABLED X\r\na OK done\r\nb OK done\r\n'],
    ],
  ]
  for (const [key, said] of fetches) {
    const session = await begin()
    session.scripted.socket.resume()
    for (const words of said)
      (words.startsWith('C') ? session.fromClient : session.fromServer)(words.slice(2))
    assert.equal(session.connection.enabledKey, key, said.join(''))
    assert.equal(session.handBackNow().refusal, undefined)
  }
})

test('ENABLE as the first command keeps a mailbox that is still selected, if the session moves', async () => {
  const other = await enabledWith('CONDSTORE')
  const selected = { key: 'SELECT INBOX', lines: '', ok: 'OK done', at: 0 }
  const { client, connection, scripted, fromClient } = await begin({
    pool: { selectCache: 'exact' },
    prepare: (cached) => cached.rememberSelect(selected),
    swap: () => other.connection,
  })
  fromClient('a ENABLE CONDSTORE\r\n')
  await client.until('a OK Completed\r\n')
  assert.equal(scripted.unread, '')
  assert.equal(connection.selectAnswer, selected)
})

test('ENABLE as the first command finds no mailbox selected, and its connection is kept for its key', async () => {
  // A server should answer in this order, but the client must also learn what is enabled if it does not.
  for (const isInOrder of [true, false]) {
    const { client, connection, scripted, fromClient, fromServer, handBackNow } = await begin({
      pool: { selectCache: 'exact' },
      prepare: (cached) => cached.rememberSelect({ key: 'SELECT INBOX', lines: '', ok: 'OK done', at: 0 }),
    })
    fromClient('a ENABLE QRESYNC\r\n')
    const [tag, ...words] = (await scripted.line()).split(' ')
    assert.deepEqual(words, ['UNSELECT'])
    assert.equal(await scripted.line(), 'a ENABLE QRESYNC')
    const left = `* 4 EXISTS\r\n${tag} OK done\r\n`
    const enabled = '* ENABLED QRESYNC\r\na OK done\r\n'
    fromServer(isInOrder ? left + enabled : enabled + left)
    assert.equal(await client.until('a OK done\r\n'), enabled)
    assert.deepEqual([connection.enabledKey, connection.mailbox], ['QRESYNC', 'none'])
    assert.equal(handBackNow().refusal, undefined)
  }
})

test('ENABLE without arguments goes to the server', async () => {
  const { scripted, fromClient } = await begin()
  fromClient('a ENABLE\r\n')
  assert.equal(await scripted.line(), 'a ENABLE')
})
