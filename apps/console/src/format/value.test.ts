import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatValue } from './value.ts'

test('values have three significant digits and a suitable unit', () => {
  assert.equal(formatValue(0.00123456, 'seconds'), '1.23 ms')
  assert.equal(formatValue(61.23, 'seconds'), '61.2 s')
  assert.equal(formatValue(3 * 1024 * 1024, 'bytes'), '3 MiB')
  assert.equal(formatValue(123_456.7, 'number'), '123,457')
  assert.equal(formatValue(0.5, 'number'), '0.5')
  assert.equal(formatValue(98.44, 'percent'), '98.4 %')
  assert.equal(formatValue(null, 'number'), '–')
})
