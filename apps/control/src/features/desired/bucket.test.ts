import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isScanned } from './bucket.ts'

test('all entries of the bucket are read only if a good part of them is needed', () => {
  assert.ok(isScanned(1_000, 1_000))
  assert.ok(isScanned(10_000, 10_000))
  assert.ok(isScanned(20, 100))
  // Few are read one by one.
  assert.ok(!isScanned(19, 19))
  // Edges that restart in groups of fifty must not cost a read of 10,000 entries each time.
  assert.ok(!isScanned(50, 10_000))
})
