/** What a trace without bodies shows and hides of commands and responses, in every form of the protocol. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { cutAt, wire } from '../imap/cuts.test-support.ts'
import { AskedCommands } from './asked-commands.ts'
import { TraceMask } from './trace-mask.ts'

/** The two masks of a traced session. */
function session(isComplete = true) {
  const asked = new AskedCommands(isComplete)
  const [C, S] = [new TraceMask('C', asked), new TraceMask('S', asked)]
  return {
    client: (text: string) => C.lines(wire(text)),
    server: (text: string) => S.lines(wire(text)),
  }
}

const commandLine = (text: string) => session().client(`${text}\r\n`)[0]
const responseLine = (text: string) => session().server(`${text}\r\n`)[0]

const shownCommands = [
  'a NOOP',
  'a SELECT "Sent Items" (CONDSTORE)',
  'a LIST (SUBSCRIBED) "" ("INBOX" "Drafts/%") RETURN (STATUS (MESSAGES UNSEEN))',
  'a STATUS Archive.2025 (MESSAGES HIGHESTMODSEQ)',
  'a UID FETCH 1:*,7 (UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)]<0.100>) (CHANGEDSINCE 5 VANISHED)',
  'a UID STORE 1:3 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Seen $Junk NonJunk)',
  'a STORE 1 FLAGS \\Seen',
  'a UID SEARCH RETURN (MIN COUNT) CHARSET UTF-8 UNSEEN NOT DELETED SINCE 1-Feb-2025 UID 1:200,7 LARGER 100 KEYWORD $Junk',
  'a SORT (REVERSE SUBJECT ARRIVAL) UTF-8 ALL SENTBEFORE "12-Mar-2024"',
  'a THREAD REFERENCES UTF-8 UNDELETED MODSEQ 620162338',
  'a UID MOVE 5 Trash',
  'a IDLE',
  'DONE',
  'done',
  'a ID ("name" "Roundcube" "version" "1.6")',
  'a GETMETADATA (DEPTH 1) "" (/shared/comment)',
  'a ENABLE CONDSTORE QRESYNC',
  'a NOTIFY SET (selected (MessageNew (UID) MessageExpunge))',
  'a LOGOUT',
]
for (const line of shownCommands)
  test(`a command without mail is shown as it is: ${line}`, () => assert.equal(commandLine(line), line))

const hiddenInCommands = [
  ['a SEARCH SUBJECT holiday', 'a SEARCH SUBJECT ... [7 bytes]'],
  ['a SEARCH SUBJECT "holiday plans" UNSEEN', 'a SEARCH SUBJECT "..." [13 bytes] UNSEEN'],
  ['a UID SEARCH OR FROM all TO "seen" ALL', 'a UID SEARCH OR FROM ... [3 bytes] TO "..." [4 bytes] ALL'],
  [
    'a SEARCH NOT (TEXT x BODY y) BCC z CC w',
    'a SEARCH NOT (TEXT ... [1 bytes] BODY ... [1 bytes]) BCC ... [1 bytes] CC ... [1 bytes]',
  ],
  ['a SEARCH HEADER Subject ALL', 'a SEARCH HEADER Subject ... [3 bytes]'],
  ['a SEARCH HEADER X-Secret "all"', 'a SEARCH HEADER ... [14 bytes]'],
  ['a SEARCH X-GM-RAW "from:me" holiday', 'a SEARCH X-GM-RAW ... [17 bytes]'],
  ['a SEARCH FUZZY TEXT holidey SINCE 1-Feb-2025', 'a SEARCH FUZZY TEXT ... [7 bytes] SINCE 1-Feb-2025'],
  ['a SORT (SUBJECT) UTF-8 SUBJECT plans', 'a SORT (SUBJECT) UTF-8 SUBJECT ... [5 bytes]'],
  ['a SEARCH ANNOTATION /comment value "holiday"', 'a SEARCH ANNOTATION ... [24 bytes]'],
  ['a STORE 1 X-GM-LABELS (holiday)', 'a STORE 1 ... [21 bytes]'],
  ['a STORE 1 ANNOTATION (/comment (value.priv "x"))', 'a STORE 1 ... [38 bytes]'],
  ['a STORE 1 +FLAGS ("holiday")', 'a STORE 1 +FLAGS (... [10 bytes]'],
  [
    'a SETMETADATA INBOX (/private/comment "holiday" /shared/x NIL)',
    'a SETMETADATA INBOX (/private/comment "..." [7 bytes] /shared/x ... [3 bytes])',
  ],
  [
    'a APPEND INBOX (\\Seen) " 5-Jan-2025 10:00:00 +0000" "holiday"',
    'a APPEND INBOX (\\Seen) " 5-Jan-2025 10:00:00 +0000" "..." [7 bytes]',
  ],
  ['a APPEND 5 "holiday"', 'a APPEND 5 "..." [7 bytes]'],
  ['a APPEND Drafts CATENATE (URL "/INBOX/;uid=5")', 'a APPEND Drafts ... [30 bytes]'],
  ['a REPLACE 5 Drafts (\\Draft) "holiday"', 'a REPLACE 5 Drafts (\\Draft) "..." [7 bytes]'],
  ['a XHOLIDAY plans', '... [16 bytes]'],
  ['plans for the holiday', '... [21 bytes]'],
  ['holiday', '... [7 bytes]'],
  ['a SEARCH SUBJECT "holiday', 'a SEARCH SUBJECT ... [8 bytes]'],
  ['a SELECT "holiday', 'a SELECT ... [8 bytes]'],
  ['a LOGIN joe hunter2', 'a LOGIN ... [11 bytes]'],
  ['a URLFETCH "imap://joe@mail/INBOX/;uid=1"', '... [41 bytes]'],
] as const
for (const [line, shown] of hiddenInCommands)
  test(`mail is hidden in ${line}`, () => assert.equal(commandLine(line), shown))

