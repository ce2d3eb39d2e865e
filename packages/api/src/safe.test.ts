import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { safe, safeJson } from './safe.ts'

// Not the expression of safe.ts: all characters that a terminal may interpret.
const acts = (character: string) => {
  const code = character.codePointAt(0) ?? 0
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0x2028 && code <= 0x202e)
}

test('an escape sequence in a user name is printed as text', () => {
  assert.equal(safe('eve\x1b[2J\x07'), 'eve\\x1b[2J\\x07')
  assert.equal(safe('eve\u009b31m'), 'eve\\x9b31m')
})

test('line breaks and tabs are printed by name', () => {
  assert.equal(safe('a\r\nb\tc\0'), 'a\\r\\nb\\tc\\0')
})

test('characters that change the reading direction are printed by their codes', () => {
  assert.equal(safe('evil\u202egnp.exe'), 'evil\\u202egnp.exe')
})

test('letters of any script pass unchanged', () => {
  assert.equal(safe('Zoë 山田 😀'), 'Zoë 山田 😀')
})

test('no printed text has a character that controls a terminal', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !Array.from(safe(text)).some(acts)))
})

test('JSON output has the same data, and no control characters but its own line breaks', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (data) => {
      const text = safeJson(data, 2)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(data)))
      assert.ok(!Array.from(text.replaceAll('\n', '')).some(acts))
    }),
  )
})
