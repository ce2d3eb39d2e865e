/**
 * Computes increases from cumulative readings. Readings can come in any order, twice, or not at all: an increase is
 * the difference to the previous reading of the same boot, and belongs to the time of the later one.
 */
import type { Histogram } from '@imapfleet/observe'
import type { Reading } from './reading.ts'

/** The increase of an edge since its previous reading, up to `reading`. */
export interface Increase {
  reading: Reading
  counters: Record<string, number>
  histograms: Record<string, Histogram>
}

type Totals = Pick<Reading, 'counters' | 'histograms'>
const nothing: Totals = { counters: {}, histograms: {} }

/**
 * One increase for each reading, with the readings of a boot in the order of their sequence. Leaves out the first
 * reading of a boot that began before `keptSince` and has other readings: how much of it is new is unknown.
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

/** A counter that is lower than before was reset in between. */
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
