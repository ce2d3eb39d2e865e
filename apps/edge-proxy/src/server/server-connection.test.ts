import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialedLink } from '../net/wire.test-support.ts'
import { connectionOver, loggedIn } from './scripted-server.test-support.ts'
import type { Mailbox, SelectAnswer, ServerConnection } from './server-connection.ts'

const { link } = await dialedLink()
const answer: SelectAnswer = { key: 'SELECT INBOX', lines: '* 3 EXISTS\r\n', ok: 'OK done', at: 0 }
const newAnswer: SelectAnswer = { ...answer, at: 1 }

type Event = (connection: ServerConnection) => void

const mailboxEvents = {
  mailboxMayBeSelected: (connection) => connection.mailboxMayBeSelected(),
  mailboxLeft: (connection) => connection.mailboxLeft(),
  rememberSelect: (connection) => connection.rememberSelect(newAnswer),
  forgetSelect: (connection) => connection.forgetSelect(),
  doubt: (connection) => connection.doubt(),
} satisfies Record<string, Event>

const mailboxTable: {
  name: string
  lead: Event
  before: Mailbox
  after: Record<keyof typeof mailboxEvents, Mailbox>
}[] = [
  {
    name: 'none',
    lead: () => {},
    before: 'none',
    after: {
      mailboxMayBeSelected: 'selected',
      mailboxLeft: 'none',
      rememberSelect: newAnswer,
      forgetSelect: 'none',
      doubt: 'none',
    },
  },
  {
    name: 'selected',
    lead: (connection) => connection.mailboxMayBeSelected(),
    before: 'selected',
    after: {
      mailboxMayBeSelected: 'selected',
      mailboxLeft: 'none',
      rememberSelect: newAnswer,
      forgetSelect: 'selected',
      doubt: 'selected',
    },
  },
  {
    name: 'selected, with the answer to its SELECT',
    lead: (connection) => connection.rememberSelect(answer),
    before: answer,
    after: {
      mailboxMayBeSelected: 'selected',
      mailboxLeft: 'none',
      rememberSelect: newAnswer,
      forgetSelect: 'selected',
      doubt: 'selected',
    },
  },
]

test('the mailbox of a connection: every event in every state', () => {
  for (const { name, lead, before, after } of mailboxTable)
    for (const [event, expected] of Object.entries(after)) {
      const connection = connectionOver(link)
      lead(connection)
      assert.equal(connection.mailbox, before)
      mailboxEvents[event as keyof typeof mailboxEvents](connection)
      assert.equal(connection.mailbox, expected, `${name}: ${event}`)
      assert.equal(connection.selectAnswer, typeof expected === 'object' ? expected : undefined)
    }
})

const extensionEvents = {
  'one ENABLE of X': (connection) => connection.enabledByOne(['X'], 'X'),
  'one ENABLE of X Y': (connection) => connection.enabledByOne(['X', 'Y'], 'X Y'),
  'one ENABLE that enables nothing': (connection) => connection.enabledByOne([], 'Z'),
  'Y enabled in another way': (connection) => connection.enabled(['Y']),
  'an empty ENABLED response': (connection) => connection.enabled([]),
  'a command that may enable more': (connection) => connection.extensionsMayChange(),
  'CONDSTORE by a command': (connection) => connection.condstoreEnabled(),
  'one ENABLE of QRESYNC': (connection) => connection.enabledByOne(['QRESYNC'], 'QRESYNC'),
} satisfies Record<string, Event>

type Extensions = [key: string, extensions: string]

