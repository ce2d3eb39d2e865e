import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  afterLogin,
  beforeLogin,
  capabilitiesIn,
  commonCapabilities,
  filterCapabilityLine,
  hasUnselect,
  lastCapabilities,
  mechanismsIn,
  offers,
  printAfterLogin,
  withoutCapabilities,
} from './capability.ts'

const own = {
  mechanisms: ['PLAIN', 'LOGIN'],
  offerStartTls: false,
  loginDisabled: false,
  adminCommands: false,
}
const unkept = ['COMPRESS=DEFLATE', 'COMPRESS=ZSTD', 'UNAUTHENTICATE', 'LOGIN-REFERRALS', 'MAILBOX-REFERRALS']
const ofTheHop = ['STARTTLS', 'LOGINDISABLED', 'SASL-IR', 'AUTH=PLAIN', 'AUTH=SCRAM-SHA-256']

test('a capability list is parsed with any white space, each name once and as it was written', () => {
  assert.deepEqual(capabilitiesIn('* CAPABILITY IMAP4rev1 idle\tIDLE  RIGHTS=kxten\r\n'), [
    'IMAP4rev1',
    'idle',
    'RIGHTS=kxten',
  ])
  assert.deepEqual(capabilitiesIn('* CAPABILITY \r\n'), [])
  assert.deepEqual(capabilitiesIn('* CAPABILITY A \x01B C\xff'), ['A'])
})

test('a list is found in a CAPABILITY response and in the code of any status, and nowhere else', () => {
  for (const line of [
    '* CAPABILITY A B',
    '* capability A B\r\n',
    '*   CAPABILITY A B',
    '*  OK [CAPABILITY A B] ready',
    '* OK [CAPABILITY A B] ready [x]',
    '* PREAUTH [CAPABILITY A B] hi',
    'a1 OK [CAPABILITY A B]',
    'CAPABILITY NO [CAPABILITY A B] no',
  ])
    assert.deepEqual(capabilitiesIn(line), ['A', 'B'], line)
  for (const line of [
    '* CAPABILITY',
    '* OK ready CAPABILITY A',
    '* OK [CAPABILITY A B',
    'a1 OK [CAPABILITY A B* BYE bored\r\n',
    '* OK [ALERT] [CAPABILITY A]',
    '[CAPABILITY OK done',
    '* 1 FETCH (BODY "[CAPABILITY A]")',
  ])
    assert.equal(capabilitiesIn(line), undefined, line)
})

test('the last of several lists is used', () => {
  assert.deepEqual(lastCapabilities(['* CAPABILITY A', '* OK [CAPABILITY B] x', '* 1 EXISTS']), ['B'])
  assert.equal(lastCapabilities(['* OK x']), undefined)
})

test('a list at the beginning of a text is removed, and no other words', () => {
  assert.equal(withoutCapabilities('[CAPABILITY A B] Logged in [x]'), 'Logged in [x]')
  assert.equal(withoutCapabilities('Logged in [CAPABILITY A]'), 'Logged in [CAPABILITY A]')
  // The client does not get an invalid list either, because it is not reduced.
  assert.equal(withoutCapabilities('[CAPABILITY A COMPRESS=DEFLATE'), '')
})

test('lists for clients have no extension that prevents reuse or belongs to the server connection', () => {
  const server = ['IMAP4REV1', ...unkept, 'IDLE', ...ofTheHop, 'UIDPLUS']
  assert.deepEqual(afterLogin(server), ['IMAP4REV1', 'IDLE', 'UIDPLUS'])
  const shown = beforeLogin(server, own)
  for (const name of unkept) assert.ok(!shown.includes(name), name)
  assert.deepEqual(shown, ['IMAP4REV1', 'IDLE', 'UIDPLUS', 'SASL-IR', 'AUTH=PLAIN', 'AUTH=LOGIN'])
})

test('the list before login has the capabilities of the edge, also if those of the server are unknown', () => {
  assert.deepEqual(beforeLogin([], own), ['IMAP4rev1', 'SASL-IR', 'AUTH=PLAIN', 'AUTH=LOGIN'])
  assert.ok(beforeLogin([], { ...own, offerStartTls: true }).includes('STARTTLS'))
  assert.ok(beforeLogin([], { ...own, adminCommands: true }).includes('XIMAPPROXY'))
  const disabled = beforeLogin([], { ...own, loginDisabled: true })
  assert.ok(disabled.includes('LOGINDISABLED'))
  assert.ok(!disabled.some((name) => name.startsWith('AUTH=') || name === 'SASL-IR'))
})

