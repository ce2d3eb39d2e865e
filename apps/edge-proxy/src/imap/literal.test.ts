import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { marks, wire } from './cuts.test-support.ts'
import { isNonSynchronizing, literalSize } from './literal.ts'

const sizeAt = (line: string) => literalSize(wire(line), 0, line.length - 1)

test('a literal is announced only at the very end of a line', () => {
  const expected: Record<string, number | undefined> = {
    'a APPEND x {42}\r\n': 42,
    'a APPEND x {42+}\r\n': 42,
    'a APPEND x ~{42}\r\n': 42,
    'a APPEND x ~{42+}\r\n': 42,
    '{1}\n': 1,
    '{0}\r\n': 0,
    '{0+}\r\n': 0,
    '{007}\r\n': 7,
    '{5} \r\n': undefined,
    '{5}x\r\n': undefined,
    '{}\r\n': undefined,
    '{+}\r\n': undefined,
    '{5-}\r\n': undefined,
    '{-5}\r\n': undefined,
    '{5 }\r\n': undefined,
    '{ 5}\r\n': undefined,
    '{0x5}\r\n': undefined,
    '{5++}\r\n': undefined,
    '5}\r\n': undefined,
    '}\r\n': undefined,
    '\r\n': undefined,
    '\n': undefined,
    '{5}\r\r\n': undefined,
    'NIL\r\n': undefined,
  }
  for (const [line, size] of Object.entries(expected)) assert.equal(sizeAt(line), size, JSON.stringify(line))
})

test('a size over the limit is infinite, never a wrong number', () => {
  for (const digits of ['99999999999999999999', '18446744073709551617', '9'.repeat(400), '1099511627777'])
    assert.equal(sizeAt(`a APPEND x {${digits}}\r\n`), Infinity)
  assert.equal(sizeAt('a APPEND x {1099511627776}\r\n'), 2 ** 40)
})

test('an announcement does not reach back beyond the start of its line', () => {
  const text = wire('{1\r\n5}\r\n')
  assert.equal(literalSize(text, 4, text.length - 1), undefined)
})

test('only a plus before the brace makes a literal non-synchronizing', () => {
  for (const [line, plus] of [
    ['{5+}\r\n', true],
    ['{5+}\n', true],
    ['{5}\r\n', false],
    ['{5}\n', false],
  ] as const)
    assert.equal(isNonSynchronizing(wire(line), line.length - 1), plus)
})

test('for any line, the size is the one that the grammar gives', () => {
  const text = fc.array(
    fc.constantFrom(...marks.filter((mark) => !mark.includes('\n')), '+', '0', '1', '12'),
    {
      maxLength: 12,
    },
  )
  fc.assert(
    fc.property(text, fc.constantFrom('\r\n', '\n'), (parts, eol) => {
      const line = `${parts.join('')}${eol}`
      const match = /\{(\d+)\+?\}\r?\n$/.exec(line)
      const size = match ? Number(match[1]) : undefined
      assert.equal(sizeAt(line), size !== undefined && size > 2 ** 40 ? Infinity : size)
    }),
    { seed: 3, numRuns: 3000 },
  )
})
