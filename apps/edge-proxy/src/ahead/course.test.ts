import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Book } from './book.ts'
import { Course } from './course.ts'
import { UserFacts } from './facts.ts'
import { Knowledge } from './knowledge.ts'
import { readResponse } from './responses.ts'
import { commandOf } from './shapes.ts'

/** Commands of a session, each with its untagged responses. */
type Recorded = [command: string, ...responses: string[]][]

/** Plays a recorded session. Returns the questions that were expected before each command. */
function play(book: Book, facts: UserFacts, recorded: Recorded): string[][] {
  const course = new Course(book, facts)
  const expected: string[][] = []
  for (const [text, ...responses] of recorded) {
    expected.push(course.expected({ max: 4 }).map(({ question }) => question.text))
    const command = commandOf(text)
    course.advance(command)
    for (const line of responses) {
      const response = readResponse(`${line}\r\n`)
      const mailbox = response.kind === 'status' ? response.mailbox : course.mailbox
      if (mailbox === undefined) continue
      facts.mailbox(mailbox).note(response)
      if (response.kind === 'search' && response.uids) facts.mailbox(mailbox).noteFound(text, response.uids)
    }
  }
  course.end()
  return expected
}

const items = '(UID RFC822.SIZE FLAGS)'
/** A list page of a webmail with 3 messages per page, for a mailbox with these UIDs. */
function list(uids: number[], mailbox = 'INBOX'): Recorded {
  const next = uids.at(-1)! + 1
  const page = uids.slice(-3)
  return [
    [`STATUS ${mailbox} (MESSAGES)`, `STATUS ${mailbox} (MESSAGES ${uids.length})`],
    [`SELECT ${mailbox}`, `${uids.length} EXISTS`, `OK [UIDNEXT ${next}] x`],
    [`UID SEARCH ${uids.length}`, `SEARCH ${uids.at(-1)}`],
    ['UID SEARCH ALL', `SEARCH ${uids.join(' ')}`],
    [`UID FETCH ${page[0]}:${page.at(-1)} (UID ENVELOPE)`],
  ]
}

test('one session is enough to learn a page, and the questions of the next user have their own values', () => {
  const book = new Book()
  play(book, new UserFacts(), list([1, 2, 3, 4, 5]))
  const expected = play(book, new UserFacts(), list([20, 21, 22, 23], 'Work'))
  const byNumber = 'FETCH 2:* (UID ENVELOPE)'
  assert.deepEqual(expected[1], ['SELECT Work', 'UID SEARCH 4', 'UID SEARCH ALL', byNumber])
  assert.deepEqual(expected[4], ['UID FETCH 21:23 (UID ENVELOPE)'])
})

test('a second SELECT is not expected, because the first mailbox would be left', () => {
  const book = new Book()
  const page: Recorded = [...list([1, 2, 3]), ['SELECT Sent', '1 EXISTS']]
  const facts = new UserFacts()
  for (let visit = 0; visit < 4; visit++) play(book, facts, page)
  const course = new Course(book, facts)
  for (const [text] of page.slice(0, -1)) {
    const selects = course.expected({ max: 9 }).filter(({ question }) => question.selects === 'Sent')
    assert.deepEqual(selects, [])
    course.advance(commandOf(text))
  }
})

test('the next result of a search is expected to be the last one, extended if messages were only added', () => {
  const book = new Book()
  const facts = new UserFacts()
  play(book, facts, list([1, 2, 3, 4, 5]))
  const again = play(book, facts, list([1, 2, 3, 4, 5]))
  assert.deepEqual(again[1]!.at(-1), 'UID FETCH 3:5 (UID ENVELOPE)')
  facts.mailbox('INBOX').note(readResponse('STATUS INBOX (MESSAGES 7 UIDNEXT 8)\r\n'))
  const grown = play(book, facts, list([1, 2, 3, 4, 5, 6, 7]))
  assert.deepEqual(grown[1]!.slice(1), ['UID SEARCH 7', 'UID SEARCH ALL', 'UID FETCH 5:7 (UID ENVELOPE)'])
  // One message was expunged and another one added. The number is known, but not which messages are left.
  facts.mailbox('INBOX').note(readResponse('STATUS INBOX (MESSAGES 8 UIDNEXT 10)\r\n'))
  const mixed = play(book, facts, list([1, 2, 3, 4, 5, 6, 8, 9]))
  const newest = 'FETCH 6:* (UID ENVELOPE)'
  assert.deepEqual(mixed[1], ['SELECT INBOX', 'UID SEARCH 8', 'UID SEARCH ALL', newest])
})

