/**
 * Computes increases from cumulative readings. Readings can come in any order, twice, or not at all: an increase is the
 * difference to the previous reading of the same boot. What was counted between two readings is spread evenly over the
 * time between them, so that a steady rate is steady in every step.
 */
import type { Histogram } from '@imapfleet/observe'

/** One report, or the requested part of it. */
export interface Reading {
  edge: string
  region: string
  boot: string
  sequence: number
  /** Milliseconds since 1970. */
  at: number
  startedAt: number
  /** Cumulative since the boot. */
  counters: Readonly<Record<string, number>>
  gauges: Readonly<Record<string, number>>
  histograms: Readonly<Record<string, Histogram>>
}

export interface Counts {
  counters: Record<string, number>
  histograms: Record<string, Histogram>
}

/** The increase of an edge up to `reading`, since its previous reading. */
export interface Increase extends Counts {
  reading: Reading
  /** The start of the time over which it is spread. Never after the reading. */
  since: number
}

/**
 * An increase is spread over at most this time. If reports were lost, or are sent less often, it belongs to the last
 * minute before the next report.
 */
export const spreadMaxMs = 60_000

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
        const before = inOrder[index - 1]
        const isFromStart = reading.sequence === 1 || reading.startedAt >= keptSince
        if (!before && !isFromStart) return []
        const from = before?.at ?? reading.startedAt
        // The clock of the edge can go back.
        const since = Math.min(reading.at, Math.max(from, reading.at - spreadMaxMs))
        return [{ reading, since, ...increase(before ?? nothing, reading) }]
      })
    },
  )
}

function increase(base: Totals, reading: Reading): Counts {
  const counters: Record<string, number> = {}
  for (const [key, value] of Object.entries(reading.counters))
    counters[key] = grown(base.counters[key] ?? 0, value)
  const histograms: Record<string, Histogram> = {}
  for (const [key, value] of Object.entries(reading.histograms))
    histograms[key] = grownBy(base.histograms[key], value)
  return { counters, histograms }
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

/**
 * The part of an increase that was counted from `from` until `to`. The events of a counter are evenly spread, the last
 * one at the time of the reading. The parts of adjoining times add up to the whole.
 */
export function partOf(
  { reading: { at }, since, counters, histograms }: Increase,
  from: number,
  to: number,
): Counts {
  const shareUntil = (moment: number): number => {
    if (since === at) return moment > at ? 1 : 0
    return Math.min(1, Math.max(0, (moment - since) / (at - since)))
  }
  const [begin, end] = [shareUntil(from), shareUntil(to)]
  if (begin === 0 && end === 1) return { counters, histograms }
  const part = (count: number): number =>
    Number.isInteger(count)
      ? Math.floor(count * end) - Math.floor(count * begin)
      : count * end - count * begin
  const counted: Counts = { counters: {}, histograms: {} }
  for (const [key, value] of Object.entries(counters)) counted.counters[key] = part(value)
  for (const [key, { sum, counts }] of Object.entries(histograms)) {
    const parts: Record<string, number> = {}
    let [all, ours] = [0, 0]
    for (const [bucket, count] of Object.entries(counts)) {
      const share = part(count)
      if (share > 0) parts[bucket] = share
      all += count
      ours += share
    }
    counted.histograms[key] = { sum: all === 0 ? 0 : (sum * ours) / all, counts: parts }
  }
  return counted
}
