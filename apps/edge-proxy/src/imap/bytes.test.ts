import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containsWord, findByte, hasTag, LF, startsWithWord, wordEnd } from './bytes.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

test('a tag is followed by a space, and compared as a whole', () => {
  const line = bytes('xa1 OK done\r\n')
  assert.equal(hasTag(line, 1, 11, 'a1'), true)
  assert.equal(hasTag(line, 1, 11, 'a'), false)
  assert.equal(hasTag(line, 1, 11, 'a2'), false)
  assert.equal(hasTag(line, 1, 11, 'A1'), false)
  assert.equal(hasTag(line, 0, 11, 'a1'), false)
  assert.equal(hasTag(bytes('a1'), 0, 2, 'a1'), false)
  assert.equal(hasTag(bytes('a1 OK'), 0, 1, 'a1'), false)
})

test('a byte is found near and far, and not before the start', () => {
  for (const distance of [0, 1, 95, 96, 97, 300])
    assert.equal(findByte(bytes(`\n${'x'.repeat(distance)}\n`), LF, 1), distance + 1)
  for (const length of [0, 95, 96, 97]) assert.equal(findByte(bytes('x'.repeat(length)), LF, 0), -1)
})

test('words are compared without regard to case, within the bytes', () => {
  assert.ok(startsWithWord(bytes('xOk['), 1, 'OK'))
  assert.equal(startsWithWord(bytes('O'), 0, 'OK'), false)
  // A byte that differs only in the case bit, but is not a letter.
  assert.equal(startsWithWord(bytes('{'), 0, '['), false)
  assert.ok(containsWord(bytes('a modseq'), 0, 8, 'MODSEQ'))
  assert.equal(containsWord(bytes('a modseq'), 0, 7, 'MODSEQ'), false)
  assert.deepEqual(
    ['ab cd', 'ab\rcd', 'ab\ncd', 'ab'].map((text) => wordEnd(bytes(text), 0, text.length)),
    [2, 2, 2, 2],
  )
})