test('results of a mailbox that was created again are forgotten', () => {
  const facts = new UserFacts().mailbox('a')
  facts.note(readResponse('OK [UIDVALIDITY 1] x\r\n'))
  facts.noteFound('UID SEARCH ALL', [1, 2])
  facts.note(readResponse('1 FETCH (UID 1 RFC822.SIZE 5)\r\n'))
  assert.equal(facts.sizeOf(1), 5)
  facts.note(readResponse('OK [UIDVALIDITY 2] x\r\n'))
  assert.equal(facts.expected('UID SEARCH ALL'), undefined)
  assert.equal(facts.sizeOf(1), undefined)
})

test('the result of a search for words is not extended by new messages', () => {
  const facts = new UserFacts().mailbox('a')
  facts.note(readResponse('STATUS a (MESSAGES 2 UIDNEXT 3)\r\n'))
  for (const search of ['UID SEARCH UNSEEN', 'UID SEARCH ALL']) facts.noteFound(search, [1, 2])
  facts.note(readResponse('STATUS a (MESSAGES 3 UIDNEXT 4)\r\n'))
  assert.equal(facts.expected('UID SEARCH UNSEEN'), undefined)
  assert.deepEqual(facts.expected('UID SEARCH ALL'), [1, 2, 3])
})

test('a source that is wrong more often than right is no longer used', () => {
  const book = new Book()
  const facts = new UserFacts()
  const preview = (uid: number): Recorded => [
    ['SELECT INBOX', '9 EXISTS'],
    [`UID FETCH ${uid} (UID ENVELOPE)`],
  ]
  play(book, facts, preview(5))
  assert.deepEqual(play(book, facts, preview(5))[1], ['UID FETCH 5 (UID ENVELOPE)'])
  for (const uid of [6, 7, 8]) play(book, facts, preview(uid))
  assert.deepEqual(play(book, facts, preview(9))[1], [])
})

/** A page of unread counts, for a user with these mailboxes. */
const counts = (...mailboxes: string[]): Recorded => [
  ['LIST "" "*"'],
  ...mailboxes.map((mailbox): Recorded[number] => [`STATUS ${mailbox} (UNSEEN)`]),
]

function userWith(...listed: string[]): UserFacts {
  const facts = new UserFacts()
  for (const name of listed) facts.noteListed(name)
  return facts
}

test('for a new user, counts of folders are expected in the order that the program uses for other users', () => {
  const cases: [first: string[], next: string[]][] = [
    [
      ['INBOX', 'Drafts', 'Sent', 'Trash', 'Archive', 'Work'],
      ['INBOX', 'Drafts', 'Sent', 'Trash'],
    ],
    [
      ['INBOX', 'Archive', 'Drafts', 'Sent', 'Trash', 'Work'],
      ['INBOX', 'Bills', 'Drafts', 'Sent'],
    ],
  ]
  for (const [first, next] of cases) {
    const book = new Book()
    play(book, userWith('Archive', 'Drafts', 'Sent', 'Trash', 'Work'), counts(...first))
    const expected = play(book, userWith('Bills', 'Drafts', 'Sent', 'Trash'), counts('INBOX'))[1]
    assert.deepEqual(
      expected,
      next.map((name) => `STATUS ${name} (UNSEEN)`),
    )
  }
})

test('later pages of a user, with the counts of fewer folders, do not change what is expected for a new user', () => {
  const book = new Book()
  const folders = ['Drafts', 'Sent', 'Trash']
  const facts = userWith(...folders)
  play(book, facts, counts('INBOX', ...folders))
  for (let again = 0; again < 4; again++) play(book, facts, counts('INBOX', 'Trash'))
  const expected = play(book, userWith('Archive', 'Sent', 'Spam'), counts('INBOX', 'Sent'))
  assert.equal(expected[2]![0], 'STATUS Sent (UNSEEN)')
})

