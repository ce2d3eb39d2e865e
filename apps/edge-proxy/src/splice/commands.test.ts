import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { cutAt, everyCut, marks, wire } from '../imap/cuts.test-support.ts'
import { maySelect, type Verb } from '../imap/verb.ts'
import { serve, wellBehaved, type Script } from '../server/scripted-server.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import { policyOf, spoilReasonOf } from './commands.ts'
import { begin, beginOn, wires, type SessionSetup } from './session.test-support.ts'

/** Like `wellBehaved`, with an IDLE that waits for DONE, and mail in FETCH responses. */
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
  /** What the server gets, without tags. */
  asked: string[]
  /** What the client gets; it ends with the last reply. */
  told: string
}

const transcripts: Record<string, Transcript> = {
  'pipelined commands': {
    client: 'a NOOP\r\nb SELECT INBOX\r\nc CHECK\r\n',
    asked: ['NOOP', 'SELECT INBOX', 'CHECK'],
    told: 'a OK done\r\n* 1 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1] x\r\nb OK [READ-WRITE] done\r\nc OK done\r\n',
  },
  'a mail with commands, in a synchronizing literal': {
    client: 'a APPEND x {30}\r\nx LOGOUT\r\ny NOOP {5}\r\n\0z LOGIN\r\nb NOOP\r\n',
    asked: ['APPEND x x LOGOUT\r\ny NOOP {5}\r\n\0z LOGIN', 'NOOP'],
    told: '+ go on\r\na OK done\r\nb OK done\r\n',
  },
  'two mails in non-synchronizing literals': {
    client: 'a APPEND x {3+}\r\n\r\n( (\\Seen) ~{0+}\r\n {4+}\r\nb L\n)\r\nb NOOP\r\n',
    asked: ['APPEND x \r\n( (\\Seen) ~ b L\n)', 'NOOP'],
    told: 'a OK done\r\nb OK done\r\n',
  },
  'IDLE with DONE behind it': {
    client: 'a IDLE\r\nDONE\r\nb NOOP\r\n',
    asked: ['IDLE', '', 'NOOP'],
    told: '+ idling\r\n* 2 EXISTS\r\na OK idle done\r\nb OK done\r\n',
  },
  'a forged reply in a mail': {
    client: 'a1 FETCH 1 BODY[]\r\nb NOOP\r\n',
    asked: ['FETCH 1 BODY[]', 'NOOP'],
    told: '* 1 FETCH (BODY[] {14}\r\na1 OK forged\r\n)\r\na1 OK fetched\r\nb OK done\r\n',
  },
  'commands that the edge refuses, in order': {
    client: 'a NOOP\r\nb LOGIN joe secret\r\nc COMPRESS DEFLATE\r\nd STARTTLS\r\ne NOOP\r\n',
    asked: ['NOOP', 'NOOP'],
    told: 'a OK done\r\nb BAD Already logged in\r\nc BAD Command not available through this proxy\r\nd BAD Already logged in\r\ne OK done\r\n',
  },
  'commands that the edge answers, in order': {
    client: 'a NOOP\r\nb CAPABILITY\r\nc ID ("name" "x")\r\nd NOOP\r\n',
    offered: 'IMAP4rev1 IDLE COMPRESS=DEFLATE AUTH=PLAIN',
    asked: ['NOOP', 'ID ("name" "x")', 'NOOP'],
    prepare: ({ identification }: ServerConnection) =>
      identification.learnAfterLogin('* ID ("name" "Scripted")\r\n'),
    told: 'a OK done\r\n* CAPABILITY IMAP4rev1 IDLE\r\nb OK Completed\r\n* ID ("name" "Scripted")\r\nc OK Completed\r\nd OK done\r\n',
  },
  'invalid tags': {
    client: '\r\n* OK x\r\n+ x\r\na" NOOP\r\nb NOOP\r\n',
    asked: ['NOOP'],
    told: '* BAD Invalid tag\r\n* BAD Invalid tag\r\n* BAD Invalid tag\r\n* BAD Invalid tag\r\nb OK done\r\n',
  },
}

