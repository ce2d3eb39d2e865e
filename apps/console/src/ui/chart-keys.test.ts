import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextPlace } from './chart-keys.ts'

test('arrow keys move by one value, faster with shift, and not beyond the ends', () => {
  assert.equal(nextPlace('ArrowLeft', false, 5, 20), 4)
  assert.equal(nextPlace('ArrowRight', true, 5, 20), 15)
  assert.equal(nextPlace('ArrowRight', true, 15, 20), 20)
  assert.equal(nextPlace('ArrowLeft', true, 5, 20), 0)
  assert.deepEqual(
    ['Home', 'End', 'a'].map((key) => nextPlace(key, false, 5, 20)),
    [0, 20, undefined],
  )
})

test('the first key selects the newest value', () => {
  assert.equal(nextPlace('ArrowLeft', false, undefined, 20), 20)
})