test('after a literal the command continues: keys are shown and values are hidden', () => {
  const { client } = session()
  assert.deepEqual(client('a SEARCH SUBJECT {7+}\r\nholiday UNSEEN HEADER {7}\r\nSubject ALL FROM x\r\n'), [
    'a SEARCH SUBJECT {7+} [7 bytes]',
    ' UNSEEN HEADER {7} [7 bytes]',
    ' ... [3 bytes] FROM ... [1 bytes]',
  ])
  assert.deepEqual(client('b APPEND {5}\r\nINBOX (\\Seen) ~{9+}\r\nholiday\r\n (\\Draft) {2}\r\nxy\r\n'), [
    'b APPEND {5} [5 bytes]',
    ' (\\Seen) ~{9+} [9 bytes]',
    ' (\\Draft) {2} [2 bytes]',
    '',
  ])
  assert.deepEqual(client('c SETMETADATA {5}\r\nINBOX (/private/comment {4}\r\n/abc /shared/x "/def")\r\n'), [
    'c SETMETADATA {5} [5 bytes]',
    ' (/private/comment {4} [4 bytes]',
    ' /shared/x "..." [4 bytes])',
  ])
})

test('the rest of a literal with a wrong size is hidden', () => {
  const { client } = session()
  assert.deepEqual(client('a SEARCH HEADER SUBJECT {4+}\r\nholiday plans\r\nb NOOP\r\n'), [
    'a SEARCH HEADER SUBJECT {4+} [4 bytes]',
    '... [9 bytes]',
    'b NOOP',
  ])
  assert.deepEqual(client('c SEARCH TEXT {3+}\r\nxyz\r\nholiday\r\nd NOOP\r\n').slice(2), [
    '... [7 bytes]',
    'd NOOP',
  ])
})

const shownResponses = [
  '* 23 EXISTS',
  '* FLAGS (\\Answered \\Seen $Junk)',
  '* LIST (\\HasNoChildren \\Sent) "/" "Sent Items"',
  '* LIST () "." INBOX ("CHILDINFO" ("SUBSCRIBED"))',
  '* STATUS "Sent Items" (MESSAGES 3 HIGHESTMODSEQ 7)',
  '* SEARCH 1 2 3 (MODSEQ 917162500)',
  '* ESEARCH UID COUNT 5 ALL 1:3,9 MODSEQ 4',
  '* SORT 5 3 4',
  '* THREAD (2)(3 6 (4 23)(44 7 96))',
  '* VANISHED (EARLIER) 300:310,405',
  '* CAPABILITY IMAP4rev1 IDLE RIGHTS=kxten',
  '* ID ("name" "Dovecot")',
  '* NAMESPACE (("" "/")) NIL NIL',
  '* QUOTA "User quota" (STORAGE 12 100)',
  '* OK [UIDVALIDITY 3857529045] UIDs valid',
  '* BYE Disconnected for inactivity.',
  '* NO [ALERT] The disk is nearly full',
  '+ idling',
  '* 5 FETCH (UID 17 FLAGS (\\Seen $Forwarded NonJunk) MODSEQ (624140003) RFC822.SIZE 4423 INTERNALDATE " 1-Feb-2025 10:11:12 +0100")',
  '* 5 FETCH (EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9) SAVEDATE NIL X-GM-MSGID 1278455344230334865 BINARY.SIZE[1.2] 5)',
  '* 5 FETCH (BODY[] NIL ENVELOPE NIL)',
]
for (const line of shownResponses)
  test(`a response without mail is shown as it is: ${line}`, () => assert.equal(responseLine(line), line))

