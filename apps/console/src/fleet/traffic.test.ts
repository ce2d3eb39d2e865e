import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentOf, ratioOf, sumByStep, totalOf } from './traffic.ts'

test('a sum has a gap only if no group reported', () => {
  assert.deepEqual(
    sumByStep([
      [1, null, null],
      [2, 5, null],
    ]),
    [3, 5, null],
  )
  assert.deepEqual(sumByStep([]), [])
  assert.equal(totalOf([null, null]), null)
  assert.equal(totalOf([1, null, 2]), 3)
})

test('the current value is that of the last step, and unknown if nothing was reported in it', () => {
  assert.equal(currentOf([4, 5]), 5)
  assert.equal(currentOf([5, null]), null)
  assert.equal(currentOf([5, 0]), 0)
  assert.equal(currentOf([]), null)
})

test('a ratio is unknown without logins', () => {
  assert.deepEqual(ratioOf({ logins: [40, 0, null], reuses: [12, 0, null] }), [30, null, null])
})
