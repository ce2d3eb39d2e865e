import assert from 'node:assert/strict'
import { test } from 'node:test'
import { everyCut, wire } from '../imap/cuts.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import { beginOn, wires, type SplicedSession, type SessionSetup } from './session.test-support.ts'

interface Transcript extends SessionSetup {
  /** What the client sends. In `scripted`, OWN1 and OWN2 are the tags of the edge's commands in `ids`. */
  client?: string
  scripted: string
  told: string
  refusal?: string
}

const literal = (text: string) => `{${text.length}}\r\n${text}`
const list = 'IMAP4rev1 IDLE COMPRESS=DEFLATE AUTH=PLAIN STARTTLS UNAUTHENTICATE ENABLE'
const cut = 'IMAP4rev1 IDLE ENABLE'

const transcripts: Record<string, Transcript> = {
  'replies with mail in them': {
    client: 'a1 FETCH 1:2 BODY[]\r\n',
    scripted: '* 1 FETCH (BODY[] {15}\r\na1 OK forged\r\n\0)\r\n* 2 FETCH (BODY[] NIL)\r\na1 OK {5}\r\n',
    told: '* 1 FETCH (BODY[] {15}\r\na1 OK forged\r\n\0)\r\n* 2 FETCH (BODY[] NIL)\r\na1 OK {5}\r\n',
  },
  'capability lists in every response': {
    client: 'a1 X\r\na2 X\r\na3 X\r\n',
    scripted: `* CAPABILITY ${list}\r\n* OK [CAPABILITY ${list}] x\r\n* NO [CAPABILITY ${list}] x\r\n* BAD [CAPABILITY ${list}] x\r\na1 OK [CAPABILITY ${list}] x\r\na2 NO [CAPABILITY ${list}] x\r\na3 BAD [CAPABILITY ${list}] x\r\n`,
    told: `* CAPABILITY ${cut}\r\n* OK [CAPABILITY ${cut}] x\r\n* NO [CAPABILITY ${cut}] x\r\n* BAD [CAPABILITY ${cut}] x\r\na1 OK [CAPABILITY ${cut}] x\r\na2 NO [CAPABILITY ${cut}] x\r\na3 BAD [CAPABILITY ${cut}] x\r\n`,
  },
  'text in a mail that looks like a capability list': {
    client: 'a1 FETCH 1 BODY[]\r\n',
    scripted: `* 1 FETCH (BODY[] ${literal('* CAPABILITY COMPRESS=DEFLATE\r\n')})\r\na1 OK done\r\n`,
    told: `* 1 FETCH (BODY[] ${literal('* CAPABILITY COMPRESS=DEFLATE\r\n')})\r\na1 OK done\r\n`,
  },
  'an ID of the edge, between replies to the client': {
    client: 'a1 NOOP\r\n',
    ids: ['ID NIL', 'ID ("x" "y")'],
    scripted: `* 1 EXISTS\r\n* ID ("name" ${literal('a1 OK x\n')})\r\nOWN1 OK done\r\n* 2 EXISTS\r\n* ID NIL\r\nOWN2 NO who?\r\na1 OK done\r\n`,
    told: '* 1 EXISTS\r\n* 2 EXISTS\r\na1 OK done\r\n',
  },
  'an ID of the client': {
    client: 'a1 ID NIL\r\n',
    pool: { answerId: false },
    scripted: '* ID ("name" "Dovecot")\r\na1 OK done\r\n',
    told: '* ID ("name" "Dovecot")\r\na1 OK done\r\n',
  },
  'untagged data before a continuation': {
    client: 'a1 APPEND x {3}\r\n',
    scripted: '* 3 EXISTS\r\n* OK still here\r\n+ go on\r\n',
    told: '* 3 EXISTS\r\n* OK still here\r\n+ go on\r\n',
    refusal: 'open-literal',
  },
  'an unexpected continuation': {
    client: 'a1 NOOP\r\n',
    scripted: '+ go on\r\na1 OK done\r\n',
    told: '+ go on\r\na1 OK done\r\n',
    refusal: 'unexpected-continuation',
  },
  'an unexpected reply': {
    client: 'a1 NOOP\r\n',
    scripted: 'a2 OK who?\r\na1 OK done\r\n',
    told: 'a2 OK who?\r\na1 OK done\r\n',
    refusal: 'unexpected-reply',
  },
  'a reply that comes twice': {
    client: 'a1 NOOP\r\n',
    scripted: 'a1 OK done\r\na1 OK done\r\n',
    told: 'a1 OK done\r\na1 OK done\r\n',
    refusal: 'unexpected-reply',
  },
  'a BYE': {
    client: 'a1 NOOP\r\n',
    scripted: '* BYE going down\r\na1 OK done\r\n',
    told: '* BYE going down\r\na1 OK done\r\n',
    refusal: 'server-said-bye',
  },
  'an extension that the server enables without an ENABLE': {
    client: 'a1 NOOP\r\n',
    scripted: '* ENABLED CONDSTORE\r\na1 OK done\r\n',
    told: '* ENABLED CONDSTORE\r\na1 OK done\r\n',
    refusal: 'extensions-enabled',
  },
}

