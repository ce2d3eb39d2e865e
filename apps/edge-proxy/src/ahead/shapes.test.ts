import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { commute, looksAlike } from './answers.ts'
import { commandOf, fillShape, holesIn, usesSequenceNumbers } from './shapes.ts'

const shape = (text: string): string => commandOf(text).shape
const isAsked = (text: string): boolean => commandOf(text).question !== undefined

test('a shape keeps grammar words, item lists and part numbers, and has a hole for every other token', () => {
  const cases: [text: string, shape: string, holes: string[]][] = [
    ['SELECT INBOX', 'SELECT □', ['INBOX']],
    ['select "My Mail"', 'select □', ['"My Mail"']],
    ['STATUS Sent (MESSAGES UNSEEN)', 'STATUS □ (MESSAGES UNSEEN)', ['Sent']],
    ['LIST (SUBSCRIBED) "" "*"', 'LIST (SUBSCRIBED) "" "*"', []],
    ['LIST "" "Work/%" RETURN (CHILDREN)', 'LIST "" □ RETURN (CHILDREN)', ['"Work/%"']],
    ['UID SEARCH 60', 'UID SEARCH □', ['60']],
    ['UID SEARCH RETURN (ALL) UNDELETED', 'UID SEARCH RETURN (ALL) UNDELETED', []],
    ['UID SEARCH HEADER SUBJECT hello NOT DELETED', 'UID SEARCH HEADER SUBJECT □ NOT DELETED', ['hello']],
    ['UID SEARCH HEADER X-Mine SUBJECT', 'UID SEARCH HEADER □ □', ['X-Mine', 'SUBJECT']],
    // A search word of a user may be a word of the grammar.
    ['UID SEARCH OR SUBJECT ALL FROM unseen', 'UID SEARCH OR SUBJECT □ FROM □', ['ALL', 'unseen']],
    ['UID SORT (REVERSE DATE) UTF-8 ALL', 'UID SORT (REVERSE DATE) UTF-8 ALL', []],
    ['UID FETCH 31 (BODY.PEEK[2])', 'UID FETCH □ (BODY.PEEK[2])', ['31']],
    [
      'UID FETCH 11:60 (UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM)])',
      'UID FETCH □ (UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM)])',
      ['11:60'],
    ],
    ['GETQUOTAROOT "Sent Mail"', 'GETQUOTAROOT □', ['"Sent Mail"']],
    ['UID STORE 31 +FLAGS (\\Seen)', 'UID STORE', []],
    ['UID MOVE 31 Trash', 'UID MOVE □ □', ['31', 'Trash']],
    ['APPEND secret (\\Seen) {', 'APPEND', []],
    ['XYZZY a b', 'XYZZY', []],
    ['"quoted" verb', 'OTHER', []],
  ]
  for (const [text, expected, holes] of cases) {
    const command = commandOf(text)
    assert.equal(command.shape, expected)
    assert.deepEqual(command.holes, holes)
    if (holes.length > 0) assert.equal(fillShape(command.shape, holes), text)
  }
})

