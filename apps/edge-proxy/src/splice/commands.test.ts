import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { cutAt, everyCut, marks, wire } from '../imap/cuts.test-support.ts'
import { serve, wellBehaved, type Script } from '../server/scripted-server.test-support.ts'
import { begin, beginOn, wires, type SessionSetup } from './session.test-support.ts'

/** As `wellBehaved`, with an IDLE that waits for DONE and mail in FETCH. */
function mailServer(): Script {
  let idle = ''
  return (asked) => {
    const { tag, verb } = asked
    if (verb === 'IDLE') {
      idle = tag
      return '+ idling\r\n'
    }
    if (tag === 'DONE') return `* 2 EXISTS\r\n${idle} OK idle done\r\n`
    if (verb === 'FETCH') return `* 1 FETCH (BODY[] {14}\r\n${tag} OK forged\r\n)\r\n${tag} OK fetched\r\n`
    return wellBehaved(asked)
  }
}

interface Transcript extends SessionSetup {
  client: string
  /** What the server is asked; the tags of the edge's own commands are left out. */
  asked: string[]
  /** What the client is told; it ends with the last reply. */
  told: string
}

const transcripts: Record<string, Transcript> = {
  'commands in one go': {
    client: 'a NOOP\r\nb SELECT INBOX\r\nc CHECK\r\n',
    asked: ['NOOP', 'SELECT INBOX', 'CHECK'],
    told: 'a OK done\r\n* 1 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1] x\r\nb OK [READ-WRITE] done\r\nc OK done\r\n',
  },
  'mail that holds commands, in a literal that waits': {
    client: 'a APPEND x {30}\r\nx LOGOUT\r\ny NOOP {5}\r\n\0z LOGIN\r\nb NOOP\r\n',
    asked: ['APPEND x x LOGOUT\r\ny NOOP {5}\r\n\0z LOGIN', 'NOOP'],
    told: '+ go on\r\na OK done\r\nb OK done\r\n',
  },
  'two mails in literals that do not wait': {
    client: 'a APPEND x {3+}\r\n\r\n( (\\Seen) ~{0+}\r\n {4+}\r\nb L\n)\r\nb NOOP\r\n',
    asked: ['APPEND x \r\n( (\\Seen) ~ b L\n)', 'NOOP'],
    told: 'a OK done\r\nb OK done\r\n',
  },
  'IDLE, and DONE behind it': {
    client: 'a IDLE\r\nDONE\r\nb NOOP\r\n',
    asked: ['IDLE', '', 'NOOP'],
    told: '+ idling\r\n* 2 EXISTS\r\na OK idle done\r\nb OK done\r\n',
  },
  'a forged reply in a mail': {
    client: 'a1 FETCH 1 BODY[]\r\nb NOOP\r\n',
    asked: ['FETCH 1 BODY[]', 'NOOP'],
    told: '* 1 FETCH (BODY[] {14}\r\na1 OK forged\r\n)\r\na1 OK fetched\r\nb OK done\r\n',
  },
  'what is refused here, in its turn': {
    client: 'a NOOP\r\nb LOGIN joe secret\r\nc COMPRESS DEFLATE\r\nd STARTTLS\r\ne NOOP\r\n',
    asked: ['NOOP', 'NOOP'],
    told: 'a OK done\r\nb BAD Already logged in\r\nc BAD Command not available through this proxy\r\nd BAD Already logged in\r\ne OK done\r\n',
  },
  'what is answered here, in its turn': {
    client: 'a NOOP\r\nb CAPABILITY\r\nc ID ("name" "x")\r\nd NOOP\r\n',
    offered: 'IMAP4REV1 IDLE COMPRESS=DEFLATE AUTH=PLAIN',
    asked: ['NOOP', 'ID ("name" "x")', 'NOOP'],
    told: 'a OK done\r\n* CAPABILITY IMAP4rev1 IDLE\r\nb OK Completed\r\n* ID NIL\r\nc OK Completed\r\nd OK done\r\n',
  },
  'tags that are none': {
    client: '\r\n* OK x\r\n+ x\r\na" NOOP\r\nb NOOP\r\n',
    asked: ['NOOP'],
    told: '* BAD Invalid tag\r\n* BAD Invalid tag\r\n* BAD Invalid tag\r\n* BAD Invalid tag\r\nb OK done\r\n',
  },
}

