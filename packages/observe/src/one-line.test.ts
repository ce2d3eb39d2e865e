import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneLine } from './one-line.ts'

test('text from outside is made one bounded line', () => {
  assert.equal(oneLine('a\r\nb\0c\x1b[31m\x7f\x85'), 'a??b?c?[31m??')
  assert.equal(oneLine('J\xf6rg \u65e5\u672c'), 'J\xf6rg \u65e5\u672c')
  assert.equal(oneLine('x'.repeat(1000)).length, 200)
  assert.equal(oneLine('x'.repeat(1000), 5), 'xxxxx')
})
