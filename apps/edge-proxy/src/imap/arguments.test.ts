import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseArguments, type Argument } from './arguments.ts'
import { marks, wire } from './cuts.test-support.ts'

/** Prints a tree: strings are in quotes, atoms are not. */
function show(parsed: Argument[] | undefined): unknown {
  return parsed?.map((item) =>
    item.kind === 'list' ? show(item.items) : `${item.kind} ${item.bytes.toString('latin1')}`,
  )
}

const parse = (text: string) => show(parseArguments(wire(text), 0))

test('a name has the same value as an atom, a quoted string or a literal', () => {
  for (const text of ['joe\r\n', '"joe"\r\n', '{3}\r\njoe\r\n', '{3+}\r\njoe\r\n', '{3}\njoe\n', '"joe"'])
    assert.match(String(parse(text)), /^(atom|string) joe$/, text)
})

test('literals, escapes and lists are parsed', () => {
  const expected: Record<string, unknown> = {
    '\r\n': [],
    '  a   b  \r\n': ['atom a', 'atom b'],
    '"a \\" b\\\\" ""\r\n': ['string a " b\\', 'string '],
    '{4}\r\n\r\n)" {0+}\r\n x\r\n': ['string \r\n)"', 'string ', 'atom x'],
    '~{2}\r\n\0\xff\r\n': ['string \0\xff'],
    '(a ("b" ()) NIL) c\r\n': [['atom a', ['string b', []], 'atom NIL'], 'atom c'],
    'BODY[HEADER]<0.5> %*\r\n': ['atom BODY[HEADER]<0.5>', 'atom %*'],
  }
  for (const [text, parsed] of Object.entries(expected))
    assert.deepEqual(parse(text), parsed, JSON.stringify(text))
})

test('invalid text is refused', () => {
  for (const text of [
    '"open\r\n',
    '"a\r\n"\r\n',
    '"a\\n"\r\n',
    '"a\0"\r\n',
    '(a\r\n',
    'a)\r\n',
    '(a))\r\n',
    'a"b\r\n',
    'a(b\r\n',
    'a\0b\r\n',
    'a\tb\r\n',
    'a\x7fb\r\n',
    '{5\r\n',
    '{5}x\r\n',
    '{a}\r\n\r\n',
    '{-1}\r\n\r\n',
    '{9}\r\nshort\r\n',
    '{99999999999999999999}\r\n\r\n',
    '{5} \r\nabcde\r\n',
  ])
    assert.equal(parse(text), undefined, JSON.stringify(text))
})

test('lists nested too deep are refused', () => {
  assert.deepEqual(parse(`${'('.repeat(20)}${')'.repeat(20)}`)?.toString(), '')
  assert.equal(parse(`${'('.repeat(100_000)}${')'.repeat(100_000)}\r\n`), undefined)
})

const bytes = fc.array(fc.constantFrom(...marks), { maxLength: 6 }).map((parts) => parts.join(''))
const { tree } = fc.letrec<{ tree: { text: string; shown: unknown } }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.stringMatching(/^[A-Za-z0-9.[\]<>%*\\}]{1,8}$/).map((text) => ({ text, shown: `atom ${text}` })),
    fc
      .stringMatching(/^[ -~\x80-\xff]{0,8}$/)
      .map((text) => ({ text: `"${text.replaceAll(/["\\]/g, '\\$&')}"`, shown: `string ${text}` })),
    fc.tuple(bytes, fc.constantFrom('{#}\r\n', '{#+}\r\n', '~{#}\r\n', '{#}\n')).map(([text, form]) => ({
      text: form.replace('#', String(text.length)) + text,
      shown: `string ${text}`,
    })),
    fc.array(tie('tree'), { maxLength: 4 }).map((items) => ({
      text: `(${items.map((item) => item.text).join(' ')})`,
      shown: items.map((item) => item.shown),
    })),
  ),
}))

test('arguments survive printing and parsing', () => {
  fc.assert(
    fc.property(fc.array(tree, { maxLength: 5 }), (items) => {
      const text = `a1 X ${items.map((item) => item.text).join(' ')}\r\n`
      assert.deepEqual(
        show(parseArguments(wire(text), 4)),
        items.map((item) => item.shown),
      )
    }),
    { seed: 6, numRuns: 1500 },
  )
})

test('any bytes are parsed or refused without an exception', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...marks, 'ab'), { maxLength: 30 }), fc.nat(40), (parts, at) => {
      parseArguments(wire(parts.join('')), at)
    }),
    { seed: 7, numRuns: 3000 },
  )
})

test('arguments are separated by spaces', () => {
  for (const text of ['"a""b"', '(a)(b)', '"a"b', '(a)b', 'a"b"', '("a""b")'])
    assert.equal(parseArguments(wire(text), 0), undefined, text)
  assert.equal(parseArguments(wire('(a)  "b" c'), 0)?.length, 3)
})
