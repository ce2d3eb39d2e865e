import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { bucketBound, bucketCount, bucketOf, percentile } from './histogram.ts'

const growth = 2 ** (1 / 8)
/** The rounding of a logarithm may differ. */
const rounding = 1 + 1e-12
const hours = 3_600_000_000
const duration = fc.oneof(
  fc.double({ min: 1, max: 4 * hours, noNaN: true }),
  fc.integer({ min: 1, max: 10_000 }),
)
const settings = { seed: 20_260_106, numRuns: 1000 }

function countsOf(microseconds: number[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of microseconds) counts[bucketOf(value)] = (counts[bucketOf(value)] ?? 0) + 1
  return counts
}

test('a value lies below the bound of its bucket and above the bound before', () => {
  fc.assert(
    fc.property(duration, (microseconds) => {
      const bucket = bucketOf(microseconds)
      assert.ok(microseconds / 1e6 <= bucketBound(bucket) * rounding)
      if (bucket > 0) assert.ok(microseconds / 1e6 > bucketBound(bucket - 1) / rounding)
    }),
    settings,
  )
})

test('a percentile is never below the true one and at most 2^(1/8) above it', () => {
  const share = fc.constantFrom(0.001, 0.5, 0.9, 0.95, 0.99, 1)
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 300 }), share, (values, wanted) => {
      const sorted = values.toSorted((a, b) => a - b)
      const truth = sorted[Math.max(0, Math.ceil(wanted * sorted.length) - 1)]! / 1e6
      const told = percentile(countsOf(values), wanted)!
      assert.ok(told >= truth / rounding, `${told} < ${truth}`)
      assert.ok(told <= truth * growth * rounding, `${told} > ${truth} * 2^(1/8)`)
    }),
    settings,
  )
})

test('the percentile of a sum is the percentile of all values together', () => {
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1 }), fc.array(duration), (one, other) => {
      const sum = countsOf(one)
      for (const [bucket, count] of Object.entries(countsOf(other))) sum[bucket] = (sum[bucket] ?? 0) + count
      assert.equal(percentile(sum, 0.95), percentile(countsOf([...one, ...other]), 0.95))
    }),
    settings,
  )
})

test('a number that is not a duration is counted in the first or last bucket', () => {
  for (const odd of [0, -5, NaN, -Infinity]) assert.equal(bucketOf(odd), 0)
  for (const long of [Infinity, Number.MAX_VALUE, 1e15]) assert.equal(bucketOf(long), bucketCount - 1)
})

test('an empty histogram has no percentile', () => {
  assert.equal(percentile({}, 0.5), null)
  assert.equal(percentile({ 3: 0, 200: 0 }, 1), null)
})
