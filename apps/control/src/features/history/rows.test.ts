import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { spreadMaxMs, type Reading } from './increases.ts'
import { historyRows, historyRowsOfRegions, rowsOfRegions, rowsOver, type HistoryRow } from './rows.ts'

const seeded = { seed: 20_261_210, numRuns: 300 }
const start = 1_800_000_000_000
/** A rate that divides no interval evenly. */
const perMs = 0.0397

/** One edge that counts at a steady rate. It reports at these times since its boot. */
function steady(times: readonly number[], { edge = 'eu-1', bootAt = start } = {}): Reading[] {
  return times.map((time, index) => ({
    edge,
    region: 'eu',
    boot: edge,
    sequence: index + 1,
    at: bootAt + time,
    startedAt: bootAt,
    counters: { whole: Math.floor(time * perMs), exact: time * perMs + 0.5 },
    gauges: { level: 7 },
    histograms: { h: { sum: time * perMs, buckets: [3], counts: [Math.floor(time * perMs)] } },
  }))
}

/** Reports at any distance up to the longest that is spread, in any phase. */
const times = fc
  .array(fc.integer({ min: 200, max: spreadMaxMs }), { minLength: 5, maxLength: 40 })
  .map((pauses) =>
    pauses.map((_, index) => pauses.slice(0, index + 1).reduce((sum, pause) => sum + pause, 0)),
  )

test('a steady rate is the same in every step of any length, and a steady gauge too', () => {
  fc.assert(
    fc.property(
      times,
      fc.constantFrom(1_000, 3_000, 10_000, 15_000, 60_000, 3_600_000),
      fc.nat(60_000),
      (all, lengthMs, phase) => {
        const to = start + all.at(-1)!
        const from = start + Math.min(phase, all.at(-1)! - 1)
        const rows = historyRows(steady(all), { from, to, lengthMs }, start)
        assert.deepEqual(
          rows.map(({ at }) => at).toSorted((a, b) => a - b),
          Array.from({ length: Math.ceil((to - from) / lengthMs) }, (_, step) => from + step * lengthMs),
        )
        for (const { at, counters, histograms, gauges } of rows) {
          const length = Math.min(at + lengthMs, to) - at
          assert.ok(Math.abs(counters.exact! - length * perMs) <= 1.5)
          assert.ok(Math.abs(counters.whole! - length * perMs) <= 2)
          assert.ok(Math.abs((histograms.h?.counts['3'] ?? 0) - length * perMs) <= 2)
          if (at > start + all[0]! && at + lengthMs <= to)
            assert.equal(gauges.level!.sum / gauges.level!.count, 7)
        }
      },
    ),
    seeded,
  )
})

test('the sum over the steps is the increase of the counter, whatever the steps', () => {
  fc.assert(
    fc.property(times, fc.constantFrom(700, 10_000, 60_000), fc.nat(5_000), (all, lengthMs, before) => {
      const readings = steady(all)
      const stretch = { from: start - before, to: start + all.at(-1)! + 1, lengthMs }
      const sum = (of: (row: HistoryRow) => number) =>
        historyRows(readings, stretch, start).reduce((total, row) => total + of(row), 0)
      const last = readings.at(-1)!
      assert.equal(
        sum(({ counters }) => counters.whole!),
        last.counters.whole,
      )
      assert.equal(
        sum(({ histograms }) => histograms.h?.counts['3'] ?? 0),
        last.histograms.h!.counts[0],
      )
      assert.ok(Math.abs(sum(({ counters }) => counters.exact!) - last.counters.exact!) < 1e-6)
    }),
    seeded,
  )
})

