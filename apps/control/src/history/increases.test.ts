import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { increasesOf } from './increases.ts'
import type { Reading } from './reading.ts'

/** Steps of 100 from 1000 to 2000; reports have been kept since 800. */
const [from, to, stepMs, keptSince] = [1000, 2000, 100, 800]

/** A boot as it really was: when it began, when it counted something, when it reported, and which reports arrived. */
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

/** What arrived of it: each report never, once or twice. */
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
      histograms: counted === 0 ? {} : { h: { sum: counted * 2, counts: { '7': counted } } },
    }
    return Array.from({ length: boot.arrives[index] ?? 0 }, () => reading)
  })
}

/** Slow and obvious: go through the events one by one, and ask which arrived report told of each first. */
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

test('whatever is lost, doubled or out of order, each event is counted once, where it was first told of', () => {
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

test('the last reading before a time, the first in it and the last are enough for its sum', () => {
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

test('a counter that falls was reset: what it shows after that is what was counted since', () => {
  const counts = increasesOf([at(1, 1000, 10), at(2, 1100, 4), at(3, 1200, 6)], keptSince).map(
    ({ counters }) => counters.a,
  )
  assert.deepEqual(counts, [10, 4, 2])
})

test('the rest of a boot whose beginning is no longer kept is where counting begins, not a jump', () => {
  const counts = increasesOf([at(70, 1000, 5000), at(71, 1100, 5003)], keptSince).map(
    ({ counters }) => counters.a,
  )
  assert.deepEqual(counts, [3])
})

test('a boot that began while reports were kept counts from zero even if its first report was lost', () => {
  const counts = increasesOf([at(2, 1300, 8, 1200)], keptSince).map(({ counters }) => counters.a)
  assert.deepEqual(counts, [8])
})
