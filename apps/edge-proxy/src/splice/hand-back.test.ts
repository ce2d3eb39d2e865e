import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ending } from './ending.ts'
import { begin, beginOn, wires, type SplicedSession } from './session.test-support.ts'

interface Case {
  /** What the client (`C `) and the server (`S `) send, in this order. */
  said: string[]
  /** Why the pool may not reset the connection. Undefined: it may. */
  refusal: string | undefined
  unanswered?: string[]
  idling?: true
  selected?: boolean
  /** The key of the connection; empty by default. */
  key?: string
  usesCondstore?: true
}

/** The state of the connection if the client disconnects after these commands. */
const cases: Record<string, Case> = {
  'nothing at all': { said: [], refusal: undefined, selected: false },
  'commands that are answered': { said: ['C a NOOP\r\n', 'S a OK done\r\n'], refusal: undefined },
  'commands that are not answered': {
    said: ['C a NOOP\r\nb FETCH 1 BODY[]\r\n', 'S * 1 FETCH (BODY[] {100}\r\nhalf'],
    refusal: undefined,
    unanswered: ['a', 'b'],
  },
  'half a command line, which the server never saw': { said: ['C a NO'], refusal: undefined },
  'the announcement of a literal': {
    said: ['C a APPEND x {5}\r\n'],
    refusal: 'open-literal',
    unanswered: ['a'],
  },
  'a literal that does not wait': {
    said: ['C a APPEND x {5+}\r\nab'],
    refusal: 'open-literal',
    unanswered: ['a'],
  },
  'half a literal': {
    said: ['C a APPEND x {5}\r\n', 'S + go\r\n', 'C ab'],
    refusal: 'open-literal',
    unanswered: ['a'],
  },
  'a whole literal without the end of its command': {
    said: ['C a APPEND x {5}\r\n', 'S + go\r\n', 'C abcde'],
    refusal: 'open-literal',
    unanswered: ['a'],
  },
  'the second mail of a multi-APPEND': {
    said: ['C a APPEND x {1+}\r\na {5}\r\n'],
    refusal: 'open-literal',
    unanswered: ['a'],
  },
  'a literal that was refused': {
    said: ['C a APPEND x {5}\r\n', 'S a NO [TRYCREATE] no\r\n'],
    refusal: undefined,
  },
  'an IDLE that is not confirmed': {
    said: ['C a IDLE\r\n'],
    refusal: 'open-continuation',
    unanswered: ['a'],
  },
  'an IDLE that is on': {
    said: ['C a IDLE\r\n', 'S + idling\r\n* 3 EXISTS\r\n'],
    refusal: undefined,
    unanswered: ['a'],
    idling: true,
  },
  'an IDLE that was ended': {
    said: ['C a IDLE\r\n', 'S + idling\r\n', 'C DONE\r\n'],
    refusal: undefined,
    unanswered: ['a'],
  },
  'a second IDLE, pipelined with the DONE of the first': {
    said: ['C a IDLE\r\n', 'S + idling\r\n', 'C DONE\r\nb IDLE\r\n', 'S a OK done\r\n+ idling\r\n'],
    refusal: undefined,
    unanswered: ['b'],
    idling: true,
  },
  'a second IDLE, ended as the first was': {
    said: [
      'C a IDLE\r\n',
      'S + idling\r\n',
      'C DONE\r\nb IDLE\r\n',
      'S a OK done\r\n+ idling\r\n',
      'C DONE\r\n',
      'S b OK done\r\n',
    ],
    refusal: undefined,
  },
  'an IDLE that was refused': { said: ['C a IDLE\r\n', 'S a BAD no\r\n'], refusal: undefined },
  'an IDLE that the server ended': {
    said: ['C a IDLE\r\n', 'S + idling\r\na OK enough\r\n'],
    refusal: undefined,
  },
  'a selected mailbox': { said: ['C a SELECT x\r\n', 'S a OK done\r\n'], refusal: undefined, selected: true },
  'a mailbox that may be selected': {
    said: ['C a EXAMINE x\r\n'],
    refusal: undefined,
    unanswered: ['a'],
    selected: true,
  },
  'a mailbox that was deselected': {
    said: ['C a SELECT x\r\nb CLOSE\r\n', 'S a OK done\r\nb OK done\r\n'],
    refusal: undefined,
    selected: false,
  },
  'a mailbox that was deselected and another selected, pipelined': {
    said: ['C a CLOSE\r\nb SELECT y\r\n', 'S a OK done\r\nb OK done\r\n'],
    refusal: undefined,
    selected: true,
  },
  'a mailbox whose CLOSE was refused': {
    said: ['C a SELECT x\r\nb CLOSE\r\n', 'S a OK done\r\nb BAD no\r\n'],
    refusal: undefined,
    selected: true,
  },
  'a failed SELECT, which proves nothing about the mailbox before it': {
    said: ['C a SELECT x\r\n', 'S a OK done\r\n', 'C b SELECT y\r\n', 'S b NO no\r\n'],
    refusal: undefined,
    selected: true,
  },
  'a failed SELECT and nothing before it': {
    said: ['C a SELECT x\r\n', 'S a NO no\r\n'],
    refusal: undefined,
    selected: true,
  },
  'a failed EXAMINE with parameters': {
    said: ['C a EXAMINE x (CONDSTORE)\r\n', 'S a BAD no\r\n'],
    refusal: 'condstore-uncertain',
    usesCondstore: true,
    selected: true,
  },
  'a SELECT that fails before another one succeeds, pipelined': {
    said: ['C a SELECT x\r\nb SELECT y\r\n', 'S a NO no\r\nb OK done\r\n'],
    refusal: undefined,
    selected: true,
  },
  'a SELECT that succeeds before another one fails, pipelined': {
    said: ['C a SELECT x\r\nb SELECT y\r\n', 'S a OK done\r\nb NO no\r\n'],
    refusal: undefined,
    selected: true,
  },
  'a SELECT that fails, and one that is not answered': {
    said: ['C a SELECT x\r\nb SELECT y\r\n', 'S a NO no\r\n'],
    refusal: undefined,
    unanswered: ['b'],
    selected: true,
  },
  'a SELECT that failed, deselected by UNSELECT': {
    said: ['C a SELECT x\r\nb UNSELECT\r\n', 'S a NO no\r\nb OK done\r\n'],
    refusal: undefined,
    selected: false,
  },
  'a CLOSE that is answered before an earlier SELECT': {
    said: ['C a SELECT x\r\nb CLOSE\r\n', 'S b OK done\r\na OK done\r\n'],
    refusal: undefined,
    selected: true,
  },
  'a CLOSE that is answered after a later SELECT': {
    said: ['C a CLOSE\r\nb SELECT y\r\n', 'S b OK done\r\na OK done\r\n'],
    refusal: undefined,
    selected: true,
  },
  'two UNSELECTs, of which the second is refused': {
    said: ['C a SELECT x\r\nb UNSELECT\r\nc UNSELECT\r\n', 'S a OK done\r\nb OK done\r\nc BAD no\r\n'],
    refusal: undefined,
    selected: true,
  },
  'a mailbox that a SELECT with a syntax error did not deselect': {
    said: ['C a SELECT x\r\n', 'S a OK done\r\n', 'C b SELECT y\r\n', 'S b BAD no\r\n'],
    refusal: undefined,
    selected: true,
  },
  NOTIFY: { said: ['C a NOTIFY SET (selected)\r\n', 'S a OK done\r\n'], refusal: 'notify' },
  'NOTIFY that was refused': { said: ['C a NOTIFY X\r\n', 'S a BAD x\r\n'], refusal: 'notify' },
  'a search that keeps sending': {
    said: ['C a SEARCH RETURN (UPDATE) ALL\r\n', 'S a OK done\r\n'],
    refusal: 'search-update',
  },
  'CONDSTORE by SELECT': {
    said: ['C a SELECT x (CONDSTORE)\r\n', 'S a OK done\r\n'],
    refusal: undefined,
    key: 'condstore',
    usesCondstore: true,
  },
  'CONDSTORE by FETCH': {
    said: ['C a FETCH 1 (MODSEQ)\r\n', 'S a OK done\r\n'],
    refusal: undefined,
    key: 'condstore',
    usesCondstore: true,
  },
  'CONDSTORE by STATUS, twice': {
    said: ['C a STATUS x (HIGHESTMODSEQ)\r\nb STATUS y (HIGHESTMODSEQ)\r\n', 'S a OK done\r\nb NO no\r\n'],
    refusal: undefined,
    key: 'condstore',
    usesCondstore: true,
  },
  'CONDSTORE by LIST': {
    said: ['C a LIST "" % RETURN (STATUS (HIGHESTMODSEQ))\r\n', 'S a OK done\r\n'],
    refusal: undefined,
    key: 'condstore',
    usesCondstore: true,
  },
  'CONDSTORE by the last part of a command with literals, which the edge cannot judge': {
    said: ['C a STATUS {1+}\r\nx (HIGHESTMODSEQ)\r\n', 'S a OK done\r\n'],
    refusal: undefined,
    key: 'condstore',
  },
  'a word of CONDSTORE in a place where it may mean something else': {
    said: ['C a SEARCH SUBJECT MODSEQ\r\n', 'S a OK done\r\n'],
    refusal: undefined,
    key: 'condstore',
  },
  'words of CONDSTORE in quoted strings': {
    said: ['C a STATUS "MODSEQ" (UNSEEN)\r\nb SELECT "CONDSTORE"\r\n', 'S a OK done\r\nb OK done\r\n'],
    refusal: undefined,
    key: '',
  },
  'CONDSTORE that was refused': {
    said: ['C a FETCH 1 (MODSEQ)\r\n', 'S a NO no\r\n'],
    refusal: 'condstore-uncertain',
    usesCondstore: true,
  },
  'CONDSTORE that was refused before it was enabled': {
    said: ['C a FETCH 1 (MODSEQ)\r\nb FETCH 1 (MODSEQ)\r\n', 'S a BAD no\r\nb OK done\r\n'],
    refusal: 'condstore-uncertain',
    usesCondstore: true,
  },
  'CONDSTORE that is not answered': {
    said: ['C a FETCH 1 (MODSEQ)\r\n'],
    refusal: 'extensions-uncertain',
    unanswered: ['a'],
    usesCondstore: true,
  },
  'CONDSTORE that is enabled and asked for again without an answer': {
    said: ['C a FETCH 1 (MODSEQ)\r\nb FETCH 1 (MODSEQ)\r\n', 'S a OK done\r\n'],
    refusal: undefined,
    unanswered: ['b'],
    key: 'condstore',
    usesCondstore: true,
  },
  'CONDSTORE by a command, and ENABLE after it': {
    said: [
      'C a STATUS x (HIGHESTMODSEQ)\r\n',
      'S a OK done\r\n',
      'C b ENABLE QRESYNC\r\n',
      'S * ENABLED QRESYNC\r\nb OK done\r\n',
    ],
    refusal: undefined,
    key: 'QRESYNC condstore',
    usesCondstore: true,
  },
  'ENABLE, and CONDSTORE by a command after it': {
    said: [
      'C a ENABLE UTF8=ACCEPT\r\n',
      'S * ENABLED UTF8=ACCEPT\r\na OK done\r\n',
      'C b STATUS x (HIGHESTMODSEQ)\r\n',
      'S b OK done\r\n',
    ],
    refusal: undefined,
    key: 'UTF8=ACCEPT condstore',
    usesCondstore: true,
  },
  'CONDSTORE by a command, and ENABLE with a mailbox selected, which no other session sends so': {
    said: [
      'C a SELECT x (CONDSTORE)\r\n',
      'S a OK done\r\n',
      'C b ENABLE X\r\n',
      'S * ENABLED X\r\nb OK done\r\n',
    ],
    refusal: 'extensions-enabled',
    usesCondstore: true,
  },
  'ENABLE QRESYNC, which includes CONDSTORE, and a command that needs it': {
    said: [
      'C a ENABLE QRESYNC\r\n',
      'S * ENABLED QRESYNC\r\na OK done\r\n',
      'C b STATUS x (HIGHESTMODSEQ)\r\n',
      'S b NO no\r\n',
    ],
    refusal: undefined,
    key: 'QRESYNC',
    usesCondstore: true,
  },
  'ENABLE that is not answered': {
    said: ['C a ENABLE QRESYNC\r\n'],
    refusal: 'extensions-uncertain',
    unanswered: ['a'],
  },
  'two commands with one tag': {
    said: ['C a NOOP\r\na NOOP\r\n', 'S a OK done\r\na OK done\r\n'],
    refusal: 'unexpected-reply',
  },
  'a command that the server refused while its literal was under way': {
    said: ['C a APPEND x {5+}\r\nab', 'S a NO [TOOBIG] no\r\n', 'C cde\r\n'],
    refusal: 'unexpected-reply',
  },
  'a bare line feed': { said: ['C a NOOP\n', 'S a OK done\r\n'], refusal: 'odd-line-end' },
  'a carriage return in a line': {
    said: ['C a SELECT x\ry\r\n', 'S a OK done\r\n'],
    refusal: 'odd-line-end',
  },
  'a bare line feed behind a literal': {
    said: ['C a APPEND x {1+}\r\nz', 'C \n', 'S a OK done\r\n'],
    refusal: 'odd-line-end',
  },
  'a word whose literal is shorter than announced': {
    said: ['C a UID SEARCH HEADER SUBJECT {5+}\r\nabc\r\n', 'C b NOOP\r\n', 'S a BAD no\r\n'],
    refusal: 'line-end-in-literal',
  },
  'a word whose literal takes a line end, and a command that fits behind it': {
    said: ['C a SEARCH SUBJECT {6}\r\n', 'S + go\r\n', 'C abc\r\nb ALL\r\n', 'S a OK done\r\n'],
    refusal: 'line-end-in-literal',
  },
  'a word with a command in it': {
    said: ['C a SEARCH SUBJECT {17+}\r\nabc\r\nb DELETE x\r\n\r\n', 'S a OK done\r\n'],
    refusal: 'line-end-in-literal',
  },
  'a literal of a mail and a name, in order': {
    said: ['C a APPEND {1+}\r\nx (\\Seen) {5+}\r\na\r\nbc\r\n', 'S a OK done\r\n'],
    refusal: undefined,
  },
  'a literal before a parenthesis': {
    said: ['C a FETCH 1 (BODY[HEADER.FIELDS ({4+}\r\nDate)])\r\n', 'S a OK done\r\n'],
    refusal: undefined,
  },
  'a word whose literal is one byte longer than announced': {
    said: ['C a UID SEARCH SUBJECT {3+}\r\nabcd\r\n', 'S a OK done\r\n'],
    refusal: 'odd-literal',
  },
  'a mail that is longer than announced': {
    said: ['C a APPEND x {3+}\r\nabcdef\r\n', 'S a OK done\r\n'],
    refusal: 'odd-literal',
  },
  'a mail that is longer than announced, by whole lines': {
    said: ['C a APPEND x {3+}\r\nabc\r\nand more\r\n', 'S a OK done\r\nand BAD no\r\n'],
    refusal: 'odd-literal',
  },
  'a mail that is longer than announced, by a line that is no command': {
    said: ['C a APPEND x {3+}\r\nabc\r\n', 'S a OK done\r\n', 'C (more)\r\n'],
    refusal: 'odd-literal',
  },
  'an empty line behind a mail': {
    said: ['C a APPEND x {3+}\r\nabc\r\n', 'S a OK done\r\n', 'C \r\n'],
    refusal: undefined,
  },
  'a literal that was sent although it was refused': {
    said: ['C a APPEND x {11}\r\n', 'S a NO no\r\n', 'C hello world\r\n', 'S hello BAD no\r\n'],
    refusal: 'odd-literal',
  },
  'a command with a literal that the server does not understand': {
    said: ['C a UID SEARCH SUBJECT {3+}\r\nabc def\r\n', 'S a BAD no\r\n'],
    refusal: 'odd-literal',
  },
  'a quoted word with a command in it': {
    said: ['C a SEARCH SUBJECT "foo\r\nb DELETE x"\r\n', 'S a BAD no\r\nb BAD no\r\n'],
    refusal: 'unclosed-quote',
  },
  'an unclosed quote with a literal behind it': {
    said: ['C a SEARCH SUBJECT "x {3}\r\n', 'S a BAD no\r\n'],
    refusal: 'unclosed-quote',
  },
  'a quote that closes with a quoted backslash': {
    said: ['C a SEARCH SUBJECT "x \\"y\\\\" FROM "z"\r\n', 'S a OK done\r\n'],
    refusal: undefined,
  },
  'a quote whose end is quoted': {
    said: ['C a SEARCH SUBJECT "x\\"\r\n', 'S a BAD no\r\n'],
    refusal: 'unclosed-quote',
  },
  'only commands that the server does not understand': {
    said: ['C a LIST "" %\r\nb X\r\n', 'S a BAD no\r\nb BAD no\r\n'],
    refusal: undefined,
  },
  'a bare line feed in IDLE': {
    said: ['C a IDLE\r\n', 'S + idling\r\n', 'C \n', 'S a OK done\r\n'],
    refusal: 'odd-line-end',
  },
}