test('a minute that is computed alone, with the reports around it, is that part of the whole', () => {
  fc.assert(
    fc.property(times, (all) => {
      const readings = steady(all)
      const minuteMs = 60_000
      const to = Math.floor((start + all.at(-1)!) / minuteMs) * minuteMs
      const whole = historyRows(readings, { from: start, to, lengthMs: 10_000 }, start)
      const alone: HistoryRow[] = []
      for (let from = start; from < to; from += minuteMs) {
        const within = readings.filter(({ at }) => at >= from && at < from + minuteMs)
        const before = readings.filter(({ at }) => at < from).slice(-1)
        const after = readings.filter(({ at }) => at >= from + minuteMs).slice(0, 1)
        const stretch = { from, to: from + minuteMs, lengthMs: 10_000 }
        alone.push(...historyRows([...before, ...within, ...after], stretch, start))
      }
      assert.deepEqual(alone, whole)
      const minutes = (rows: HistoryRow[]) => rowsOver(rows, (at) => Math.floor(at / minuteMs) * minuteMs)
      const direct = historyRows(readings, { from: start, to, lengthMs: minuteMs }, start)
      assert.deepEqual(
        minutes(whole).map(({ at, counters }) => [at, counters.whole]),
        direct.map(({ at, counters }) => [at, counters.whole]),
      )
    }),
    seeded,
  )
})

test('the rows of regions that are computed directly are the sums of the rows of their edges', () => {
  fc.assert(
    fc.property(
      fc.array(times, { maxLength: 4 }),
      fc.constantFrom(700, 10_000, 60_000),
      (edges, lengthMs) => {
        const readings = edges.flatMap((all, index) =>
          steady(all, { edge: `edge-${index}`, bootAt: start + index * 7_000 }).map((each) => ({
            ...each,
            region: index === 3 ? 'us' : 'eu',
            gauges: { level: each.sequence * 10 + index },
            // Sums of fractions depend on their order.
            counters: { whole: each.counters.whole! },
            histograms: { h: { ...each.histograms.h!, sum: 0 } },
          })),
        )
        const stretch = { from: start + 9_000, to: start + 400_000, lengthMs }
        const sorted = (rows: HistoryRow[]) =>
          rows.toSorted((a, b) => a.at - b.at || (a.region < b.region ? -1 : 1))
        assert.deepEqual(
          sorted(historyRowsOfRegions(readings, stretch, start)),
          sorted(rowsOfRegions(historyRows(readings, stretch, start))),
        )
      },
    ),
    seeded,
  )
})

const reading = (sequence: number, at: number, counted: number, gauge = 1): Reading => ({
  edge: 'eu-1',
  region: 'eu',
  boot: 'b',
  sequence,
  at: start + at,
  startedAt: start,
  counters: { a: counted },
  gauges: { g: gauge },
  histograms: {},
})
const stretch = { from: start, to: start + 300_000, lengthMs: 10_000 }
const stepsOf = (rows: readonly HistoryRow[]) =>
  Object.fromEntries(rows.map(({ at, counters }) => [(at - start) / 1000, counters.a]))

test('after lost reports, the counts belong to the last minute before the next report, and the time before is a gap', () => {
  const rows = historyRows([reading(1, 10_000, 10), reading(9, 200_000, 70)], stretch, start)
  assert.deepEqual(stepsOf(rows), {
    0: 10,
    10: 0,
    140: 10,
    150: 10,
    160: 10,
    170: 10,
    180: 10,
    190: 10,
    200: 0,
  })
})

test('a single event belongs to the step in which its report was made', () => {
  const rows = historyRows([reading(1, 5_000, 0), reading(2, 15_000, 1)], stretch, start)
  assert.deepEqual(stepsOf(rows), { 0: 0, 10: 1 })
})

test('if the clock of an edge goes back, the counts belong to the time of the report', () => {
  const rows = historyRows(
    [reading(1, 50_000, 0), reading(2, 15_000, 4), reading(3, 25_000, 6)],
    stretch,
    start,
  )
  assert.equal(stepsOf(rows)[10], 5)
  assert.equal(stepsOf(rows)[20], 1)
})

test('a step has the gauges of its own reports, and a step between two reports those of the later one', () => {
  const rows = historyRows([reading(1, 5_000, 0, 2), reading(2, 35_000, 0, 8)], stretch, start)
  assert.deepEqual(
    rows.map(({ at, gauges }) => [(at - start) / 1000, gauges.g?.last]),
    [
      [0, 2],
      [10, 8],
      [20, 8],
      [30, 8],
    ],
  )
})

test('a new boot counts from its own start', () => {
  const restarted: Reading = { ...reading(1, 40_000, 6), boot: 'c', startedAt: start + 34_000 }
  const rows = historyRows([reading(1, 10_000, 10), restarted], stretch, start)
  assert.deepEqual(stepsOf(rows), { 0: 10, 10: 0, 30: 6, 40: 0 })
})