test('only commands that read, and whose answers are understood, are asked ahead', () => {
  const asked = [
    ...['SELECT INBOX', 'EXAMINE "a b"', 'STATUS a (MESSAGES UNSEEN UIDNEXT)', 'LIST "" *', 'LSUB "" "*"'],
    ...[
      'NAMESPACE',
      'GETQUOTAROOT INBOX',
      'GETQUOTA ""',
      'MYRIGHTS a',
      'GETACL a',
      'GETMETADATA "" /shared/a',
    ],
    ...['UID SEARCH ALL', 'UID SEARCH CHARSET UTF-8 SUBJECT "x"', 'UID SORT (DATE) US-ASCII ALL'],
    ...['UID THREAD REFS UTF-8 ALL', 'UID FETCH 1:5,9 (UID RFC822.SIZE ENVELOPE BODYSTRUCTURE)'],
    ...['UID FETCH 7 BODY.PEEK[]', 'UID FETCH 7 (BODY.PEEK[1.2.MIME] BODY.PEEK[1.2]<0.2048>)'],
    ...['UID FETCH 7 (BINARY.PEEK[1])', 'UID FETCH 7 (BODY.PEEK[HEADER])'],
  ]
  for (const text of asked) assert.ok(isAsked(text), text)
  const refused = [
    // Commands that change something, or whose effect is unknown.
    ...[
      'NOOP',
      'IDLE',
      'CLOSE',
      'EXPUNGE',
      'UID STORE 1 +FLAGS (x)',
      'COPY 1 x',
      'APPEND x',
      'CREATE x',
      'XYZZY',
    ],
    ...[
      'UID FETCH 7 (BODY[1])',
      'UID FETCH 7 (RFC822)',
      'UID FETCH 7 RFC822.TEXT',
      'UID FETCH 7 (BINARY[1])',
    ],
    // CONDSTORE and QRESYNC.
    ...['SELECT a (CONDSTORE)', 'UID FETCH 1 (UID ENVELOPE) (CHANGEDSINCE 5)'],
    ...['UID FETCH 1 (UID MODSEQ ENVELOPE)', 'UID SEARCH MODSEQ 5', 'UID SEARCH RETURN (ALL) MODSEQ 5'],
    ...['LIST "" * RETURN (STATUS (HIGHESTMODSEQ))', 'LIST "" * RETURN (STATUS (MESSAGES))'],
    // Searches that send updates, save their result, or read the content of mail.
    ...[
      'UID SEARCH RETURN (SAVE) ALL',
      'UID SEARCH RETURN (UPDATE) ALL',
      'UID SEARCH RETURN (ALL CONTEXT) ALL',
    ],
    ...['UID SEARCH $', 'UID SEARCH TEXT x', 'UID SEARCH OR ALL BODY x', 'UID SORT (DATE) UTF-8 TEXT x'],
    // Their answers look like unsolicited responses, or use sequence numbers.
    ...[
      'UID FETCH 1:5 (UID FLAGS)',
      'UID FETCH 1:* (ENVELOPE)',
      'FETCH 1 ENVELOPE',
      'SEARCH ALL',
      'SORT (DATE) UTF-8 ALL',
    ],
    // Servers answer with the name as a literal.
    ...['STATUS "a\\"b" (UNSEEN)', 'STATUS "a\\\\b" (UNSEEN)', 'STATUS "\u00e4" (UNSEEN)'],
    // Macros, literals and invalid syntax.
    ...[
      'UID FETCH 1 FULL',
      'UID FETCH 1 ALL',
      'UID SEARCH SUBJECT {3}',
      'STATUS {5}',
      'SELECT "a',
      'SELECT a b',
    ],
    ...[
      'UID SEARCH FUZZY SUBJECT x',
      'UID FETCH 1 (ENVELOPE',
      'UID FETCH 1 (X-GM-LABELS ENVELOPE)',
      'SELECT',
      '',
    ],
  ]
  for (const text of refused) assert.ok(!isAsked(text), text)
})

test('questions that enable CONDSTORE are marked', () => {
  const enables = (text: string) => commandOf(text).question?.enablesCondstore
  assert.equal(enables('STATUS a (HIGHESTMODSEQ)'), true)
  assert.equal(enables('status "a b" (MESSAGES highestmodseq UNSEEN)'), true)
  assert.equal(enables('STATUS HIGHESTMODSEQ (MESSAGES)'), false)
  assert.equal(enables('UID SEARCH ALL'), false)
})

test('commands that name messages by sequence number are recognized', () => {
  for (const text of [
    'FETCH 1 FLAGS',
    'STORE 1 FLAGS ()',
    'COPY 1 x',
    'MOVE 1 x',
    'SEARCH ALL',
    'REPLACE 1 x {3}',
    'UID SEARCH 1:3',
    'uid sort (DATE) UTF-8 NOT 2',
    'UID THREAD REFS UTF-8 1:3',
    // Forms that are not parsed.
    ...['UID SEARCH 1:3 YOUNGER 60', 'uid search (*) SUBJECT {', 'UID THREAD REFS UTF-8 1,2 SUBJECT {'],
  ])
    assert.ok(usesSequenceNumbers(commandOf(text)), text)
  for (const text of [
    'UID FETCH 1 (FLAGS)',
    'UID SEARCH ALL',
    'UID THREAD REFS UTF-8 ALL',
    'UID SEARCH CHARSET UTF-8 SUBJECT {',
    'UID STORE 1 FLAGS ()',
    'NOOP',
    'STATUS 2024 (UNSEEN)',
  ])
    assert.ok(!usesSequenceNumbers(commandOf(text)), text)
})

test('questions that name messages by sequence number are marked', () => {
  for (const text of ['UID SEARCH 1:3', 'UID SORT (DATE) UTF-8 2', 'UID THREAD REFS UTF-8 1:3'])
    assert.equal(commandOf(text).question?.usesNumbers, true, text)
  assert.equal(commandOf('UID THREAD REFS UTF-8 ALL').question?.usesNumbers, false)
})