test('INBOX is expected where all sessions ask for it, also if this user never has', () => {
  const book = new Book()
  const refresh = (mailbox: string): Recorded => [
    [`STATUS ${mailbox} (UNSEEN)`],
    ['NAMESPACE'],
    ['STATUS INBOX (UNSEEN)'],
  ]
  for (const mailbox of ['Archive', 'Sent', 'Trash']) play(book, userWith(mailbox), refresh(mailbox))
  const expected = play(book, userWith('Other', 'Work'), refresh('Work'))[2]
  assert.deepEqual(expected, ['STATUS INBOX (UNSEEN)'])
})

test('the counts of the last mailbox and of its companion are expected in the order of the folders', () => {
  const book = new Book()
  const facts = userWith('Archive', 'Sent', 'Trash')
  const read = (mailbox: string): Recorded => [[`SELECT ${mailbox}`]]
  for (const [mailbox, pair] of [
    ['Archive', ['Trash', 'Archive']],
    ['Sent', ['Sent', 'Trash']],
    ['Archive', ['Trash', 'Archive']],
    ['Sent', ['Sent', 'Trash']],
  ] as const) {
    play(book, facts, read(mailbox))
    play(book, facts, counts(...pair))
  }
  for (const [mailbox, pair] of [
    ['Archive', ['Trash', 'Archive']],
    ['Sent', ['Sent', 'Trash']],
  ] as const) {
    play(book, facts, read(mailbox))
    const expected = play(book, facts, counts(...pair))[1]
    assert.deepEqual(
      expected,
      pair.map((name) => `STATUS ${name} (UNSEEN)`),
    )
  }
})

test('questions that a program asks only about new mailboxes are not expected for others', () => {
  const book = new Book()
  const visit = (mailbox: string, isNew: boolean): Recorded => [
    [`SELECT ${mailbox}`, '3 EXISTS'],
    [`GETQUOTAROOT ${mailbox}`],
    ...(isNew ? ([[`STATUS ${mailbox} (UIDNEXT)`]] as Recorded) : []),
  ]
  const facts = new UserFacts()
  for (const mailbox of ['a', 'b', 'c'])
    for (const isNew of [true, false, false]) play(book, facts, visit(mailbox, isNew))
  assert.deepEqual(play(book, facts, visit('d', true))[2], ['STATUS d (UIDNEXT)'])
  assert.deepEqual(play(book, facts, [...visit('d', false), ['NOOP']])[2], [])
})

test('a message that moves onto the page of a list, because another one was removed, is expected', () => {
  const book = new Book()
  const removal = (uids: number[], moved: number): Recorded => [
    ['SELECT INBOX', `${uids.length} EXISTS`],
    ['UID SEARCH ALL', `SEARCH ${uids.join(' ')}`],
    [`UID FETCH ${moved} (UID ENVELOPE)`],
  ]
  const facts = new UserFacts()
  play(book, facts, removal([1, 2, 3, 4, 5, 6], 4))
  play(book, facts, removal([1, 2, 3, 5, 6, 9, 10], 6))
  assert.deepEqual(play(book, facts, removal([11, 12, 13, 14, 15], 13))[2], ['UID FETCH 13 (UID ENVELOPE)'])
})

test('the mailbox whose counts the program requests for all users is expected for a user with one known page', () => {
  const book = new Book()
  const all = ['INBOX', 'Drafts', 'Trash', 'Work', 'Play']
  const jane = userWith(...all.slice(1))
  for (const page of [[['SELECT Work', '1 EXISTS']] as Recorded, counts(...all)]) play(book, jane, page)
  for (let times = 0; times < 8; times++) play(book, jane, counts('Trash', 'Work'))
  const joe = userWith(...all.slice(1))
  for (const page of [[['SELECT Play', '1 EXISTS']] as Recorded, counts(...all)]) play(book, joe, page)
  const expected = play(book, joe, counts('Trash', 'Play'))[1]
  assert.deepEqual(expected, ['STATUS Trash (UNSEEN)', 'STATUS Play (UNSEEN)'])
})

test('a page that counts all mailboxes does not set the companion of the last mailbox', () => {
  const facts = userWith('Bills', 'Play', 'Work')
  const book = new Book()
  play(book, facts, [['SELECT Work', '1 EXISTS']])
  for (const [page, companion] of [
    [counts('INBOX', 'Bills', 'Play', 'Work'), undefined],
    [counts('Bills', 'Work'), 'Bills'],
    [counts('INBOX', 'Bills', 'Play', 'Work'), 'Bills'],
  ] as const) {
    play(book, facts, page)
    assert.equal(facts.companion, companion)
  }
})

