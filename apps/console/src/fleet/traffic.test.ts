import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentOf, ratioOf, sumByStep, together, totalOf } from './traffic.ts'

test('a sum has a gap only if no edge reported', () => {
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

test('the current value is the last step, or the one before if the last has no reports yet', () => {
  assert.equal(currentOf([4, 5]), 5)
  assert.equal(currentOf([5, null]), 5)
  assert.equal(currentOf([5, null, null]), null)
  assert.equal(currentOf([5, 0]), 0)
})

test('the ratio of several edges is that of their sums, and unknown without logins', () => {
  const fleet = together([
    { sessions: [1], logins: [10], reuses: [9], idle: [4] },
    { sessions: [2], logins: [30], reuses: [3], idle: [1] },
  ])
  assert.deepEqual(ratioOf(fleet), [30])
  assert.deepEqual(fleet.idle, [5])
  assert.deepEqual(ratioOf({ logins: [0], reuses: [0] }), [null])
})