const extensionTable: {
  lead: Event
  before: Extensions
  after: Record<keyof typeof extensionEvents, Extensions>
}[] = [
  {
    lead: () => {},
    before: ['', ''],
    after: {
      'one ENABLE of X': ['X', 'X'],
      'one ENABLE of X Y': ['X Y', 'X Y'],
      'one ENABLE that enables nothing': ['', ''],
      'Y enabled in another way': ['mixed', 'Y'],
      'an empty ENABLED response': ['', ''],
      'a command that may enable more': ['', ''],
      'CONDSTORE by a command': ['condstore', ''],
      'one ENABLE of QRESYNC': ['QRESYNC', 'QRESYNC'],
    },
  },
  {
    lead: (connection) => connection.enabledByOne(['X'], 'X'),
    before: ['X', 'X'],
    after: {
      // The server may answer one ENABLE by several ENABLED responses.
      'one ENABLE of X': ['X', 'X'],
      'one ENABLE of X Y': ['mixed', 'X Y'],
      'one ENABLE that enables nothing': ['mixed', 'X'],
      'Y enabled in another way': ['mixed', 'X Y'],
      'an empty ENABLED response': ['mixed', 'X'],
      'a command that may enable more': ['mixed', 'X'],
      'CONDSTORE by a command': ['X condstore', 'X'],
      'one ENABLE of QRESYNC': ['mixed', 'X QRESYNC'],
    },
  },
  {
    lead: (connection) => connection.enabled(['X']),
    before: ['mixed', 'X'],
    after: {
      'one ENABLE of X': ['mixed', 'X'],
      'one ENABLE of X Y': ['mixed', 'X Y'],
      'one ENABLE that enables nothing': ['mixed', 'X'],
      'Y enabled in another way': ['mixed', 'X Y'],
      'an empty ENABLED response': ['mixed', 'X'],
      'a command that may enable more': ['mixed', 'X'],
      'CONDSTORE by a command': ['mixed condstore', 'X'],
      'one ENABLE of QRESYNC': ['mixed', 'X QRESYNC'],
    },
  },
  {
    lead: (connection) => connection.condstoreEnabled(),
    before: ['condstore', ''],
    after: {
      'one ENABLE of X': ['X condstore', 'X'],
      'one ENABLE of X Y': ['X Y condstore', 'X Y'],
      'one ENABLE that enables nothing': ['condstore', ''],
      'Y enabled in another way': ['mixed condstore', 'Y'],
      'an empty ENABLED response': ['condstore', ''],
      'a command that may enable more': ['condstore', ''],
      'CONDSTORE by a command': ['condstore', ''],
      'one ENABLE of QRESYNC': ['QRESYNC condstore', 'QRESYNC'],
    },
  },
  {
    lead: (connection) => connection.enabledByOne(['QRESYNC'], 'QRESYNC'),
    before: ['QRESYNC', 'QRESYNC'],
    after: {
      'one ENABLE of X': ['mixed', 'QRESYNC X'],
      'one ENABLE of X Y': ['mixed', 'QRESYNC X Y'],
      'one ENABLE that enables nothing': ['mixed', 'QRESYNC'],
      'Y enabled in another way': ['mixed', 'QRESYNC Y'],
      'an empty ENABLED response': ['mixed', 'QRESYNC'],
      'a command that may enable more': ['mixed', 'QRESYNC'],
      'CONDSTORE by a command': ['QRESYNC', 'QRESYNC'],
      'one ENABLE of QRESYNC': ['QRESYNC', 'QRESYNC'],
    },
  },
]

test('the extensions of a connection: every event in every state', () => {
  for (const { lead, before, after } of extensionTable)
    for (const [event, expected] of Object.entries(after)) {
      const connection = connectionOver(link)
      const state = () => [connection.enabledKey, [...connection.extensions].join(' ')]
      lead(connection)
      assert.deepEqual(state(), before)
      extensionEvents[event as keyof typeof extensionEvents](connection)
      assert.deepEqual(state(), expected, `${before[0]}: ${event}`)
      assert.equal(connection.hasMixedExtensions, expected[0].startsWith('mixed'))
    }
})

test('uses, proof, revocation and spoil reason change only by their own events', () => {
  const events: Record<string, Event> = {
    beginUse: (connection) => connection.beginUse(),
    endUse: (connection) => connection.endUse(7),
    proven: (connection) => connection.proven(8),
    distrust: (connection) => connection.distrust('revoked'),
    spoil: (connection) => connection.spoil('notify'),
    learnCapabilities: (connection) => connection.learnCapabilities(['NEW']),
    ...mailboxEvents,
    ...extensionEvents,
  }
  const untouched = { uses: 0, lastUsedAt: 0, provenAt: 0, distrustReason: undefined, spoilReason: undefined }
  const changes: Record<string, Partial<Record<keyof typeof untouched, unknown>>> = {
    beginUse: { uses: 1 },
    endUse: { lastUsedAt: 7 },
    proven: { provenAt: 8 },
    doubt: { provenAt: -Infinity },
    distrust: { distrustReason: 'revoked' },
    spoil: { spoilReason: 'notify' },
  }
  for (const [name, event] of Object.entries(events)) {
    const connection = connectionOver(link, 'OLD')
    event(connection)
    const { uses, lastUsedAt, provenAt, distrustReason, spoilReason } = connection
    assert.deepEqual(
      { uses, lastUsedAt, provenAt, distrustReason, spoilReason },
      { ...untouched, ...changes[name] },
      name,
    )
    assert.deepEqual(connection.capabilities, [name === 'learnCapabilities' ? 'NEW' : 'OLD'], name)
  }
})

test('after `doubt`, the next barrier proves the connection again', () => {
  const connection = connectionOver(link)
  connection.doubt()
  connection.proven(9)
  assert.equal(connection.provenAt, 9)
})

test('the first reason to close a connection is kept', () => {
  const connection = connectionOver(link)
  connection.spoil('notify')
  connection.spoil('language')
  assert.equal(connection.spoilReason, 'notify')
})

test('any data on an idle connection invalidates its proof and its answer to SELECT', async () => {
  const { connection } = await loggedIn()
  const lost: string[] = []
  connection.rememberSelect(answer)
  connection.proven(9)
  connection.rest(100, (_, reason) => lost.push(reason))
  connection.link.handler.onData(Buffer.from('* OK still'))
  assert.deepEqual([connection.provenAt, connection.mailbox, lost], [-Infinity, 'selected', []])
  connection.link.handler.onData(Buffer.from(' here\r\n* BYE bye\r\n'))
  assert.deepEqual(lost, ['server-said-bye'])
  connection.link.handler.onData(Buffer.alloc(100))
  assert.deepEqual(lost, ['server-said-bye', 'too-much-unasked'])
})
