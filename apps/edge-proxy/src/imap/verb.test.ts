import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { wire } from './cuts.test-support.ts'
import { commandHead, isTag, verbIn } from './verb.ts'

/** The commands that the edge must recognize, from the RFCs and imapproxy's README. */
const verbs =
  'APPEND AUTHENTICATE CAPABILITY CLOSE COMPARATOR COMPRESS ENABLE EXAMINE FETCH ID IDLE LANGUAGE LOGIN LOGOUT NOOP NOTIFY SEARCH SELECT SORT STARTTLS STATUS STORE THREAD UID UNAUTHENTICATE UNSELECT XPROXY_DUMPICC XPROXY_NEWLOG XPROXY_RESETCOUNTERS XPROXY_TRACE XPROXY_VERSION'.split(
    ' ',
  )

const verbOf = (text: string) => verbIn(wire(text), 0, text.length)

test('every verb of the table is recognized without regard to case', () => {
  fc.assert(
    fc.property(fc.constantFrom(...verbs), fc.infiniteStream(fc.boolean()), (verb, lower) => {
      const text = Array.from(verb, (letter) => (lower.next().value ? letter.toLowerCase() : letter)).join('')
      assert.equal(verbOf(text), verb)
    }),
    { seed: 8, numRuns: 500 },
  )
})

test('a word that differs from a verb in one byte is not that verb', () => {
  for (const verb of verbs)
    for (let at = 0; at < verb.length; at++)
      for (let byte = 0; byte < 256; byte++) {
        const text = `${verb.slice(0, at)}${String.fromCharCode(byte)}${verb.slice(at + 1)}`
        if (text.toUpperCase() === verb && byte < 128) assert.equal(verbOf(text), verb)
        else assert.notEqual(verbOf(text), verb, JSON.stringify(text))
      }
})

test('neither a part of a verb nor a longer word is that verb', () => {
  for (const verb of verbs) {
    assert.equal(verbOf(`${verb}x`), 'OTHER')
    assert.equal(verbOf(`x${verb}`), 'OTHER')
    if (!verbs.includes(verb.slice(0, -1))) assert.equal(verbOf(verb.slice(0, -1)), 'OTHER')
  }
  assert.equal(verbOf(''), 'OTHER')
})

test('the parts of a command are found at any position', () => {
  const cases: [string, string, string, string][] = [
    ['a1 NOOP\r\n', 'a1', 'NOOP', 'NOOP'],
    ['a1 noop\n', 'a1', 'noop', 'NOOP'],
    ['a1   LOGOUT  x\r\n', 'a1', 'LOGOUT', 'LOGOUT'],
    ['a1 SELECT "INBOX"\r\n', 'a1', 'SELECT', 'SELECT'],
    ['a1\r\n', 'a1', '', 'OTHER'],
    ['a1 \r\n', 'a1', '', 'OTHER'],
    ['\r\n', '', '', 'OTHER'],
    [' LOGOUT\r\n', '', 'LOGOUT', 'LOGOUT'],
    ['a1 LOGOUT\0\r\n', 'a1', 'LOGOUT\0', 'OTHER'],
    ['a1 LOGIN\rx\r\n', 'a1', 'LOGIN', 'LOGIN'],
  ]
  for (const [line, tag, verbText, verb] of cases) {
    const prefix = 'before\r\n'
    const bytes = wire(prefix + line)
    const head = commandHead(bytes, prefix.length, bytes.length - 1)
    assert.equal(bytes.toString('latin1', prefix.length, head.tagEnd), tag, JSON.stringify(line))
    assert.equal(bytes.toString('latin1', head.verbStart, head.verbEnd), verbText, JSON.stringify(line))
    assert.equal(head.verb, verb, JSON.stringify(line))
  }
})

test('a tag has only the characters that RFC 9051 allows', () => {
  for (let byte = 0; byte < 256; byte++) {
    const isAllowed = byte > 32 && byte < 127 && !'(){%*"\\+'.includes(String.fromCharCode(byte))
    assert.equal(isTag(Buffer.from([97, byte, 49]), 0, 3), isAllowed, `byte ${byte}`)
  }
  assert.equal(isTag(wire('x'), 0, 0), false)
})