test('commands whose answers cannot be told apart look alike', () => {
  const alike: [string, string][] = [
    ['LIST "" a', 'LIST "" b'],
    ['STATUS INBOX (UNSEEN)', 'STATUS inbox (MESSAGES)'],
    ['STATUS INBOX.a (UNSEEN)', 'STATUS inbox.A (UNSEEN)'],
    ['STATUS a/ (UNSEEN)', 'STATUS a (UNSEEN)'],
    ['UID SEARCH ALL', 'UID SEARCH UNSEEN'],
    ['UID FETCH 1 (UID ENVELOPE)', 'UID FETCH 2 (ENVELOPE)'],
    ['UID FETCH 1 (BODY.PEEK[1]<0.5>)', 'UID FETCH 1 (BODY.PEEK[1]<5.5>)'],
    ['GETQUOTA a', 'GETQUOTAROOT b'],
    ['SELECT a', 'EXAMINE b'],
    ['XYZZY', 'NAMESPACE'],
    ['UID FETCH 1 FULL', 'UID FETCH 2 (ENVELOPE)'],
  ]
  for (const [one, other] of alike)
    assert.ok(looksAlike(commandOf(one).answers, commandOf(other).answers), `${one}, ${other}`)
  const distinct: [string, string][] = [
    ['LIST "" a', 'LSUB "" a'],
    ['STATUS a (UNSEEN)', 'STATUS "b" (UNSEEN)'],
    ['UID SEARCH ALL', 'UID SORT (DATE) UTF-8 ALL'],
    ['UID SEARCH RETURN (ALL) ALL', 'UID SEARCH RETURN (ALL) UNSEEN'],
    ['UID FETCH 1 (UID FLAGS ENVELOPE)', 'UID FETCH 1 (UID FLAGS BODY.PEEK[1])'],
    ['UID STORE 1 FLAGS ()', 'UID FETCH 1 (FLAGS ENVELOPE)'],
    ['APPEND x {', 'NAMESPACE'],
  ]
  for (const [one, other] of distinct)
    assert.ok(!looksAlike(commandOf(one).answers, commandOf(other).answers), `${one}, ${other}`)
})

test('the shape of any text has no quoted strings or numbers, and filling it restores the text', () => {
  const word = fc.constantFrom(
    'UID',
    'SEARCH',
    'FETCH',
    'STATUS',
    'SUBJECT',
    'FROM',
    '(',
    ')',
    'ENVELOPE',
    '"q x"',
    '77',
    'ALL',
  )
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), fc.string(), (words, noise) => {
      for (const text of [words.join(' '), words.join(' ') + noise, noise]) {
        const { shape: made, holes, question } = commandOf(text)
        assert.ok(!made.includes('"q x"') && !made.includes('77'))
        assert.ok(question === undefined || holesIn(made) === holes.length)
        if (question) assert.equal(fillShape(made, holes), text)
        if (question) assert.equal(shape(fillShape(made, holes)), made)
      }
    }),
  )
})

test('questions commute if a client cannot tell the order in which they were executed', () => {
  const question = (text: string) => commandOf(text).question!
  const free: [string, string][] = [
    ['LIST "" "*"', 'UID FETCH 5 (BODY.PEEK[1])'],
    ['UID FETCH 5 (BODY.PEEK[1])', 'UID FETCH 6 (UID FLAGS ENVELOPE)'],
    ['UID SEARCH ALL', 'UID SEARCH 5'],
    ['UID SEARCH UNSEEN', 'UID SEARCH ALL'],
    ['UID SEARCH SUBJECT x', 'UID FETCH 5 (UID FLAGS ENVELOPE)'],
  ]
  const ordered: [string, string][] = [
    ['SELECT a', 'UID FETCH 5 (BODY.PEEK[1])'],
    ['UID SEARCH UNSEEN', 'UID FETCH 5 (UID FLAGS ENVELOPE)'],
    ['UID SORT (DATE) UTF-8 UNDELETED', 'UID SEARCH SEEN'],
    ['STATUS a (UNSEEN)', 'STATUS "a" (MESSAGES)'],
    // A message that is moved from one to the other could be counted in neither.
    ['STATUS a (UNSEEN)', 'STATUS b (UNSEEN)'],
    ['STATUS a (UNSEEN)', 'LIST "" "*"'],
    ['STATUS a (UNSEEN)', 'UID SEARCH ALL'],
    ['LIST "" "*"', 'UID FETCH 5 (UID FLAGS ENVELOPE)'],
    ['LIST "" "*"', 'LIST "" "a"'],
  ]
  for (const [one, other] of free) {
    assert.ok(commute(question(one), question(other)), `${one}, ${other}`)
    assert.ok(commute(question(other), question(one)), `${other}, ${one}`)
  }
  for (const [one, other] of ordered) {
    assert.ok(!commute(question(one), question(other)), `${one}, ${other}`)
    assert.ok(!commute(question(other), question(one)), `${other}, ${one}`)
  }
})
