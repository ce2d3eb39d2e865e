import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareNames } from './compare-names.ts'

test('numbers in names count as numbers, wherever they are', () => {
  const sorted = ['eu-10', 'eu-2', 'ap-1', 'eu', 'eu-2-b', 'eu-2-a10', 'eu-2-a9', '7', '10'].toSorted(
    compareNames,
  )
  assert.deepEqual(sorted, ['7', '10', 'ap-1', 'eu', 'eu-2', 'eu-2-a9', 'eu-2-a10', 'eu-2-b', 'eu-10'])
})

test('names of edges are in the order of a collator', () => {
  const collator = new Intl.Collator('en', { numeric: true })
  // Without zeros at the start: a collator takes 07 and 7 for the same.
  const name = fc.array(fc.oneof(fc.nat(300).map(String), fc.constantFrom('eu', 'us', 'edge', 'a')), {
    minLength: 1,
    maxLength: 4,
  })
  const named = name.map((parts) => parts.join('-'))
  fc.assert(
    fc.property(named, named, (one, other) => {
      assert.equal(Math.sign(compareNames(one, other)), Math.sign(collator.compare(one, other)))
    }),
    { seed: 7, numRuns: 2_000 },
  )
})

test('different names are never equal, and the order does not depend on who is asked', () => {
  assert.ok(compareNames('eu-07', 'eu-7') < 0)
  assert.ok(compareNames('eu-7', 'eu-07') > 0)
  assert.equal(compareNames('eu-7', 'eu-7'), 0)
})
