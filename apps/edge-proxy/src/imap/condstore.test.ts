import assert from 'node:assert/strict'
import { test } from 'node:test'
import { condstoreUse, type CondstoreUse } from './condstore.ts'
import { wire } from './cuts.test-support.ts'

const lines: Record<CondstoreUse, string[]> = {
  certain: [
    'a SELECT INBOX (CONDSTORE)',
    'a select "Sent Items" (condstore)',
    'a EXAMINE x (ANNOTATE CONDSTORE)',
    'TAG3 STATUS "INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ)',
    'a STATUS INBOX (HIGHESTMODSEQ)',
    'a STATUS "MODSEQ" (HIGHESTMODSEQ MESSAGES)',
    'a LIST "" "*" RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN HIGHESTMODSEQ))',
    'a LIST "" % RETURN (STATUS (HIGHESTMODSEQ) CHILDREN)',
    'A0004 UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 12)',
    'a UID FETCH 1:* FLAGS (CHANGEDSINCE 12 VANISHED)',
    'a FETCH 1 (FLAGS MODSEQ)',
    'a FETCH 1 (MODSEQ)',
    'a FETCH 1 (MODSEQ BODY[HEADER])',
    'a fetch 1:* modseq',
    'a STORE 1 (UNCHANGEDSINCE 9) +FLAGS (\\Seen)',
    'a UID STORE 1:4 (UNCHANGEDSINCE 9) FLAGS.SILENT (\\Seen)',
    `a UID FETCH ${'1234567,'.repeat(1000)}9 (UID FLAGS) (CHANGEDSINCE 12)`,
    'a SEARCH MODSEQ 1',
    'a UID SEARCH RETURN (ALL) MODSEQ 620162338 UNSEEN',
    'a SEARCH MODSEQ "/flags/\\\\draft" all 620162338'.replaceAll('\\', ''),
  ],
  possible: [
    // A mailbox or a search word that is not quoted.
    'a SELECT CONDSTORE',
    'a STATUS MODSEQ (UNSEEN)',
    'a SEARCH SUBJECT MODSEQ',
    'a SEARCH SUBJECT MODSEQ 5',
    'a APPEND CONDSTORE {3}',
    'a FETCH 1 BODY[HEADER.FIELDS (MODSEQ)]',
    'a SELECT x (QRESYNC (1 2))',
    'a SORT (DATE) UTF-8 MODSEQ 1',
    'a XCOMMAND (CONDSTORE)',
    'a UID SORT (DATE) UTF-8 MODSEQ 5',
    'a ESEARCH IN (mailboxes "a") MODSEQ 1',
    `a UID SEARCH SUBJECT "${'x'.repeat(2000)} (CHANGEDSINCE 12)"`,
    `a LIST "" (${'x '.repeat(1000)}) RETURN (STATUS (HIGHESTMODSEQ))`,
    // After a literal.
    ' (HIGHESTMODSEQ)',
    ' FLAGS (CHANGEDSINCE 1)',
    // Quotes that servers parse differently.
    'a STATUS "x\\" (HIGHESTMODSEQ)',
    'a STATUS "a\\"b" (HIGHESTMODSEQ)',
    'a STATUS x" (HIGHESTMODSEQ)',
    'a STATUS  x (HIGHESTMODSEQ)',
    'a STATUS x (HIGHESTMODSEQ) ',
  ],
  none: [
    'a SELECT "CONDSTORE"',
    'a STATUS "Archive MODSEQ" (MESSAGES)',
    'a SEARCH SUBJECT "HIGHESTMODSEQ (CHANGEDSINCE 4)"',
    'a LIST "" "MODSEQ*"',
    'MODSEQ NOOP',
    'CONDSTORE1 NOOP',
    'a SELECT MODSEQS',
    'a SELECT x.QRESYNC.y',
    'a STATUS INBOX (MESSAGES UNSEEN)',
    'a FETCH 1 (FLAGS)',
    '',
  ],
}

for (const [expected, examples] of Object.entries(lines))
  test(`CONDSTORE is ${expected} in each of these lines`, () => {
    for (const line of examples)
      for (const end of ['\r\n', '\n']) {
        const bytes = wire(`${line}${end}`)
        assert.equal(condstoreUse(bytes, 0, bytes.length - 1), expected, line)
        // In the middle of other bytes.
        const among = wire(`x FETCH 1 MODSEQ\r\n${line}${end}y SELECT a (CONDSTORE)\r\n`)
        assert.equal(condstoreUse(among, 18, 18 + bytes.length - 1), expected, line)
      }
  })

test('the time for a line is at most linear in its length', () => {
  for (const piece of ['RETURN (STATUS (', 'HIGHESTMODSEQ ', 'MODSEQ (', '(CHANGEDSINCE 1', '"MODSEQ" ']) {
    const bytes = wire(`a LIST FETCH 1 ${piece.repeat(500_000 / piece.length)}\r\n`)
    const startedAt = performance.now()
    condstoreUse(bytes, 0, bytes.length - 1)
    for (let at = 0; at + 1000 < bytes.length; at += 1000) condstoreUse(bytes, at, at + 1000)
    assert.ok(performance.now() - startedAt < 5000, piece)
  }
})