const hiddenInResponses = [
  [
    '* 1 FETCH (ENVELOPE (NIL "plans" (("Ann" NIL "ann" "x.org")) NIL) UID 5)',
    '* 1 FETCH (ENVELOPE (...) [43 bytes] UID 5)',
  ],
  [
    '* 1 FETCH (UID 5 BODY[HEADER.FIELDS (SUBJECT)] "Subject: x" FLAGS ())',
    '* 1 FETCH (UID 5 BODY[HEADER.FIELDS (SUBJECT)] "..." [10 bytes] FLAGS ())',
  ],
  ['* 1 FETCH (BODY[1.MIME]<0> holiday)', '* 1 FETCH (BODY[1.MIME]<0> ... [7 bytes])'],
  [
    '* 1 FETCH (BODYSTRUCTURE ("TEXT" "PLAIN" ("NAME" "plan.pdf") NIL "d" "7BIT" 5 1) UID 1)',
    '* 1 FETCH (BODYSTRUCTURE (...) [53 bytes] UID 1)',
  ],
  ['* 1 FETCH (BODY (("TEXT" "PLAIN" NIL) "MIXED"))', '* 1 FETCH (BODY (...) [28 bytes])'],
  [
    '* 1 FETCH (BINARY[2]<0> "x" RFC822 "y" RFC822.HEADER "z" RFC822.TEXT "w")',
    '* 1 FETCH (BINARY[2]<0> "..." [1 bytes] RFC822 "..." [1 bytes] RFC822.HEADER "..." [1 bytes] RFC822.TEXT "..." [1 bytes])',
  ],
  [
    '* 1 FETCH (PREVIEW "hello" SNIPPET (FUZZY "hello") X-GM-LABELS ("\\\\Sent" plans))',
    '* 1 FETCH (PREVIEW "..." [5 bytes] SNIPPET (...) [13 bytes] X-GM-LABELS (...) [14 bytes])',
  ],
  ['* 1 FETCH (ANNOTATION (/comment (value.priv "x")))', '* 1 FETCH (ANNOTATION (...) [25 bytes])'],
  ['* 1 FETCH (X-HOLIDAY plans UID 5)', '* 1 FETCH (... [22 bytes]'],
  [
    '* 1 FETCH (UID plans FLAGS ("plans") INTERNALDATE "plans" RFC822.SIZE (a))',
    '* 1 FETCH (UID ... [5 bytes] FLAGS ("..." [5 bytes]) INTERNALDATE "..." [5 bytes] RFC822.SIZE (... [1 bytes]))',
  ],
  [
    '* METADATA INBOX (/shared/comment "plans" /private/x NIL)',
    '* METADATA INBOX (/shared/comment "..." [5 bytes] /private/x NIL)',
  ],
  ['* METADATA "" (plans "x")', '* METADATA "" (... [9 bytes])'],
  ['* ANNOTATION INBOX "/comment" ("value.priv" "plans")', '... [52 bytes]'],
  ['* HOLIDAY plans', '... [15 bytes]'],
  ['* 5 HOLIDAY plans', '... [17 bytes]'],
  ['* SEARCH 1 plans', '* SEARCH 1 ... [5 bytes]'],
  ['* ESEARCH (TAG "plans") UID', '* ESEARCH (TAG "..." [5 bytes]) UID'],
  ['* OK [PARSE] Invalid header: plans', '* OK ... [29 bytes]'],
  ['plans for a holiday', '... [19 bytes]'],
  ['a OK plans', '... [10 bytes]'],
] as const
for (const [line, shown] of hiddenInResponses)
  test(`mail is hidden in ${line}`, () => assert.equal(responseLine(line), shown))

