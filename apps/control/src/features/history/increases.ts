/**
 * Computes increases from cumulative readings. Readings can come in any order, twice, or not at all: an increase is the
 * difference to the previous reading of the same boot. What was counted between two readings is spread evenly over the
 * time between them, so that a steady rate is steady in every step.
 */
import type { Histogram } from '@imapfleet/observe'

/** As it is stored: two short lists take a fraction of the memory of an object with bucket numbers as keys. */
export interface BucketList {
  /** In seconds. */
  sum: number
  /** Ascending. */
  buckets: readonly number[]
  /** One for each of the buckets. */
  counts: readonly number[]
}

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
  histograms: Readonly<Record<string, BucketList>>
}

export interface Counts {
  counters: Record<string, number>
  histograms: Record<string, Histogram>
}

/** From a reading to the next one of the same boot. */
export interface Advance {
  reading: Reading
  /** Undefined: everything since the boot. */
  before: Reading | undefined
  /** The start of the time over which the increase is spread. Never after the reading. */
  since: number
}

/** The increase of an edge up to `reading`, since its previous reading. */
export interface Increase extends Counts, Pick<Advance, 'reading' | 'since'> {}

/**
 * An increase is spread over at most this time. If reports were lost, or are sent less often, it belongs to the last
 * minute before the next report.
 */
export const spreadMaxMs = 60_000

/** One increase for each advance. */
export const increasesOf = (readings: readonly Reading[], keptSince: number): Increase[] =>
  advancesOf(readings, keptSince).map((advance) => {
    const counts: Counts = { counters: {}, histograms: {} }
    addIncrease(counts, advance, advance.since, Number.POSITIVE_INFINITY)
    return { reading: advance.reading, since: advance.since, ...counts }
  })

/**
 * One advance for each reading, with the readings of a boot in the order of their sequence. Leaves out the first reading of a
 * boot that began before `keptSince` and has other readings: how much of it is new is unknown.
 */
export function advancesOf(readings: readonly Reading[], keptSince: number): Advance[] {
  const advances: Advance[] = []
  for (const ofEdge of Map.groupBy(readings, ({ edge }) => edge).values())
    for (const ofBoot of Map.groupBy(ofEdge, ({ boot }) => boot).values()) {
      let before: Reading | undefined
      for (const reading of ofBoot.toSorted((a, b) => a.sequence - b.sequence)) {
        if (reading.sequence === before?.sequence) continue
        if (before || reading.sequence === 1 || reading.startedAt >= keptSince) {
          const from = before?.at ?? reading.startedAt
          // The clock of the edge can go back.
          const since = Math.min(reading.at, Math.max(from, reading.at - spreadMaxMs))
          advances.push({ reading, before, since })
        }
        before = reading
      }
    }
  return advances
}

/**
 * Adds the part of the increase that was counted from `from` until `to`. The events of a counter are evenly spread, the last
 * one at the time of the reading. The parts of adjoining times add up to the whole.
 */
export function addIncrease(
  sums: Counts,
  { reading, before, since }: Advance,
  from: number,
  to: number,
): void {
  const part: Part = { begin: shareUntil(from, since, reading.at), end: shareUntil(to, since, reading.at) }
  const { counters, histograms } = reading
  for (const key in counters) {
    const more = partOf(grown(before?.counters[key] ?? 0, counters[key]!), part)
    sums.counters[key] = (sums.counters[key] ?? 0) + more
  }
  for (const key in histograms) {
    const sum = (sums.histograms[key] ??= { sum: 0, counts: {} })
    addGrowth(sum, before?.histograms[key], histograms[key]!, part)
  }
}

/** Shares of an increase. */
interface Part {
  begin: number
  end: number
}

function shareUntil(moment: number, since: number, at: number): number {
  if (since === at) return moment > at ? 1 : 0
  return Math.min(1, Math.max(0, (moment - since) / (at - since)))
}

const partOf = (count: number, { begin, end }: Part): number => {
  if (begin === 0 && end === 1) return count
  return Number.isInteger(count)
    ? Math.floor(count * end) - Math.floor(count * begin)
    : count * end - count * begin
}

/** A counter that is lower than before was reset in between. */
const grown = (before: number, after: number): number => (after >= before ? after - before : after)

function addGrowth(sums: Histogram, before: BucketList | undefined, after: BucketList, part: Part): void {
  const base = before && !wasReset(before, after) ? before : undefined
  const { buckets, counts } = after
  // Of the whole increase, and of the part.
  let [all, ours] = [0, 0]
  let place = 0
  for (let index = 0; index < buckets.length; index++) {
    const bucket = buckets[index]!
    let more = counts[index]!
    if (base) {
      while (base.buckets[place]! < bucket) place++
      if (base.buckets[place] === bucket) more -= base.counts[place]!
    }
    const share = partOf(more, part)
    if (share > 0) sums.counts[bucket] = (sums.counts[bucket] ?? 0) + share
    all += more
    ours += share
  }
  const seconds = base ? Math.max(0, after.sum - base.sum) : after.sum
  if (part.begin === 0 && part.end === 1) sums.sum += seconds
  else if (all > 0) sums.sum += (seconds * ours) / all
}

/** A bucket has less than before. */
function wasReset(before: BucketList, after: BucketList): boolean {
  let place = 0
  return before.buckets.some((bucket, index) => {
    while (place < after.buckets.length && after.buckets[place]! < bucket) place++
    const now = after.buckets[place] === bucket ? after.counts[place]! : 0
    return now < before.counts[index]!
  })
}