test('selecting a mailbox again is expected at a lower probability than selecting another one', () => {
  const book = new Book()
  const page = (last: string): Recorded => [
    ['SELECT Work', '1 EXISTS'],
    ['STATUS INBOX (UNSEEN)'],
    ['SELECT INBOX', '1 EXISTS'],
    ['UID SEARCH ALL', 'SEARCH 1'],
    [last],
  ]
  for (const last of ['NOOP', 'SELECT Work', 'SELECT Work']) play(book, new UserFacts(), page(last))
  const expected = (mayLeave: boolean) => {
    const course = new Course(book, new UserFacts())
    for (const [text] of page('').slice(0, 4)) course.advance(commandOf(text))
    return course.expected({ max: 4, mayLeave }).map(({ question }) => question.text)
  }
  assert.deepEqual(expected(true), ['SELECT Work'])
  assert.deepEqual(expected(false), [])
  for (const last of ['NOOP', 'NOOP', 'SELECT Sent']) play(book, new UserFacts(), page(last))
  assert.deepEqual(expected(true), [])
})

test('the content of a message is expected only at a higher probability than other answers', () => {
  for (const [wanted, isExpected] of [
    ['UID FETCH 7 (ENVELOPE)', true],
    ['UID FETCH 7 (BODY.PEEK[])', false],
  ] as const) {
    const book = new Book()
    const page = (last: string): Recorded => [['SELECT INBOX'], ['UID FETCH 7 (UID)'], [last]]
    for (const last of ['NOOP', wanted, 'NOOP']) play(book, new UserFacts(), page(last))
    const course = new Course(book, new UserFacts())
    for (const [text] of page('').slice(0, 2)) course.advance(commandOf(text))
    const expected = course.expected({ max: 4 }).map(({ question }) => question.text)
    assert.deepEqual(expected, isExpected ? [wanted] : [], wanted)
  }
})

test('no question is expected where sessions usually end', () => {
  const book = new Book()
  const short: Recorded = [['STATUS a (UNSEEN)']]
  play(book, new UserFacts(), [...short, ['STATUS a (MESSAGES)']])
  for (let times = 0; times < 3; times++) play(book, new UserFacts(), short)
  const course = new Course(book, new UserFacts())
  course.advance(commandOf('STATUS a (UNSEEN)'))
  assert.deepEqual(course.expected({ max: 4 }), [])
})

test('changed commands of a program are learned after a few pages', () => {
  const book = new Book()
  const page = (next: string): Recorded => [['NAMESPACE'], [next]]
  for (let times = 0; times < 20; times++) play(book, new UserFacts(), page('STATUS a (UNSEEN)'))
  let pages = 0
  while (play(book, new UserFacts(), page('LIST "" "*"'))[1]![0] !== 'LIST "" "*"') pages++
  assert.ok(pages < 8, `${pages} pages`)
})

test('page hints of the client program tell which message it shows', () => {
  const book = new Book()
  const facts = new UserFacts()
  const page = (uid: string) => {
    const course = new Course(
      book,
      facts,
      new Map([
        ['page', 'show'],
        ['uid', uid],
      ]),
    )
    course.advance(commandOf('SELECT INBOX'))
    const expected = course.expected({ max: 4 }).map(({ question }) => question.text)
    course.advance(commandOf(`UID FETCH ${uid} ${items.replace(' FLAGS', '')}`))
    return expected
  }
  page('31')
  assert.deepEqual(page('47'), ['UID FETCH 47 (UID RFC822.SIZE)'])
  assert.deepEqual(page('12'), ['UID FETCH 12 (UID RFC822.SIZE)'])
})

test('the memory of contexts and users is limited in bytes, and the least recently used are removed first', () => {
  const book = new Book(20_000)
  const knowledge = new Knowledge(20_000)
  for (let index = 0; index < 500; index++) {
    const facts = knowledge.user(`user${index}`)
    play(book, facts, list([1, 2, 3], `mailbox${index}`))
    play(book, facts, [[`UID FETCH 1 (BODY.PEEK[${index}])`], ['NAMESPACE']])
    knowledge.keep(`user${index}`, facts)
    assert.ok(book.bytes <= 20_000)
    assert.ok(knowledge.usersBytes <= 20_000)
  }
  assert.ok(book.bytes > 5_000)
  assert.notEqual(knowledge.user('user499').mailbox('mailbox499').exists, undefined)
  assert.equal(knowledge.user('user0').mailbox('mailbox0').exists, undefined)
})

