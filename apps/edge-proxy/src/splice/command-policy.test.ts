import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wire } from '../imap/cuts.test-support.ts'
import { maySelect, type Verb } from '../imap/verb.ts'
import { mayEnableCondstore, policyOf, spoilReasonOf } from './commands.ts'

const options = { answerCapability: true, answerId: true }

const spoilReason = (verb: Verb, line: string) => spoilReasonOf(verb, wire(`${line}\r\n`), 0, line.length + 1)
const enables = (line: string) => mayEnableCondstore(wire(`${line}\r\n`), 0, line.length + 1)

test('whatever would change who is logged in or what the bytes mean is refused', () => {
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

test('whatever is not known passes', () => {
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

test('CAPABILITY and ID are answered here only if the operator wants that', () => {
  assert.equal(policyOf('CAPABILITY', options), 'capability')
  assert.equal(policyOf('CAPABILITY', { ...options, answerCapability: false }), 'pass')
  assert.equal(policyOf('ID', options), 'id')
  assert.equal(policyOf('ID', { ...options, answerId: false }), 'pass')
  assert.equal(policyOf('LOGOUT', { ...options, answerId: false }), 'logout')
})

test('what no reset undoes is known, and common commands are not taken for it', () => {
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

test('every command that may enable CONDSTORE by itself is seen (RFC 7162 3.1)', () => {
  for (const line of [
    'a SELECT INBOX (CONDSTORE)',
    'a select inbox (condstore)',
    'a EXAMINE INBOX (QRESYNC (1 2))',
    'a STATUS INBOX (MESSAGES HIGHESTMODSEQ)',
    'a FETCH 1 (MODSEQ)',
    'a FETCH 1 FLAGS (CHANGEDSINCE 5)',
    'a UID FETCH 1 (FLAGS ModSeq)',
    'a STORE 1 (UNCHANGEDSINCE 5) +FLAGS (\\Seen)',
    'a SEARCH MODSEQ 5',
    'a UID SORT (DATE) UTF-8 MODSEQ 5',
    'a LIST "" % RETURN (STATUS (HIGHESTMODSEQ))',
    'a ESEARCH IN (mailboxes "a") MODSEQ 1',
  ])
    assert.equal(enables(line), true, line)
  for (const line of [
    'a SELECT INBOX',
    'a FETCH 1 (FLAGS UID)',
    'a STATUS INBOX (MESSAGES UIDNEXT)',
    'a SEARCH ALL',
  ])
    assert.equal(enables(line), false, line)
})

test('a mailbox is selected by SELECT and EXAMINE only', () => {
  assert.deepEqual((['SELECT', 'EXAMINE', 'STATUS', 'CLOSE', 'OTHER'] as const).map(maySelect), [
    true,
    true,
    false,
    false,
    false,
  ])
})
