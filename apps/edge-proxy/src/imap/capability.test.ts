import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  afterLogin,
  beforeLogin,
  filterCapabilityLine,
  parseCapabilities,
  printCapabilities,
} from './capability.ts'

const own = {
  mechanisms: ['PLAIN', 'LOGIN'],
  offerStartTls: false,
  loginDisabled: false,
  adminCommands: false,
}
const unkept = ['COMPRESS=DEFLATE', 'COMPRESS=ZSTD', 'UNAUTHENTICATE', 'LOGIN-REFERRALS', 'MAILBOX-REFERRALS']
const ofTheHop = ['STARTTLS', 'LOGINDISABLED', 'SASL-IR', 'AUTH=PLAIN', 'AUTH=SCRAM-SHA-256']

test('a list is read in any case and with any white space, each name once', () => {
  assert.deepEqual(parseCapabilities('CAPABILITY IMAP4rev1 idle\tIDLE  x-Foo=1\r\n'), [
    'IMAP4REV1',
    'IDLE',
    'X-FOO=1',
  ])
  assert.deepEqual(parseCapabilities(''), [])
  assert.deepEqual(parseCapabilities('A \x01B C\xff'), ['A'])
})

test('no list for a client holds what would end the reuse of a connection, or belongs to the server hop', () => {
  const server = ['IMAP4REV1', ...unkept, 'IDLE', ...ofTheHop, 'UIDPLUS']
  assert.deepEqual(afterLogin(server), ['IMAP4REV1', 'IDLE', 'UIDPLUS'])
  const shown = beforeLogin(server, own)
  for (const name of unkept) assert.ok(!shown.includes(name), name)
  assert.deepEqual(shown, ['IMAP4REV1', 'IDLE', 'UIDPLUS', 'SASL-IR', 'AUTH=PLAIN', 'AUTH=LOGIN'])
})

test('the list before login says what the edge does itself, also while the server is unknown', () => {
  assert.deepEqual(beforeLogin([], own), ['IMAP4REV1', 'SASL-IR', 'AUTH=PLAIN', 'AUTH=LOGIN'])
  assert.ok(beforeLogin([], { ...own, offerStartTls: true }).includes('STARTTLS'))
  assert.ok(beforeLogin([], { ...own, adminCommands: true }).includes('XIMAPPROXY'))
  const disabled = beforeLogin([], { ...own, loginDisabled: true })
  assert.ok(disabled.includes('LOGINDISABLED'))
  assert.ok(!disabled.some((name) => name.startsWith('AUTH=') || name === 'SASL-IR'))
})

test('the revision is printed as everybody prints it', () => {
  assert.equal(printCapabilities(['IMAP4REV1', 'IMAP4REV2', 'IDLE']), 'IMAP4rev1 IMAP4rev2 IDLE')
})

test('a capability list is cut down wherever a server may put it; other lines stay as they are', () => {
  const expected: Record<string, string> = {
    '* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE IDLE\r\n': '* CAPABILITY IMAP4rev1 IDLE\r\n',
    '* capability IMAP4rev1 unauthenticate\r\n': '* capability IMAP4rev1\r\n',
    '* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi [x]\r\n': '* OK [CAPABILITY IMAP4rev1] hi [x]\r\n',
    '* PREAUTH [CAPABILITY A COMPRESS=DEFLATE] hi\r\n': '* PREAUTH [CAPABILITY A] hi\r\n',
    'a1 OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] done\r\n': 'a1 OK [CAPABILITY IMAP4rev1] done\r\n',
    'a1 NO [CAPABILITY A UNAUTHENTICATE] no\r\n': 'a1 NO [CAPABILITY A] no\r\n',
    '* OK [ALERT] CAPABILITY COMPRESS=DEFLATE\r\n': '* OK [ALERT] CAPABILITY COMPRESS=DEFLATE\r\n',
    '* 1 FETCH (BODY "* CAPABILITY COMPRESS=X")\r\n': '* 1 FETCH (BODY "* CAPABILITY COMPRESS=X")\r\n',
    '* CAPABILITY\r\n': '* CAPABILITY\r\n',
  }
  for (const [line, filtered] of Object.entries(expected)) assert.equal(filterCapabilityLine(line), filtered)
})

test('whatever a server offers, nothing that may not be seen is seen after the filter', () => {
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
        assert.equal(filtered.split(/[\s\]]/).includes(name), parseCapabilities(text).includes(name))
    }),
    { seed: 9, numRuns: 500 },
  )
})
