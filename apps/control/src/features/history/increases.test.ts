import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { increasesOf, type Reading } from './increases.ts'

/** Steps of 100 from 1000 to 2000. Reports are stored since 800. */
const [from, to, stepMs, keptSince] = [1000, 2000, 100, 800]

/** The actual events of a boot: when it started, counted and reported, and which reports arrived. */
const bootArbitrary = fc.record({
  startedAt: fc.integer({ min: 0, max: 1900 }),
  events: fc.array(fc.integer({ min: 0, max: 2500 }), { maxLength: 40 }),
  reports: fc.uniqueArray(fc.integer({ min: 0, max: 2500 }), { maxLength: 25 }),
  arrives: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 25, maxLength: 25 }),
})
type Boot = ReturnType<(typeof bootArbitrary)['generate']>['value']

const reportsOf = (boot: Boot) => boot.reports.filter((at) => at >= boot.startedAt).toSorted((a, b) => a - b)
const eventsUntil = (boot: Boot, at: number) =>
  boot.events.filter((event) => event >= boot.startedAt && event <= at).length

/** The received reports: each arrives never, once or twice. */
function readingsOf(boot: Boot, name: string): Reading[] {
  return reportsOf(boot).flatMap((at, index) => {
    const counted = eventsUntil(boot, at)
    const reading: Reading = {
      edge: 'eu-1',
      region: 'eu',
      boot: name,
      sequence: index + 1,
      at,
      startedAt: boot.startedAt,
      counters: counted === 0 ? {} : { a: counted },
      gauges: {},
      histograms: counted === 0 ? {} : { h: { sum: counted * 2, buckets: [7], counts: [counted] } },
    }
    return Array.from({ length: boot.arrives[index] ?? 0 }, () => reading)
  })
}

/** A slow and obvious computation: finds for each event the first received report that contains it. */
function expectedSteps(boots: readonly Boot[]): number[] {
  const steps = Array<number>((to - from) / stepMs).fill(0)
  for (const boot of boots) {
    const arrived = reportsOf(boot).filter((_, index) => boot.arrives[index] !== 0)
    const firstEver = reportsOf(boot)[0]
    for (const event of boot.events.filter((at) => at >= boot.startedAt)) {
      const teller = arrived.find((at) => at >= event)
      if (teller === undefined || teller < from || teller >= to) continue
      const restOfOldBoot = teller === arrived[0] && teller !== firstEver && boot.startedAt < keptSince
      if (!restOfOldBoot) steps[Math.floor((teller - from) / stepMs)]! += 1
    }
  }
  return steps
}

function sumBySteps(
  readings: readonly Reading[],
  pick: (increase: ReturnType<typeof increasesOf>[number]) => number,
) {
  const steps = Array<number>((to - from) / stepMs).fill(0)
  for (const increase of increasesOf(readings, keptSince)) {
    const { at } = increase.reading
    if (at >= from && at < to) steps[Math.floor((at - from) / stepMs)]! += pick(increase)
  }
  return steps
}

const seeded = { seed: 42, numRuns: 500 }

test('with lost, repeated or reordered reports, each event is counted once, at its first report', () => {
  const shuffles = fc.array(fc.integer(), { minLength: 200, maxLength: 200 })
  fc.assert(
    fc.property(fc.array(bootArbitrary, { maxLength: 4 }), shuffles, (boots, order) => {
      const readings = boots
        .flatMap((boot, index) => readingsOf(boot, `boot-${index}`))
        .map((reading, index) => ({ reading, place: order[index % order.length]! }))
        .toSorted((a, b) => a.place - b.place)
        .map(({ reading }) => reading)
      const expected = expectedSteps(boots)
      assert.deepEqual(
        sumBySteps(readings, ({ counters }) => counters.a ?? 0),
        expected,
      )
      assert.deepEqual(
        sumBySteps(readings, ({ histograms }) => histograms.h?.counts['7'] ?? 0),
        expected,
      )
      assert.deepEqual(
        sumBySteps(readings, ({ histograms }) => (histograms.h?.sum ?? 0) / 2),
        expected,
      )
    }),
    seeded,
  )
})

test('the sum of a period needs only the last reading before it, and its first and last reading', () => {
  fc.assert(
    fc.property(bootArbitrary, (boot) => {
      const all = readingsOf(boot, 'boot')
      const before = all.filter(({ at }) => at < from).slice(-1)
      const within = all.filter(({ at }) => at >= from && at < to)
      const ends = [...before, ...within.slice(0, 1), ...within.slice(-1)]
      const sum = (readings: readonly Reading[]) =>
        sumBySteps(readings, ({ counters }) => counters.a ?? 0).reduce((a, b) => a + b, 0)
      assert.equal(sum(ends), sum(all))
    }),
    seeded,
  )
})

const at = (sequence: number, time: number, a: number, startedAt = 700): Reading => ({
  edge: 'eu-1',
  region: 'eu',
  boot: 'b',
  sequence,
  at: time,
  startedAt,
  counters: { a },
  gauges: {},
  histograms: {},
})

test('a counter that decreases was reset, and its value is the increase since then', () => {
  const counts = increasesOf([at(1, 1000, 10), at(2, 1100, 4), at(3, 1200, 6)], keptSince).map(
    ({ counters }) => counters.a,
  )
  assert.deepEqual(counts, [10, 4, 2])
})

test('if the start of a boot is no longer stored, counting starts at its first reading', () => {
  const counts = increasesOf([at(70, 1000, 5000), at(71, 1100, 5003)], keptSince).map(
    ({ counters }) => counters.a,
  )
  assert.deepEqual(counts, [3])
})

test('a boot that started within the stored time counts from zero, even if its first report was lost', () => {
  const counts = increasesOf([at(2, 1300, 8, 1200)], keptSince).map(({ counters }) => counters.a)
  assert.deepEqual(counts, [8])
})

const timed = (sequence: number, counts: Record<string, number>, sum: number): Reading => ({
  ...at(sequence, 1000 + sequence * 100, 0),
  histograms: { h: { sum, buckets: Object.keys(counts).map(Number), counts: Object.values(counts) } },
})

test('a histogram of which a bucket decreases was reset, and its values are the increase since then', () => {
  const increases = increasesOf(
    [timed(1, { 7: 10, 9: 1 }, 20), timed(2, { 7: 4, 9: 5 }, 15), timed(3, { 7: 4, 9: 8 }, 21)],
    keptSince,
  ).map(({ histograms }) => histograms.h)
  assert.deepEqual(increases, [
    { sum: 20, counts: { 7: 10, 9: 1 } },
    { sum: 15, counts: { 7: 4, 9: 5 } },
    { sum: 6, counts: { 9: 3 } },
  ])
})

test('a histogram of which a bucket is missing was reset', () => {
  const [, second] = increasesOf([timed(1, { 7: 10 }, 20), timed(2, { 9: 1 }, 3)], keptSince)
  assert.deepEqual(second?.histograms.h, { sum: 3, counts: { 9: 1 } })
})

test('a bucket that is new, and one that only the reading before has without values, are no reset', () => {
  const [, second] = increasesOf(
    [timed(1, { 5: 0, 7: 10 }, 20), timed(2, { 6: 2, 7: 11, 8: 1 }, 24)],
    keptSince,
  )
  assert.deepEqual(second?.histograms.h, { sum: 4, counts: { 6: 2, 7: 1, 8: 1 } })
})
