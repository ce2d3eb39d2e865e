import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { clipStyled } from './clip-styled.ts'

test('a line that fits is left alone', () => {
  assert.equal(clipStyled('\x1b[31mred\x1b[39m', 3), '\x1b[31mred\x1b[39m')
})

test('colours cost no room, and the colour is ended behind the cut', () => {
  assert.equal(clipStyled('\x1b[31mabcdef\x1b[39m', 4), '\x1b[31mabc\x1b[39m…')
})

test('once a letter did not fit, no later and narrower one slips in', () => {
  assert.equal(stripVTControlCharacters(clipStyled('ab山\x1b[1mcd\x1b[22m', 4)), 'ab…')
})