function say(session: SplicedSession, said: string[], bytesAtOnce: number): void {
  for (const words of said) {
    const pass = words.startsWith('C ') ? session.fromClient : session.fromServer
    for (let at = 2; at < words.length; at += bytesAtOnce) pass(words.slice(at, at + bytesAtOnce))
  }
}

for (const [
  name,
  { said, refusal, unanswered = [], idling = false, selected, key, usesCondstore = false },
] of Object.entries(cases)) {
  test(`a client that leaves ${name}: ${refusal ?? 'the connection can be reset'}`, async () => {
    const on = await wires()
    on.scripted.socket.resume()
    const hadBad = said.some((words) => /(?:^S |\n)\w+ BAD /.test(words))
    for (const bytesAtOnce of [Infinity, 1]) {
      const session = beginOn(on)
      say(session, said, bytesAtOnce)
      const { connection } = session
      const handBack = session.handBackNow()
      assert.deepEqual(handBack, { connection, refusal, unanswered, idling, usesCondstore, hadBad })
      if (key !== undefined) assert.equal(connection.enabledKey, key)
      if (selected !== undefined) assert.equal(connection.mailbox !== 'none', selected)
    }
  })
}

/** Lines of more than 512 bytes pass as they arrive. `said` begins the line, `ends` ends it. */
const longLines: Record<string, { said: string; ends?: string; refusal?: string }> = {
  'a search for many messages': { said: 'a UID SEARCH UID ' },
  'a search that keeps sending': {
    said: 'a SEARCH RETURN (COUNT ',
    ends: ' UPDATE) ALL',
    refusal: 'search-update',
  },
  'words that only look like one that keeps sending': { said: 'a SEARCH RETURN (COUNT) ', ends: ' UPDAT E' },
  'a bare line feed': { said: 'a SEARCH ', ends: '\n', refusal: 'odd-line-end' },
  'a carriage return in the middle': { said: 'a SEARCH \r', refusal: 'odd-line-end' },
  'a carriage return before the last': { said: 'a SEARCH ', ends: '\r', refusal: 'odd-line-end' },
  'an unclosed quote': { said: 'a SEARCH SUBJECT "', refusal: 'unclosed-quote' },
  'a quote': { said: 'a SEARCH SUBJECT "', ends: '\\\\"' },
  'a quote whose end is quoted': { said: 'a SEARCH SUBJECT "', ends: '\\"', refusal: 'unclosed-quote' },
  'a literal': { said: 'a SEARCH SUBJECT ', ends: ' {10+}\r\nb LOGOUT x ALL' },
  'a literal, and a long line behind it': { said: 'a SEARCH SUBJECT {10+}\r\nb LOGOUT x FROM ' },
  'a long line that does not fit behind a literal': {
    said: 'a SEARCH SUBJECT {1+}\r\nxy FROM ',
    refusal: 'odd-literal',
  },
  'a mailbox': { said: 'a SELECT ' },
  NOTIFY: { said: 'a NOTIFY SET ', refusal: 'notify' },
  'an ID, which the edge does not answer': { said: 'a ID ("name" "', ends: '")' },
}

