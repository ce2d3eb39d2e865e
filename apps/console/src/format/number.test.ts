import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amountOf, countOf, rateOf, shareOf, shortCountOf } from './number.ts'

test('an unknown number is a dash, never a zero', () => {
  for (const text of [countOf(null), rateOf(undefined), shareOf(null, 3), shareOf(0, 0)])
    assert.equal(text, '–')
  assert.equal(rateOf(0), '0')
})

test('a share is 100 % only if it is exact', () => {
  assert.equal(shareOf(3, 3), '100 %')
  assert.equal(shareOf(9_999, 10_000), '99.9 %')
  assert.equal(shareOf(1, 100_000), '0.1 %')
  assert.equal(shareOf(0, 5), '0 %')
})

test('rates have their significant digits, and amounts the plural', () => {
  assert.deepEqual([15_360, 2_000_000].map(shortCountOf), ['15,360', '2M'])
  assert.deepEqual([0.042, 3.25, 1204.4].map(rateOf), ['0.04', '3.3', '1,204'])
  assert.deepEqual(
    [0, 1, 1200].map((n) => amountOf(n, 'client')),
    ['0 clients', '1 client', '1,200 clients'],
  )
})

test('whole numbers have commas between thousands', () => {
  const expected = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 })
  for (const value of [0, 7, 999, 999.5, 1_000, 12_345.4, 1_234_567, 9_876_543_210, -1_234])
    assert.equal(countOf(value), expected.format(value))
})
