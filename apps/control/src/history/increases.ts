/**
 * From cumulative readings to what happened in between. Readings may come in any order, twice, or not at all: what
 * counts is the difference to the reading before it of the same boot, and it belongs to the step of the later one.
 */
import type { Histogram } from '@imapfleet/protocol'
import { stepOf, type Window } from './window.ts'

/** One report, or as much of it as is asked for. */
export interface Reading {
  edge: string
  region: string
  boot: string
  sequence: number
  /** Milliseconds since 1970. */
  at: number
  startedAt: number
  counters: Readonly<Record<string, number>>
  histograms: Readonly<Record<string, Histogram>>
}

/** What an edge counted from one reading to the next. */
export interface Increase {
  edge: string
  region: string
  step: number
  counters: Record<string, number>
  histograms: Record<string, Histogram>
}

type Totals = Pick<Reading, 'counters' | 'histograms'>
const nothing: Totals = { counters: {}, histograms: {} }

/**
 * One increase for each reading within the window whose predecessor is known. Of each boot it is enough to have the last
 * reading before the window, the first in it, and the last of each step.
 */
export function increasesOf(readings: readonly Reading[], window: Window): Increase[] {
  return [...Map.groupBy(readings, (reading) => `${reading.edge}/${reading.boot}`).values()].flatMap(
    (ofBoot) => {
      const inOrder = ofBoot.toSorted((a, b) => a.sequence - b.sequence)
      return inOrder.flatMap((reading, index) => {
        const before = inOrder[index - 1]
        if (reading.at < window.from || reading.at >= window.to) return []
        const base = before ?? baseOfFirst(reading, window)
        return base === undefined ? [] : [increase(base, reading, window)]
      })
    },
  )
}

/**
 * The first known reading of a boot counts from zero if the boot began with it or within the window. If it is the rest
 * of a boot whose beginning is no longer kept, how much of it is new cannot be known.
 */
function baseOfFirst(reading: Reading, window: Window): Totals | undefined {
  return reading.sequence === 1 || reading.startedAt >= window.from ? nothing : undefined
}

function increase(base: Totals, reading: Reading, window: Window): Increase {
  const counters = Object.entries(reading.counters).map(([key, value]) => [
    key,
    grown(base.counters[key] ?? 0, value),
  ])
  const histograms = Object.entries(reading.histograms).map(([key, value]) => [
    key,
    grownBy(base.histograms[key], value),
  ])
  return {
    edge: reading.edge,
    region: reading.region,
    step: stepOf(window, reading.at),
    counters: Object.fromEntries(counters) as Record<string, number>,
    histograms: Object.fromEntries(histograms) as Record<string, Histogram>,
  }
}

/** A counter that is lower than before was set back to zero in between. */
const grown = (before: number, after: number): number => (after >= before ? after - before : after)

function grownBy(before: Histogram | undefined, after: Histogram): Histogram {
  const wasReset = Object.entries(before?.counts ?? {}).some(
    ([bucket, count]) => (after.counts[bucket] ?? 0) < count,
  )
  if (!before || wasReset) return after
  const counts = Object.entries(after.counts).map(
    ([bucket, count]) => [bucket, count - (before.counts[bucket] ?? 0)] as const,
  )
  return {
    sum: Math.max(0, after.sum - before.sum),
    counts: Object.fromEntries(counts.filter(([, count]) => count > 0)),
  }
}
