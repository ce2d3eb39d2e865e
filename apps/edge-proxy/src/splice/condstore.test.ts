import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialedLink } from '../net/wire.test-support.ts'
import type { HandBack } from '../server/reset.ts'
import { connectionOver } from '../server/scripted-server.test-support.ts'
import { begin, type SessionSetup } from './session.test-support.ts'

const status = 'STATUS INBOX (MESSAGES HIGHESTMODSEQ)'

/** A session of a user who may have an idle connection with CONDSTORE. */
async function moving(settings: SessionSetup & { hasOther: boolean }) {
  const { link, peer } = await dialedLink()
  const other = connectionOver(link)
  other.condstoreEnabled()
  const asked: { key: string; handBack: HandBack }[] = []
  const session = await begin({
    ...settings,
    swap(key, handBack) {
      asked.push({ key, handBack })
      return settings.hasOther ? other : undefined
    },
  })
  return { ...session, other, otherServer: peer, asked }
}

test('a command that enables CONDSTORE moves the session to a connection that has it', async () => {
  for (const command of [
    status,
    'LIST "" % RETURN (STATUS (HIGHESTMODSEQ))',
    'SELECT INBOX (CONDSTORE)',
    'EXAMINE INBOX (CONDSTORE)',
  ]) {
    const { fromClient, connection, scripted, otherServer, asked, client, ended, other } = await moving({
      hasOther: true,
    })
    fromClient(`a ${command}\r\nb ${status}\r\n`)
    assert.equal(await otherServer.line(), `a ${command}`)
    assert.equal(await otherServer.line(), `b ${status}`)
    assert.equal(scripted.unread, '')
    assert.deepEqual(asked, [
      {
        key: 'condstore',
        handBack: {
          connection,
          refusal: undefined,
          unanswered: [],
          idling: false,
          hadBad: false,
          usesCondstore: undefined,
        },
      },
    ])
    otherServer.say('a OK done\r\nb OK done\r\n')
    await client.until('b OK done\r\n')
    client.say('c LOGOUT\r\n')
    const { handBack } = await ended
    assert.deepEqual([handBack.connection, handBack.usesCondstore], [other, true])
  }
})

test('without such a connection the command passes, and later commands do not look for one again', async () => {
  const { fromClient, scripted, asked, connection, fromServer } = await moving({ hasOther: false })
  fromClient(`a ${status}\r\n`)
  assert.equal(await scripted.line(), `a ${status}`)
  fromServer('a BAD no\r\n')
  fromClient(`b ${status}\r\n`)
  assert.equal(await scripted.line(), `b ${status}`)
  assert.equal(asked.length, 1)
  assert.equal(connection.spoilReason, 'condstore-uncertain')
})

/** What the client and the server send before the command. The session must then stay on its connection. */
const staying: Record<string, SessionSetup & { before?: string[]; command?: string }> = {
  'an unanswered command': { before: ['C b NOOP\r\n'] },
  'a selected mailbox': { before: ['C b SELECT x\r\n', 'S b OK done\r\n'] },
  'a mailbox that may be selected': { before: ['C b SELECT x\r\n', 'S b NO no\r\n'] },
  'an enabled extension': { prepare: (connection) => connection.enabledByOne(['X'], 'X') },
  'half a response': { before: ['S * LIST () "/" {5}\r\nab'] },
  'a command that only may enable it': { command: 'STATUS MODSEQ (UNSEEN)' },
  'a name in quotes': { command: 'STATUS "MODSEQ" (UNSEEN)' },
  'a command with a literal': { command: 'STATUS {1+}\r\nx (HIGHESTMODSEQ)' },
  'CONDSTORE on its own connection': { prepare: (connection) => connection.condstoreEnabled() },
}

for (const [name, { before = [], command = status, ...settings }] of Object.entries(staying))
  test(`with ${name}, the session keeps its connection`, async () => {
    const { fromClient, fromServer, scripted, asked, connection, handBackNow } = await moving({
      ...settings,
      hasOther: true,
    })
    scripted.socket.resume()
    for (const words of before) (words.startsWith('C ') ? fromClient : fromServer)(words.slice(2))
    fromClient(`a ${command}\r\n`)
    assert.equal(handBackNow().connection, connection)
    assert.deepEqual(asked, [])
  })

test('a mailbox that an earlier session left selected stays selected on the connection that is given back', async () => {
  const selected = { key: 'SELECT INBOX', lines: '', ok: 'OK done', at: 0 }
  const { fromClient, scripted, otherServer, connection } = await moving({
    hasOther: true,
    pool: { selectCache: 'exact' },
    prepare: (cached) => cached.rememberSelect(selected),
  })
  fromClient(`a ${status}\r\n`)
  assert.equal(await otherServer.line(), `a ${status}`)
  assert.equal(scripted.unread, '')
  assert.equal(connection.selectAnswer, selected)
})
