import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, formatCount, seconds, share } from './number.ts'

test('counts group their thousands and keep few decimals', () => {
  assert.equal(formatCount(1234567), '1,234,567')
  assert.equal(formatCount(0.2512), '0.25')
  assert.equal(formatCount(12.345), '12.3')
})

test('a missing value is a dash, never a zero', () => {
  for (const print of [formatCount, seconds, bytes]) assert.equal(print(null), '-')
  assert.equal(share(1, null), '-')
  assert.equal(share(0, 0), '-')
})

test('a share is a percentage', () => {
  assert.equal(share(1, 3), '33.3 %')
})

test('seconds and bytes choose their unit', () => {
  assert.equal(seconds(0.000_243_7), '0.24 ms')
  assert.equal(seconds(0.0431), '43.1 ms')
  assert.equal(seconds(1.25), '1.25 s')
  assert.equal(bytes(900), '900 B')
  assert.equal(bytes(12_900_000), '12.3 MiB')
})