test('the facts of a user are limited in size, whatever the names of mailboxes and commands are', () => {
  const facts = new UserFacts()
  const book = new Book()
  for (let index = 0; index < 300; index++) {
    const name = `m${index}${'x'.repeat(3000)}`
    facts.noteListed(name)
    facts.noteListed(`n${index}`)
    play(book, facts, [
      [`SELECT ${name}`],
      [`UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (${'Y'.repeat(900)}${index})])`],
    ])
  }
  assert.equal(facts.last?.mailbox, undefined)
  assert.ok(facts.listed.every(({ length }) => length <= 512))
  assert.equal(facts.listed.length, 32)
  // The counted bytes are the sum of the sizes of all strings and numbers.
  assert.ok(facts.bytes < 200_000, `${facts.bytes}`)
  assert.ok(facts.bytes > (facts.last?.last.length ?? 0))
})

test('whatever clients send, only questions are expected, and no shape contains a token of a user', () => {
  const secret = fc.constantFrom('secret', '"secret x"', '4711', '47:11')
  const command = fc.oneof(
    secret.map((text) => `SELECT ${text}`),
    secret.map((text) => `STATUS ${text} (UNSEEN)`),
    secret.map((text) => `UID SEARCH SUBJECT ${text}`),
    secret.map((text) => `UID FETCH ${text} (ENVELOPE)`),
    secret.map((text) => `UID STORE ${text} +FLAGS (${text})`),
    secret.map((text) => `LIST "" ${text}`),
    secret.map((text) => `XYZZY ${text}`),
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
      const book = new Book()
      play(
        book,
        new UserFacts(),
        commands.map((text) => [text]),
      )
      const course = new Course(book, new UserFacts())
      for (const text of commands) {
        // The other user has sent none of these tokens.
        const own = text.replaceAll(/secret x|secret|4711|47:11/g, '9')
        for (const { question } of course.expected({ max: 4 })) {
          assert.ok(!/secret|47/.test(question.text), question.text)
          assert.ok(commandOf(question.text).question)
        }
        course.advance(commandOf(own))
      }
    }),
  )
})

test('a page is expected by sequence numbers only if its size is known and its answer has UIDs', () => {
  const byNumber = (pages: Recorded[], exists: number, hints = new Map<string, string>()) => {
    const book = new Book()
    for (const page of pages) play(book, new UserFacts(), page)
    const facts = new UserFacts()
    facts.mailbox('Work').note(readResponse(`STATUS Work (MESSAGES ${exists})\r\n`))
    const course = new Course(book, facts, hints)
    for (const text of ['STATUS Work (MESSAGES)', 'SELECT Work', 'UID SEARCH ALL'])
      course.advance(commandOf(text))
    return course.expected({ max: 9 }).map(({ question }) => question.text)
  }
  const pageOf = (set: string, wanted: string): Recorded => [
    ['STATUS Sent (MESSAGES)', 'STATUS Sent (MESSAGES 5)'],
    ['SELECT Sent', '5 EXISTS', 'OK [UIDNEXT 6] x'],
    ['UID SEARCH ALL', 'SEARCH 1 2 3 4 5'],
    [`UID FETCH ${set} ${wanted}`],
  ]
  const newest = pageOf('3:5', '(UID ENVELOPE)')
  assert.deepEqual(byNumber([newest], 9), ['FETCH 7:* (UID ENVELOPE)'])
  assert.deepEqual(byNumber([newest], 2), ['FETCH 1:* (UID ENVELOPE)'])
  // The answer has no UIDs, or has the mail itself, or is for another page.
  assert.deepEqual(byNumber([pageOf('3:5', '(ENVELOPE)')], 9), [])
  assert.deepEqual(byNumber([pageOf('3:5', '(UID BODY.PEEK[])')], 9), [])
  assert.deepEqual(byNumber([pageOf('1:2', '(UID ENVELOPE)')], 9), [])
  assert.deepEqual(byNumber([newest], 9, new Map([['number', '2']])), [])
  // The size of a page is unknown.
  const all = pageOf('1:5', '(UID ENVELOPE)')
  assert.deepEqual(byNumber([all], 100), ['FETCH 1:* (UID ENVELOPE)'])
  assert.deepEqual(byNumber([all], 101), [])
})
