import assert from 'node:assert/strict'
import { test } from 'node:test'
import { valueOf } from './value.ts'

test('values have three digits that matter, in the unit that suits them', () => {
  assert.equal(valueOf(0.00123456, 'seconds'), '1.23 ms')
  assert.equal(valueOf(61.23, 'seconds'), '61.2 s')
  assert.equal(valueOf(3 * 1024 * 1024, 'bytes'), '3 MiB')
  assert.equal(valueOf(123_456.7, 'number'), '123,457')
  assert.equal(valueOf(0.5, 'number'), '0.5')
  assert.equal(valueOf(null, 'number'), '–')
})