test('an ENVELOPE with literals is hidden on both sides of them', () => {
  const { server } = session()
  const text =
    '* 1 FETCH (UID 3 ENVELOPE ("d" {5}\r\nplans (("Ann" NIL {3}\r\nann "x.org")) NIL) FLAGS (\\Seen) BODY[HEADER.FIELDS ({4}\r\nDATE)] {1}\r\nx)\r\n'
  assert.deepEqual(server(text), [
    '* 1 FETCH (UID 3 ENVELOPE ... [4 bytes] {5} [5 bytes]',
    ' ... [11 bytes] {3} [3 bytes]',
    ' ... [14 bytes] FLAGS (\\Seen) BODY[HEADER.FIELDS ({4} [4 bytes]',
    ')] {1} [1 bytes]',
    ')',
  ])
})

test('after a header with an unescaped quote or a line end, everything is hidden up to the reply to a command', () => {
  const { client, server } = session()
  client('a NOOP\r\n')
  assert.deepEqual(
    server('* 1 FETCH (ENVELOPE ("a "plans) c" NIL) UID 3)\r\n* 2 EXISTS\r\n').at(-1),
    '... [10 bytes]',
  )
  assert.deepEqual(
    server('* 1 FETCH (BODY[TEXT] "plans\r\n* LIST () "/" plans\r\nb OK plans\r\nFLAGS plans") UID 3)\r\n'),
    ['... [28 bytes]', '... [19 bytes]', '... [10 bytes]', '... [20 bytes]'],
  )
  assert.deepEqual(server('a OK done\r\n* 2 EXISTS\r\n'), ['a OK done', '* 2 EXISTS'])
})

test('the text of a reply is shown only if no part of a command in progress is hidden', () => {
  const { client, server } = session()
  client('a SEARCH TEXT plans\r\nb SELECT INBOX\r\n')
  assert.deepEqual(server('* BAD Unknown word: plans\r\n* NO [ALERT] Disk full\r\n+ plans\r\n'), [
    '* BAD ... [19 bytes]',
    '* NO [ALERT] Disk full',
    '+ ... [5 bytes]',
  ])
  assert.deepEqual(server('a BAD [CLIENTBUG] Unknown word: plans\r\n'), ['a BAD [CLIENTBUG] ... [19 bytes]'])
  assert.deepEqual(server('b OK [READ-WRITE] Select completed.\r\n* OK Still here\r\n'), [
    'b OK [READ-WRITE] Select completed.',
    '* OK Still here',
  ])
  client('c SEARCH SUBJECT {5}\r\n')
  assert.deepEqual(server('c NO [BADCHARSET (UTF-8)] plans\r\nc OK again\r\n'), [
    'c NO ... [26 bytes]',
    '... [10 bytes]',
  ])
  client('plans\r\nd FETCH 1 ENVELOPE\r\n')
  assert.deepEqual(server('d NO [plans] broken header: plans\r\n'), ['d NO ... [28 bytes]'])
})

test('a trace that begins within a session hides the text of replies to commands that it has not seen', () => {
  const { client, server } = session(false)
  assert.deepEqual(server('x BAD Unknown word: plans\r\n* OK plans\r\n* 2 EXISTS\r\n'), [
    '... [25 bytes]',
    '* OK ... [5 bytes]',
    '* 2 EXISTS',
  ])
  client('a NOOP\r\n')
  assert.deepEqual(server('a OK done\r\n'), ['a OK done'])
})

test('commands in progress are counted up to a limit, and above it the text of replies is hidden', () => {
  const { client, server } = session()
  for (let n = 0; n < 1001; n++) client(`a${n} NOOP\r\n`)
  assert.deepEqual(server('a0 OK done\r\na1000 OK done\r\n* OK text\r\n'), [
    'a0 OK done',
    '... [13 bytes]',
    '* OK ... [4 bytes]',
  ])
})

test('a literal in place of an item hides the rest, and a literal in place of a mailbox does not', () => {
  const { client, server } = session()
  assert.deepEqual(server('* 1 FETCH ({5}\r\nplans UID 5 FLAGS (plans))\r\n'), [
    '* 1 FETCH ({5} [5 bytes]',
    ' ... [20 bytes]',
  ])
  client('a NOOP\r\n')
  server('a OK done\r\n')
  assert.deepEqual(server('* STATUS {5}\r\nplans (MESSAGES 3)\r\n* LIST () "/" {5}\r\nplans\r\n'), [
    '* STATUS {5} [5 bytes]',
    ' (MESSAGES 3)',
    '* LIST () "/" {5} [5 bytes]',
    '',
  ])
})

test('a line that is not a command does not affect the commands before it', () => {
  const { client, server } = session()
  client('a SELECT INBOX\r\nplans for a holiday\r\n')
  assert.deepEqual(server('a OK [READ-WRITE] Selected\r\n'), ['a OK [READ-WRITE] Selected'])
})