for (const [name, { said, ends = '', refusal }] of Object.entries(longLines))
  test(`a client that sends ${name} in a long line: ${refusal ?? 'the connection can be reset'}`, async () => {
    const on = await wires()
    const line = `${said}${'1,'.repeat(700)}${ends}${ends === '\n' ? '' : '\r\n'}`
    for (const bytesAtOnce of [Infinity, 700, 97, 1]) {
      const session = beginOn(on, { clients: { lineBytesMax: 512 } })
      for (let at = 0; at < line.length; at += bytesAtOnce)
        session.fromClient(line.slice(at, at + bytesAtOnce))
      session.fromClient('z NOOP\r\n')
      assert.equal(await on.scripted.until('z NOOP\r\n'), `${line}z NOOP\r\n`)
      session.fromServer('a OK done\r\nz OK done\r\n')
      const { refusal: seen, unanswered } = session.handBackNow()
      assert.deepEqual([seen, unanswered], [refusal, []], `${bytesAtOnce} bytes at once`)
    }
  })

test('CONDSTORE is found anywhere in a long line, quotes or not', async () => {
  const on = await wires()
  for (const bytesAtOnce of [Infinity, 700, 97, 1])
    for (const line of [
      `a UID FETCH ${'1,'.repeat(700)}2 (FLAGS) (CHANGEDSINCE 1)\r\n`,
      `a X "${'y'.repeat(700)}" (MODSEQ ${'z'.repeat(700)})\r\n`,
    ]) {
      const session = beginOn(on, { clients: { lineBytesMax: 512 } })
      for (let at = 0; at < line.length; at += bytesAtOnce)
        session.fromClient(line.slice(at, at + bytesAtOnce))
      await on.scripted.until('\r\n')
      session.fromServer('a OK done\r\n')
      assert.equal(session.connection.hasCondstore, true)
      assert.equal(session.connection.enabledKey === '', false)
    }
})