/** Sends the client's commands, and puts the tags of the edge's commands into the responses. */
async function converse(
  session: SplicedSession,
  { client = '', ids = [], scripted }: Transcript,
): Promise<Buffer> {
  const tags: string[] = []
  for (const _ of ids) tags.push((await session.scripted.line()).split(' ')[0]!)
  if (client !== '') session.fromClient(client)
  return wire(scripted.replaceAll(/OWN(\d)/g, (_, number: string) => tags[Number(number) - 1]!))
}

for (const [name, transcript] of Object.entries(transcripts)) {
  test(`${name}: the client gets the same result whole, byte by byte and at every cut`, async () => {
    const on = await wires()
    for (const chunks of everyCut(await converse(beginOn(on, transcript), transcript))) {
      const session = beginOn(on, transcript)
      // Each session has new tags of the same length.
      await on.scripted.until(transcript.client ?? '')
      const bytes = await converse(session, transcript)
      let at = 0
      for (const { length } of chunks) session.fromServer(bytes.subarray(at, (at += length)))
      assert.equal(await on.client.bytes(transcript.told.length), transcript.told)
      assert.equal(on.client.unread, '')
      assert.equal(session.handBackNow().refusal, transcript.refusal)
    }
  })
}

test('CAPABILITY is answered from the server’s last capability list', async () => {
  const on = await wires()
  const { fromClient, fromServer } = beginOn(on)
  fromClient('a NOOP\r\n')
  fromServer('* CAPABILITY IMAP4rev1 NEWER COMPRESS=DEFLATE\r\na OK done\r\n')
  await on.client.until('a OK done\r\n')
  fromClient('b CAPABILITY\r\n')
  assert.equal(await on.client.line(), '* CAPABILITY IMAP4rev1 NEWER')
})

test('if the server has sent no capability list, the edge requests it, and the client does not get the answer', async () => {
  const on = await wires()
  const prepare = (connection: ServerConnection) => connection.learnCapabilities([])
  const { fromServer, connection } = beginOn(on, { prepare, early: 'a CAPABILITY\r\nb NOOP\r\n' })
  const [tag, ...words] = (await on.scripted.line()).split(' ')
  assert.deepEqual(words, ['CAPABILITY'])
  assert.equal(await on.scripted.line(), 'a CAPABILITY')
  assert.equal(await on.scripted.line(), 'b NOOP')
  const listed = '* CAPABILITY IMAP4rev1 UNSELECT\r\n'
  fromServer(`${listed}${tag} OK done\r\n${listed}a OK done\r\nb OK done\r\n`)
  assert.equal(await on.client.until('b OK done\r\n'), `${listed}a OK done\r\nb OK done\r\n`)
  assert.deepEqual(connection.capabilities, ['IMAP4rev1', 'UNSELECT'])
})

test('a session continues if the server refuses CAPABILITY', async () => {
  const on = await wires()
  const session = beginOn(on, { prepare: (connection) => connection.learnCapabilities([]) })
  const [tag] = (await on.scripted.line()).split(' ')
  session.fromServer(`${tag} BAD no\r\n* 1 EXISTS\r\n`)
  assert.equal(await on.client.line(), '* 1 EXISTS')
  assert.equal(session.handBackNow().refusal, undefined)
})

test('a refused command of the edge is logged, and the client does not get the reply', async () => {
  const on = await wires()
  const session = beginOn(on, { ids: ['ID NIL'] })
  const [tag] = (await on.scripted.line()).split(' ')
  session.fromServer(`${tag} BAD no such command\r\n* 1 EXISTS\r\n`)
  assert.equal(await on.client.line(), '* 1 EXISTS')
  assert.deepEqual(session.logged, ['warn QUEUED PREAUTH failed command=ID answer="BAD no such command"'])
  assert.equal(session.handBackNow().refusal, undefined)
})