test('the edge ignores the case of names, and the client gets them unchanged', () => {
  const list = ['imap4rev1', 'Unselect', 'auth=Plain', 'RIGHTS=kxten', 'Starttls', 'compress=deflate']
  for (const name of ['IMAP4REV1', 'UNSELECT', 'AUTH=PLAIN', 'STARTTLS']) assert.ok(offers(list, name), name)
  assert.ok(!offers(list, 'IDLE'))
  assert.ok(hasUnselect(list) && hasUnselect(['IMAP4rev2']) && !hasUnselect(['IMAP4rev1']))
  assert.deepEqual(mechanismsIn(list), ['PLAIN'])
  assert.deepEqual(afterLogin(list), ['imap4rev1', 'Unselect', 'RIGHTS=kxten'])
  assert.deepEqual(commonCapabilities([list, ['IMAP4rev1', 'rights=KXTEN', 'IDLE']]), [
    'imap4rev1',
    'RIGHTS=kxten',
  ])
  assert.equal(printAfterLogin(list), 'imap4rev1 Unselect RIGHTS=kxten')
})

test('a capability list is reduced wherever a server may send it, and other lines are unchanged', () => {
  const expected: Record<string, string> = {
    '* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE IDLE\r\n': '* CAPABILITY IMAP4rev1 IDLE\r\n',
    '*   CAPABILITY IMAP4rev1 COMPRESS=DEFLATE\r\n': '*   CAPABILITY IMAP4rev1\r\n',
    '*  OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] hi\r\n': '*  OK [CAPABILITY IMAP4rev1] hi\r\n',
    '* capability IMAP4rev1 unauthenticate\r\n': '* capability IMAP4rev1\r\n',
    '* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi [x]\r\n': '* OK [CAPABILITY IMAP4rev1] hi [x]\r\n',
    '* PREAUTH [CAPABILITY A COMPRESS=DEFLATE] hi\r\n': '* PREAUTH [CAPABILITY A] hi\r\n',
    'a1 OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] done\r\n': 'a1 OK [CAPABILITY IMAP4rev1] done\r\n',
    'a1 NO [CAPABILITY A UNAUTHENTICATE] no\r\n': 'a1 NO [CAPABILITY A] no\r\n',
    '* CAPABILITY imap4Rev1 RIGHTS=kxten Starttls\r\n': '* CAPABILITY imap4Rev1 RIGHTS=kxten\r\n',
    '* OK [ALERT] CAPABILITY COMPRESS=DEFLATE\r\n': '* OK [ALERT] CAPABILITY COMPRESS=DEFLATE\r\n',
    '* 1 FETCH (BODY "* CAPABILITY COMPRESS=X")\r\n': '* 1 FETCH (BODY "* CAPABILITY COMPRESS=X")\r\n',
    '* CAPABILITY\r\n': '* CAPABILITY\r\n',
  }
  for (const [line, filtered] of Object.entries(expected)) assert.equal(filterCapabilityLine(line), filtered)
})

test('the filter removes every hidden extension from any list', () => {
  const names = fc.array(fc.constantFrom(...unkept, ...ofTheHop, 'IMAP4rev1', 'IDLE', 'ENABLE'), {
    minLength: 1,
  })
  const forms = fc.constantFrom(
    '* CAPABILITY #\r\n',
    '* OK [CAPABILITY #] hi\r\n',
    'x OK [CAPABILITY #] hi\r\n',
  )
  fc.assert(
    fc.property(names, forms, fc.boolean(), (list, form, lower) => {
      const text = list.join(' ')
      const filtered = filterCapabilityLine(
        form.replace('#', lower ? text.toLowerCase() : text),
      ).toUpperCase()
      for (const name of [...unkept, ...ofTheHop])
        assert.ok(!filtered.split(/[\s\]]/).includes(name), filtered)
      for (const name of ['IMAP4REV1', 'IDLE', 'ENABLE'])
        assert.equal(
          filtered.split(/[\s\]]/).includes(name),
          offers(capabilitiesIn(`* CAPABILITY ${text}`)!, name),
        )
    }),
    { seed: 9, numRuns: 500 },
  )
})

test('connections with the same list share one array', () => {
  const [first, second] = ['* CAPABILITY IMAP4rev1 X1', '* OK [CAPABILITY IMAP4rev1 X1] hi'].map(
    capabilitiesIn,
  )
  assert.deepEqual(first, ['IMAP4rev1', 'X1'])
  assert.equal(first, second)
  for (let number = 2; number < 100; number++)
    assert.deepEqual(capabilitiesIn(`* CAPABILITY X${number}`), [`X${number}`])
})