/** Random sessions, with `SECRET` wherever mail may occur. */
const quoted = fc.constantFrom(
  '"SECRET"',
  '"a \\"SECRET\\" b"',
  '"SECRET (x"',
  '"\\\\" ',
  'NIL',
  '"SECRET) UID 5 FLAGS (a"',
)
const literal = fc
  .constantFrom('SECRET', 'SECRET\r\n* 1 FETCH (FLAGS (SECRET))\r\na OK SECRET\r\n', ') SECRET "')
  .chain((text) => fc.constantFrom('{', '~{').map((open) => `${open}${text.length}}\r\n${text}`))
const value: fc.Arbitrary<string> = fc.oneof(
  quoted,
  literal,
  fc.array(fc.oneof(quoted, literal), { maxLength: 4 }).map((items) => `(${items.join(' ')})`),
)
const item = fc.oneof(
  fc.constantFrom(
    'UID 5',
    'FLAGS (\\Seen)',
    'MODSEQ (4)',
    'INTERNALDATE " 1-Feb-2025 10:11:12 +0100"',
    'RFC822.SIZE 9',
  ),
  fc
    .tuple(
      fc.constantFrom(
        'ENVELOPE',
        'BODY[]',
        'BODY[HEADER.FIELDS (DATE FROM)]',
        'BODYSTRUCTURE',
        'BODY',
        'BINARY[1]',
        'PREVIEW',
        'RFC822',
        'X-UNKNOWN',
        'x',
      ),
      value,
    )
    .map((pair) => pair.join(' ')),
)
const response = fc.oneof(
  fc.array(item, { minLength: 1, maxLength: 5 }).map((items) => `* 1 FETCH (${items.join(' ')})\r\n`),
  value.map((text) => `* METADATA INBOX (/shared/comment ${text})\r\n`),
  value.map((text) => `* XODD ${text}\r\n`),
  // Incorrect servers: no quotes, line ends in a string, unbalanced parentheses.
  fc.constantFrom(
    '* 1 FETCH (ENVELOPE (SECRET SECRET) UID 5)\r\n',
    '* 1 FETCH (BODY[1] "SECRET\r\n SECRET\r\n* SECRET\r\n* LSUB SECRET\r\nSECRET OK SECRET" UID 5)\r\n',
    '* 1 FETCH (ENVELOPE ("SECRET") SECRET) SECRET)\r\n',
    '* 1 FETCH UID 5 SECRET\r\n',
    '* 1 FETCH (UID SECRET FLAGS SECRET")\r\n',
    '* 1 FETCH SECRET\r\n',
    'SECRET NO SECRET\r\n',
    '* BAD unknown SECRET\r\n',
    'c BAD unknown SECRET\r\n',
    '+ SECRET\r\n',
  ),
)

test('the reply to a command is hidden if another command with the same tag contains mail', () => {
  const { client, server } = session()
  client('a UID SEARCH TEXT "SECRET"\r\na NOOP\r\n')
  assert.deepEqual(server('a BAD unknown SECRET\r\n'), ['a BAD ... [14 bytes]'])
})

test('the rest of a command after a long line is hidden', () => {
  const { client } = session()
  const [shown = '', ...more] = client(`a SEARCH UID 1${',1'.repeat(40_000)}`)
  assert.ok(shown.startsWith('a SEARCH UID 1,1') && shown.endsWith('1 [line continues]'))
  assert.deepEqual([more, client(' HEADER {4}\r\n')], [[], []])
  assert.doesNotMatch(client('X-No 20251128 SUBJECT TEXT\r\n').join('\n'), /2025|TEXT/)
})

test('no mail is ever shown, whatever the form and the cuts', () => {
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })
  fc.assert(
    fc.property(fc.array(response, { maxLength: 6 }), cuts, (responses, shares) => {
      const bytes = wire(responses.join(''))
      const lines = [[bytes], cutAt(bytes, shares)].map((chunks) => {
        const asked = new AskedCommands(true)
        for (const tag of ['c', 'd']) asked.ask(tag, true)
        const mask = new TraceMask('S', asked)
        return chunks.flatMap((chunk) => mask.lines(Buffer.from(chunk)))
      })
      assert.doesNotMatch(lines.flat().join('\n'), /SECRET/)
      assert.deepEqual(lines[0], lines[1])
    }),
    { seed: 27, numRuns: 3000 },
  )
})