for (const [name, { client, asked, told, ...settings }] of Object.entries(transcripts)) {
  test(`${name}: passed on the same whole, byte by byte and at every cut`, async () => {
    const on = await wires()
    const log: string[] = []
    const serving = serve(on.scripted, () => scripted, log)
    let scripted = mailServer()
    for (const chunks of everyCut(wire(client))) {
      log.length = 0
      scripted = mailServer()
      const session = beginOn(on, settings)
      for (const chunk of chunks) session.fromClient(chunk)
      const heard = await on.client.until(told.slice(told.lastIndexOf('\r\n', told.length - 3) + 2))
      assert.equal(heard, told)
      assert.deepEqual(log, asked)
    }
    on.serverLink.close()
    await serving
  })
}

test('a command line without end is a violation at its limit, and so is a literal beyond all bounds', async () => {
  const cases = [
    ['a SELECT ' + 'x'.repeat(600), 'line-too-long'],
    ['a SELECT ' + 'x'.repeat(600) + '\r\n', 'line-too-long'],
    ['a APPEND x {99999999999999999999}\r\n', 'literal-too-long'],
    ['a APPEND x {99999999999999999999+}\r\n', 'literal-too-long'],
  ] as const
  for (const [text, reason] of cases) {
    const { fromClient, ended, scripted } = await begin({ clients: { lineBytesMax: 512 } })
    for (const chunk of cutAt(wire(text), [0.3, 0.9])) fromClient(chunk)
    const { ending, handBack } = await ended
    assert.deepEqual(ending, { kind: 'violation', reason })
    assert.ok(reason === 'line-too-long' || handBack.refusal !== undefined)
    assert.equal(scripted.unread, '')
  }
})

test('what a client sends before a violation has gone to the server', async () => {
  const { fromClient, ended, scripted } = await begin({ clients: { lineBytesMax: 512 } })
  fromClient(`a NOOP\r\nb APPEND x {3+}\r\nxyz\r\nc ${'x'.repeat(600)}`)
  const { ending, handBack } = await ended
  assert.deepEqual(ending, { kind: 'violation', reason: 'line-too-long' })
  assert.equal(await scripted.until('xyz\r\n'), 'a NOOP\r\nb APPEND x {3+}\r\nxyz\r\n')
  assert.deepEqual(handBack.unanswered, ['a', 'b'])
})

test('a LOGOUT with a literal is not the end: what follows it is passed on', async () => {
  const { fromClient, fromServer, scripted } = await begin()
  fromClient('a NOOP\r\n')
  fromClient('b LOGOUT {3+}\r\n')
  fromClient('xyz\r\nc NOOP\r\n')
  assert.equal(await scripted.line(), 'a NOOP')
  fromServer('a OK done\r\n')
  assert.equal(await scripted.until('c NOOP\r\n'), 'b LOGOUT {3+}\r\nxyz\r\nc NOOP\r\n')
})

test('a refused command whose literal is on its way ends the session: the literal would be read as commands', async () => {
  const { fromClient, ended, scripted } = await begin()
  fromClient('a LOGIN {3+}\r\njoe {10+}\r\na DELETE x\r\n')
  assert.deepEqual((await ended).ending, { kind: 'violation', reason: 'literal-refused' })
  assert.equal(scripted.unread, '')
})

test('a refused command whose literal would wait is refused, and the client goes on', async () => {
  const { fromClient, client, scripted } = await begin()
  fromClient('a LOGIN {3}\r\n')
  assert.equal(await client.line(), 'a BAD Already logged in')
  fromClient('b NOOP\r\n')
  assert.equal(await scripted.line(), 'b NOOP')
})

test('any bytes of a client are passed on, answered or refused, and never an error', async () => {
  const on = await wires()
  on.scripted.socket.on('data', () => {})
  const text = fc.array(fc.constantFrom(...marks, 'a ', 'IDLE', 'LOGIN', 'ENABLE', 'SELECT', 'ID', 'b3 '), {
    maxLength: 40,
  })
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 })
  fc.assert(
    fc.property(text, text, shares, (client, scripted, cuts) => {
      const session = beginOn(on, { clients: { lineBytesMax: 512 } })
      for (const chunk of cutAt(wire(client.join('')), cuts)) session.fromClient(chunk)
      for (const chunk of cutAt(wire(scripted.join('')), cuts)) session.fromServer(chunk)
      session.handBackNow()
    }),
    { seed: 18, numRuns: 1000 },
  )
})
