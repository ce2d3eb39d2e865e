import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseArguments } from './arguments.ts'
import { wire } from './cuts.test-support.ts'
import { encodeString } from './encode.ts'

test('a string is encoded as an atom, a quoted string or a literal, whichever is exact', () => {
  const expected: Record<string, string> = {
    joe: 'joe',
    'joe@example.com': 'joe@example.com',
    '': '""',
    'a b': '"a b"',
    NIL: '"NIL"',
    nil: '"nil"',
    'a"b\\c': '"a\\"b\\\\c"',
    '(x)': '"(x)"',
    '{5}': '"{5}"',
    '*%': '"*%"',
  }
  for (const [text, encoded] of Object.entries(expected))
    assert.deepEqual(encodeString(wire(text)), { kind: 'inline', text: encoded })
  for (const text of ['J\xf6rg', 'a\r\nb', 'a\nb', 'a\tb', '\x7f', '\x80'])
    assert.deepEqual(encodeString(wire(text)), { kind: 'literal', bytes: wire(text) })
})

test('a server that follows the grammar decodes every string to the original', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (array) => {
      const bytes = Buffer.from(array)
      const encoded = encodeString(bytes)
      const text =
        encoded.kind === 'inline'
          ? encoded.text
          : `{${encoded.bytes.length}}\r\n${encoded.bytes.toString('latin1')}`
      const [first, ...more] = parseArguments(wire(`a1 LOGIN ${text} x\r\n`), 8) ?? []
      assert.ok(first && first.kind !== 'list' && more.length === 1)
      assert.deepEqual(Buffer.from(first.bytes), bytes)
    }),
    { seed: 10, numRuns: 2000 },
  )
})

test('text outside literals has no line end, control character or byte beyond ASCII', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (array) => {
      const encoded = encodeString(Buffer.from(array))
      if (encoded.kind === 'inline') assert.match(encoded.text, /^[\x20-\x7e]+$/)
    }),
    { seed: 11, numRuns: 2000 },
  )
})

test('a string of exactly the longest inline length is not a literal, and a longer one is', () => {
  assert.equal(encodeString(Buffer.from('abcd'), 4).kind, 'inline')
  assert.equal(encodeString(Buffer.from('abcde'), 4).kind, 'literal')
})
