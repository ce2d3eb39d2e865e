import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  packCounters,
  packGauges,
  packHistograms,
  unpackCounters,
  unpackGauges,
  unpackHistograms,
} from './packed.ts'

const keys = Array.from({ length: 300 }, (_, index) => `series-${index}`)
const numberOf = (key: string) => (keys.indexOf(key) + 1) ** 2 || undefined
const keyOf = (number: number) => keys[Math.sqrt(number) - 1]

const value = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
  fc.constantFrom(2 ** 51 - 1, 2 ** 51, 2 ** 53, -1, 0.1),
)
const seriesOf = <T>(of: fc.Arbitrary<T>) =>
  fc.dictionary(fc.constantFrom(...keys), of, { maxKeys: 60, noNullPrototype: true })
const seeded = { seed: 42, numRuns: 300 }

test('unpacked counters are those that were packed', () => {
  fc.assert(
    fc.property(seriesOf(value), (counters) => {
      assert.deepEqual(unpackCounters(packCounters(counters, numberOf), keyOf), counters)
    }),
    seeded,
  )
})

test('unpacked gauges are those that were packed', () => {
  const gauge = fc.record(
    { count: fc.nat(), sum: value, last: value, max: value, min: value },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(seriesOf(gauge), (gauges) => {
      assert.deepEqual(unpackGauges(packGauges(gauges, numberOf), keyOf), gauges)
    }),
    seeded,
  )
})

test('unpacked histograms are those that were packed, also large and empty ones', () => {
  const bucket = fc.nat(271).map(String)
  const counts = fc.dictionary(bucket, fc.maxSafeNat(), { maxKeys: 272, noNullPrototype: true })
  const histogram = fc.record({ sum: value, counts }, { noNullPrototype: true })
  fc.assert(
    fc.property(seriesOf(histogram), (histograms) => {
      assert.deepEqual(unpackHistograms(packHistograms(histograms, numberOf), keyOf), histograms)
    }),
    { ...seeded, numRuns: 100 },
  )
})

test('a series without a number or a name is left out', () => {
  const packed = packCounters({ a: 1, 'series-5': 2, b: 3, 'series-2': 4, 'series-9': 5 }, numberOf)
  assert.deepEqual(
    unpackCounters(packed, (number) => (number === numberOf('series-2') ? undefined : keyOf(number))),
    { 'series-5': 2, 'series-9': 5 },
  )
})

test('truncated data, or data in another format, is refused', () => {
  const packed = packCounters({ 'series-1': 300 }, numberOf)
  assert.throws(() => unpackCounters(packed.subarray(0, -1), keyOf), /end too early/)
  assert.throws(() => unpackCounters(Buffer.of(9, ...packed.subarray(1)), keyOf), /format 9/)
})
