import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { wire } from './cuts.test-support.ts'
import { addressNamedIn, parseId, printId, withoutClientFields } from './id.ts'

const parse = (text: string) => parseId(wire(`ID ${text}\r\n`), 2)

test('an ID is parsed in every form of the grammar', () => {
  assert.deepEqual(parse('NIL'), [])
  assert.deepEqual(parse('nil'), [])
  assert.deepEqual(parse('()'), [])
  assert.deepEqual(parse('("name" "Horde" "version" NIL)'), [
    ['name', 'Horde'],
    ['version', undefined],
  ])
  assert.deepEqual(parse('("name" {5}\r\nHo"de)'), [['name', 'Ho"de']])
  assert.deepEqual(parse('({4+}\r\nname "J\xf6rg")'), [['name', 'J\xf6rg']])
  assert.deepEqual(parse('("name" "NIL")'), [['name', 'NIL']])
})

test('an ID that is invalid, or cannot be sent in one line, is refused', () => {
  for (const text of [
    '',
    'x',
    '"name"',
    '("name")',
    '("name" "a") x',
    '(name "a")',
    '("name" a)',
    '("name" ("a"))',
    '(NIL "a")',
    '("name" {6}\r\na\r\nb d)',
    '("name" {2}\r\na\0)',
    `("${'k'.repeat(31)}" "a")`,
    `("k" "${'v'.repeat(1025)}")`,
    `(${'"k" "v" '.repeat(31)})`,
  ])
    assert.equal(parse(text), undefined, JSON.stringify(text))
})

test('an accepted ID is printed as one line with the same content', () => {
  const text = (maxLength: number) => fc.stringMatching(/^[\x20-\x7e\x80-\xff]*$/, { maxLength })
  const pairs = fc.array(fc.tuple(text(30), fc.option(text(60), { nil: undefined })), { maxLength: 30 })
  fc.assert(
    fc.property(pairs, (said) => {
      const command = printId(said)
      assert.match(command, /^ID [\x20-\x7e\x80-\xff]+$/)
      assert.deepEqual(parseId(wire(command), 2), said)
    }),
    { seed: 17, numRuns: 1000 },
  )
})

test('the fields in which a proxy names its client are found and removed, in any case', () => {
  const pairs = [
    ['name', 'Roundcube'],
    ['X-Originating-IP', '203.0.113.7'],
    ['x-session-id', '5'],
  ] as const
  const all = pairs.map(([key, value]): [string, string] => [key, value])
  assert.equal(addressNamedIn(all), '203.0.113.7')
  assert.equal(addressNamedIn(all.slice(0, 1)), undefined)
  assert.deepEqual(withoutClientFields(all), [['name', 'Roundcube']])
  assert.equal(withoutClientFields(all.slice(1)), undefined)
  assert.deepEqual(withoutClientFields([]), [])
})
