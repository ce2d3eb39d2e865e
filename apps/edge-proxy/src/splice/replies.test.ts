import assert from 'node:assert/strict'
import { test } from 'node:test'
import { everyCut, wire } from '../imap/cuts.test-support.ts'
import { beginOn, wires, type Session, type SessionSetup } from './session.test-support.ts'

interface Transcript extends SessionSetup {
  /** What the client asks. In `scripted`, OWN1 and OWN2 are the tags of the edge's own commands in `ids`. */
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
  'capability lists, wherever they stand': {
    client: 'a1 X\r\na2 X\r\na3 X\r\n',
    scripted: `* CAPABILITY ${list}\r\n* OK [CAPABILITY ${list}] x\r\n* NO [CAPABILITY ${list}] x\r\n* BAD [CAPABILITY ${list}] x\r\na1 OK [CAPABILITY ${list}] x\r\na2 NO [CAPABILITY ${list}] x\r\na3 BAD [CAPABILITY ${list}] x\r\n`,
    told: `* CAPABILITY ${cut}\r\n* OK [CAPABILITY ${cut}] x\r\n* NO [CAPABILITY ${cut}] x\r\n* BAD [CAPABILITY ${cut}] x\r\na1 OK [CAPABILITY ${cut}] x\r\na2 NO [CAPABILITY ${cut}] x\r\na3 BAD [CAPABILITY ${cut}] x\r\n`,
  },
  'a capability list in a mail, which is none': {
    client: 'a1 FETCH 1 BODY[]\r\n',
    scripted: `* 1 FETCH (BODY[] ${literal('* CAPABILITY COMPRESS=DEFLATE\r\n')})\r\na1 OK done\r\n`,
    told: `* 1 FETCH (BODY[] ${literal('* CAPABILITY COMPRESS=DEFLATE\r\n')})\r\na1 OK done\r\n`,
  },
  'the edge’s own ID, in the middle of the client’s replies': {
    client: 'a1 NOOP\r\n',
    ids: ['ID NIL\r\n', 'ID ("x" "y")\r\n'],
    scripted: `* 1 EXISTS\r\n* ID ("name" ${literal('a1 OK x\n')})\r\nOWN1 OK done\r\n* 2 EXISTS\r\n* ID NIL\r\nOWN2 NO who?\r\na1 OK done\r\n`,
    told: '* 1 EXISTS\r\n* 2 EXISTS\r\na1 OK done\r\n',
  },
  'the client’s own ID, which is the client’s': {
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
  'a continuation that nobody waits for': {
    client: 'a1 NOOP\r\n',
    scripted: '+ go on\r\na1 OK done\r\n',
    told: '+ go on\r\na1 OK done\r\n',
    refusal: 'unexpected-continuation',
  },
  'a reply that nobody waits for': {
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
  'an extension that the server enables unasked': {
    client: 'a1 NOOP\r\n',
    scripted: '* ENABLED CONDSTORE\r\na1 OK done\r\n',
    told: '* ENABLED CONDSTORE\r\na1 OK done\r\n',
    refusal: 'extensions-enabled',
  },
}

/** Sends what the client says, and puts the tags of the edge into what the server says. */
async function converse(session: Session, { client = '', ids = [], scripted }: Transcript): Promise<Buffer> {
  const tags: string[] = []
  for (const _ of ids) tags.push((await session.scripted.line()).split(' ')[0]!)
  if (client !== '') session.fromClient(client)
  return wire(scripted.replaceAll(/OWN(\d)/g, (_, number: string) => tags[Number(number) - 1]!))
}

for (const [name, transcript] of Object.entries(transcripts)) {
  test(`${name}: told the same whole, byte by byte and at every cut`, async () => {
    const on = await wires()
    for (const chunks of everyCut(await converse(beginOn(on, transcript), transcript))) {
      const session = beginOn(on, transcript)
      // The tags of the edge are new in each session, and as long as before.
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

test('the edge answers CAPABILITY from the list that the server gave last', async () => {
  const on = await wires()
  const { fromClient, fromServer } = beginOn(on)
  fromClient('a NOOP\r\n')
  fromServer('* CAPABILITY IMAP4rev1 NEWER COMPRESS=DEFLATE\r\na OK done\r\n')
  await on.client.until('a OK done\r\n')
  fromClient('b CAPABILITY\r\n')
  assert.equal(await on.client.line(), '* CAPABILITY IMAP4rev1 NEWER')
})

test('a server that has not said what it can do is asked', async () => {
  const on = await wires()
  const { fromClient } = beginOn(on, { prepare: (connection) => void (connection.capabilities = []) })
  fromClient('b CAPABILITY\r\n')
  assert.equal(await on.scripted.line(), 'b CAPABILITY')
})

test('a refused command of the edge’s own is told to the operator, and to nobody else', async () => {
  const on = await wires()
  const session = beginOn(on, { ids: ['ID NIL\r\n'] })
  const [tag] = (await on.scripted.line()).split(' ')
  session.fromServer(`${tag} BAD no such command\r\n* 1 EXISTS\r\n`)
  assert.equal(await on.client.line(), '* 1 EXISTS')
  assert.deepEqual(session.logged, ['warn QUEUED PREAUTH failed command=ID answer="BAD no such command"'])
  assert.equal(session.handBackNow().refusal, undefined)
})
