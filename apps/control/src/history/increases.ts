/**
 * From cumulative readings to what happened in between. Readings may come in any order, twice, or not at all: what
 * counts is the difference to the reading before it of the same boot, and it belongs to the time of the later one.
 */
import type { Histogram } from '@imapfleet/observe'
import type { Reading } from './reading.ts'

/** What an edge counted from one reading to the next, which is `reading`. */
export interface Increase {
  reading: Reading
  counters: Record<string, number>
  histograms: Record<string, Histogram>
}

type Totals = Pick<Reading, 'counters' | 'histograms'>
const nothing: Totals = { counters: {}, histograms: {} }

/**
 * One increase for each reading, those of a boot in the order of their sequence. Nothing is said of the first reading of
 * a boot that began before `keptSince` with other readings: how much of it is new cannot be known.
 */
export function increasesOf(readings: readonly Reading[], keptSince: number): Increase[] {
  return [...Map.groupBy(readings, (reading) => `${reading.edge}/${reading.boot}`).values()].flatMap(
    (ofBoot) => {
      const inOrder = ofBoot
        .toSorted((a, b) => a.sequence - b.sequence)
        .filter((reading, index, sorted) => reading.sequence !== sorted[index - 1]?.sequence)
      return inOrder.flatMap((reading, index) => {
        const base = inOrder[index - 1] ?? baseOfFirst(reading, keptSince)
        return base === undefined ? [] : [increase(base, reading)]
      })
    },
  )
}

function baseOfFirst(reading: Reading, keptSince: number): Totals | undefined {
  return reading.sequence === 1 || reading.startedAt >= keptSince ? nothing : undefined
}

function increase(base: Totals, reading: Reading): Increase {
  const counters: Record<string, number> = {}
  for (const [key, value] of Object.entries(reading.counters))
    counters[key] = grown(base.counters[key] ?? 0, value)
  const histograms: Record<string, Histogram> = {}
  for (const [key, value] of Object.entries(reading.histograms))
    histograms[key] = grownBy(base.histograms[key], value)
  return { reading, counters, histograms }
}

/** A counter that is lower than before was set back to zero in between. */
const grown = (before: number, after: number): number => (after >= before ? after - before : after)

function grownBy(before: Histogram | undefined, after: Histogram): Histogram {
  if (!before) return after
  const wasReset = Object.entries(before.counts).some(
    ([bucket, count]) => (after.counts[bucket] ?? 0) < count,
  )
  if (wasReset) return after
  const counts: Record<string, number> = {}
  for (const [bucket, count] of Object.entries(after.counts)) {
    const more = count - (before.counts[bucket] ?? 0)
    if (more > 0) counts[bucket] = more
  }
  return { sum: Math.max(0, after.sum - before.sum), counts }
}
