import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ending } from './ending.ts'
import { begin, beginOn, wires, type SplicedSession } from './session.test-support.ts'

interface Case {
  /** What the client (`C `) and the server (`S `) send, in turn. */
  said: string[]
  /** Why the pool may not reset the connection; undefined: it may. */
  refusal: string | undefined
  unanswered?: string[]
  idling?: true
  selected?: boolean
  /** The key of the connection; empty unless it says otherwise. */
  key?: string
  usesCondstore?: true
}

/** What a client leaves that goes away after this. */
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
    for (const bytesAtOnce of [Infinity, 1]) {
      const session = beginOn(on)
      say(session, said, bytesAtOnce)
      const { connection } = session
      const handBack = session.handBackNow()
      assert.deepEqual(handBack, { connection, refusal, unanswered, idling, usesCondstore })
      if (key !== undefined) assert.equal(connection.enabledKey, key)
      if (selected !== undefined) assert.equal(connection.mailbox !== 'none', selected)
    }
  })
}

test('a lost connection, or one whose session was ended by an order, is never reset', async () => {
  const endings: [Ending, string][] = [
    [{ kind: 'upstream-gone', end: 'closed-by-peer' }, 'upstream-gone'],
    [{ kind: 'kicked' }, 'kicked'],
    [{ kind: 'shutdown' }, 'shutdown'],
    [{ kind: 'reply-overdue', logoutTag: 'a' }, 'reply-overdue'],
  ]
  for (const [ending, refusal] of endings) {
    const { splice, ended } = await begin()
    splice.end(ending)
    assert.equal((await ended).handBack.refusal, refusal)
  }
})