test('a client that leaves half a long line: no command of the edge may follow it', async () => {
  const { fromClient, scripted, handBackNow, splice } = await begin({ clients: { lineBytesMax: 512 } })
  const line = `a UID SEARCH UID ${'1,'.repeat(700)}`
  fromClient(line)
  assert.equal(await scripted.bytes(line.length), line)
  assert.equal(splice.positions().C.lineTail?.length, 32)
  assert.equal(handBackNow().refusal, 'open-line')
})

test('a server that refuses a long line before its end may read the rest of it as a command', async () => {
  const { fromClient, fromServer, handBackNow } = await begin({ clients: { lineBytesMax: 512 } })
  fromClient(`a UID SEARCH UID ${'1,'.repeat(700)}`)
  fromServer('a BAD Too long\r\n')
  fromClient('2\r\n')
  const { refusal, hadBad } = handBackNow()
  assert.deepEqual([refusal, hadBad], ['unexpected-reply', true])
})

test('a lost connection, or one whose session was ended by an order, is never reset', async () => {
  const endings: [Ending, string][] = [
    [{ kind: 'upstream-gone', end: 'closed-by-peer' }, 'upstream-gone'],
    [{ kind: 'kicked' }, 'kicked'],
    [{ kind: 'shutdown' }, 'shutdown'],
    [{ kind: 'reply-overdue', logoutTag: 'a' }, 'reply-overdue'],
    [{ kind: 'mailbox-lost' }, 'mailbox-lost'],
  ]
  for (const [ending, refusal] of endings) {
    const { splice, ended } = await begin()
    splice.end(ending)
    assert.equal((await ended).handBack.refusal, refusal)
  }
})
