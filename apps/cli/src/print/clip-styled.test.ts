import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { clipStyled } from './clip-styled.ts'

test('a line that fits is unchanged', () => {
  assert.equal(clipStyled('\x1b[31mred\x1b[39m', 3), '\x1b[31mred\x1b[39m')
})

test('colours do not count for the width, and the colour ends after the cut', () => {
  assert.equal(clipStyled('\x1b[31mabcdef\x1b[39m', 4), '\x1b[31mabc\x1b[39m…')
})

test('after the first letter that does not fit, no narrower one is printed', () => {
  assert.equal(stripVTControlCharacters(clipStyled('ab山\x1b[1mcd\x1b[22m', 4)), 'ab…')
})