for (const [name, { client, asked, told, ...settings }] of Object.entries(transcripts)) {
  test(`${name}: the same result whole, byte by byte and at every cut`, async () => {
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

test('a line whose command is not in its first bytes is a violation, and so is a literal over the limit', async () => {
  const cases = [
    ['a LOGIN ' + 'x'.repeat(600), 'line-too-long'],
    ['a COMPRESS ' + 'x'.repeat(600), 'line-too-long'],
    ['a "LOGIN" ' + 'x'.repeat(600), 'line-too-long'],
    ['* SELECT ' + 'x'.repeat(600), 'line-too-long'],
    ['a'.repeat(600), 'line-too-long'],
    ['a ' + 'x'.repeat(600), 'line-too-long'],
    ['a' + ' '.repeat(600), 'line-too-long'],
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

test('a line in IDLE that is too long to be held is a violation, and none of its bytes reach the server', async () => {
  const { fromClient, fromServer, ended, scripted } = await begin({ clients: { lineBytesMax: 512 } })
  fromClient('a IDLE\r\n')
  fromServer('+ idling\r\n')
  fromClient('x'.repeat(600))
  const { ending, handBack } = await ended
  assert.deepEqual(ending, { kind: 'violation', reason: 'line-too-long' })
  assert.equal(await scripted.until('a IDLE\r\n'), 'a IDLE\r\n')
  assert.deepEqual([handBack.refusal, handBack.idling, scripted.unread], [undefined, true, ''])
})

test('commands before a violation go to the server', async () => {
  const { fromClient, ended, scripted } = await begin({ clients: { lineBytesMax: 512 } })
  fromClient(`a NOOP\r\nb APPEND x {3+}\r\nxyz\r\nc LOGIN ${'x'.repeat(600)}`)
  const { ending, handBack } = await ended
  assert.deepEqual(ending, { kind: 'violation', reason: 'line-too-long' })
  assert.equal(await scripted.until('xyz\r\n'), 'a NOOP\r\nb APPEND x {3+}\r\nxyz\r\n')
  assert.deepEqual(handBack.unanswered, ['a', 'b'])
})

test('a LOGOUT with a literal does not end the session, and later commands pass', async () => {
  const { fromClient, fromServer, scripted } = await begin()
  fromClient('a NOOP\r\n')
  fromClient('b LOGOUT {3+}\r\n')
  fromClient('xyz\r\nc NOOP\r\n')
  assert.equal(await scripted.line(), 'a NOOP')
  fromServer('a OK done\r\n')
  assert.equal(await scripted.until('c NOOP\r\n'), 'b LOGOUT {3+}\r\nxyz\r\nc NOOP\r\n')
})

test('a verb that is not an atom is refused: a lenient server may read it as a command that the edge refuses', async () => {
  const { fromClient, client, scripted } = await begin()
  for (const verb of ['"LOGIN"', 'LOG\\IN', 'LOGIN\t', '{5}', 'STARTTLS\x00', '\xcfK']) {
    fromClient(Buffer.from(`a ${verb} joe secret\r\n`, 'latin1'))
    assert.equal(await client.line(), 'a BAD Invalid command', verb)
  }
  fromClient('b NOOP\r\n')
  assert.equal(await scripted.line(), 'b NOOP')
})

test('a refused command with a literal ends the session, also if it has to wait: the literal would be read as commands', async () => {
  for (const command of [
    'a LOGIN {3+}\r\njoe {10+}\r\na DELETE x\r\n',
    'a LOGIN joe {12}\r\nb DELETE x\r\n\r\n',
    'a LOGIN {3}\r\n',
    'a AUTHENTICATE {5}\r\n',
    'a "X" {3}\r\n',
  ]) {
    const { fromClient, ended, scripted } = await begin()
    fromClient(command)
    assert.deepEqual((await ended).ending, { kind: 'violation', reason: 'literal-refused' }, command)
    assert.equal(scripted.unread, '')
  }
})

test('a password after a refused AUTHENTICATE reaches neither the server nor the trace', async () => {
  const { fromClient, client, scripted, splice } = await begin()
  let traced = ''
  splice.tap = { fromClient: (bytes) => void (traced += bytes.toString()), fromServer() {}, remark() {} }
  const message = wire('\0joe\0secret').toString('base64')
  fromClient(`a AUTHENTICATE PLAIN\r\n${message}\r\n`)
  assert.equal(await client.line(), 'a BAD Already logged in')
  assert.match(await client.line(), / BAD /)
  assert.equal(scripted.unread, '')
  assert.ok(!traced.includes(message), traced)
})

test('any bytes of a client are passed, answered or refused without an exception', async () => {
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

const options = { answerCapability: true, answerId: true }

const spoilReason = (verb: Verb, line: string) => spoilReasonOf(verb, wire(`${line}\r\n`), 0, line.length + 1)

test('commands that change the login or the encoding of the stream are refused', () => {
  for (const verb of [
    'LOGIN',
    'AUTHENTICATE',
    'STARTTLS',
    'COMPRESS',
    'UNAUTHENTICATE',
    'PROXYAUTH',
  ] as const)
    assert.equal(typeof policyOf(verb, options), 'object', verb)
})

test('unknown commands pass', () => {
  for (const verb of [
    'SELECT',
    'FETCH',
    'APPEND',
    'IDLE',
    'NOTIFY',
    'CLOSE',
    'OTHER',
    'XPROXY_VERSION',
  ] as const)
    assert.equal(policyOf(verb, options), 'pass', verb)
})

test('CAPABILITY and ID are answered by the edge only if configured', () => {
  assert.equal(policyOf('CAPABILITY', options), 'capability')
  assert.equal(policyOf('CAPABILITY', { ...options, answerCapability: false }), 'pass')
  assert.equal(policyOf('ID', options), 'id')
  assert.equal(policyOf('ID', { ...options, answerId: false }), 'pass')
  assert.equal(policyOf('LOGOUT', { ...options, answerId: false }), 'logout')
})

test('only commands that a reset cannot undo spoil the connection', () => {
  const expected: [Verb, string, string | undefined][] = [
    ['NOTIFY', 'a NOTIFY SET (selected)', 'notify'],
    ['LANGUAGE', 'a LANGUAGE de', 'language'],
    ['COMPARATOR', 'a COMPARATOR i;octet', 'comparator'],
    ['SEARCH', 'a SEARCH RETURN (UPDATE) ALL', 'search-update'],
    ['UID', 'a uid search return (all update) all', 'search-update'],
    ['SORT', 'a SORT RETURN (COUNT UPDATE) (DATE) UTF-8 ALL', 'search-update'],
    ['SEARCH', 'a SEARCH RETURN (ALL) ALL', undefined],
    ['SEARCH', 'a SEARCH SUBJECT update', undefined],
    ['FETCH', 'a FETCH 1 FLAGS', undefined],
    ['STORE', 'a STORE 1 +FLAGS (\\Seen)', undefined],
  ]
  for (const [verb, line, reason] of expected) assert.equal(spoilReason(verb, line), reason, line)
})

test('only SELECT and EXAMINE select a mailbox', () => {
  assert.deepEqual((['SELECT', 'EXAMINE', 'STATUS', 'CLOSE', 'OTHER'] as const).map(maySelect), [
    true,
    true,
    false,
    false,
    false,
  ])
})
