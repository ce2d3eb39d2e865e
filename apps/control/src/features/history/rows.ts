/**
 * Figures of one edge, or of all edges of a region, over one interval: the content of rollups and histories. Rows of
 * one length are combined into rows of a greater length, and rows of edges into rows of their region.
 */
import { increasesOf, partOf, type Counts, type Reading } from './increases.ts'

/** A gauge over an interval. For a region: the sum over its edges, at each of the combined intervals. */
export interface Gauge {
  /** The number of values in `sum`. */
  count: number
  sum: number
  last: number
  max: number
  min: number
}

export interface RowFigures extends Counts {
  gauges: Record<string, Gauge>
}

export interface HistoryRow extends RowFigures {
  region: string
  /** Empty: all edges of the region together. */
  edge: string
  /** The start of the interval. Milliseconds since 1970. */
  at: number
}

/** A time that is divided into intervals of one length. */
export interface Stretch {
  from: number
  to: number
  lengthMs: number
}

/**
 * One row for each edge and interval in which it reported, or which lies between two of its reports. `readings` also has
 * those around the stretch: for each boot the last one before it, and the first one after it.
 */
export function historyRows(
  readings: readonly Reading[],
  { from, to, lengthMs }: Stretch,
  keptSince: number,
): HistoryRow[] {
  const rows = new Rows()
  const increases = increasesOf(readings, keptSince)
    .filter(({ reading, since }) => reading.at >= from && since < to)
    .toSorted((a, b) => a.reading.at - b.reading.at)
  for (const increase of increases) {
    const { reading, since } = increase
    const { region, edge, at } = reading
    const first = from + Math.max(0, Math.floor((since - from) / lengthMs)) * lengthMs
    for (let start = first; start <= at && start < to; start += lengthMs) {
      const end = Math.min(start + lengthMs, to)
      // An interval that lies between two reports has the gauges of the later one.
      const hasGauges = at < start + lengthMs ? at < to : start > since
      rows.add(region, edge, start, {
        ...partOf(increase, start, end),
        gauges: hasGauges ? gaugesOf(reading) : {},
      })
    }
  }
  return rows.all()
}

const gaugesOf = ({ gauges }: Reading): Record<string, Gauge> =>
  Object.fromEntries(
    Object.entries(gauges).map(([key, value]) => [
      key,
      { count: 1, sum: value, last: value, max: value, min: value },
    ]),
  )

/** Combines the rows of the same interval. They can come in any order. */
export function rowsOver(rows: readonly HistoryRow[], startOf: (at: number) => number): HistoryRow[] {
  const longer = new Rows()
  for (const row of rows.toSorted((a, b) => a.at - b.at))
    longer.add(row.region, row.edge, startOf(row.at), row)
  return longer.all()
}

/** One row for each region and interval: the counts of its edges, and the sum of their gauges. */
export function rowsOfRegions(rows: readonly HistoryRow[]): HistoryRow[] {
  const regions = new Rows()
  for (const row of rows) regions.addBeside(row.region, '', row.at, row)
  return regions.all()
}

class Rows {
  readonly #rows = new Map<string, HistoryRow>()

  /** Appends values of a later time. */
  add(region: string, edge: string, at: number, figures: RowFigures): void {
    const row = this.#row(region, edge, at)
    addCounted(row, figures)
    for (const [key, gauge] of Object.entries(figures.gauges)) {
      const before = row.gauges[key]
      row.gauges[key] = before ? gaugeAfter(before, gauge) : gauge
    }
  }

  /** Adds values of the same time. */
  addBeside(region: string, edge: string, at: number, figures: RowFigures): void {
    const row = this.#row(region, edge, at)
    addCounted(row, figures)
    for (const [key, { count, sum, last, max, min }] of Object.entries(figures.gauges)) {
      const beside = row.gauges[key]
      const average = sum / count
      row.gauges[key] = beside
        ? {
            count: 1,
            sum: beside.sum + average,
            last: beside.last + last,
            max: beside.max + max,
            min: beside.min + min,
          }
        : { count: 1, sum: average, last, max, min }
    }
  }

  all(): HistoryRow[] {
    return [...this.#rows.values()]
  }

  #row(region: string, edge: string, at: number): HistoryRow {
    const name = `${region}/${edge}/${at}`
    let row = this.#rows.get(name)
    if (!row) this.#rows.set(name, (row = { region, edge, at, counters: {}, gauges: {}, histograms: {} }))
    return row
  }
}

function addCounted(row: HistoryRow, { counters, histograms }: RowFigures): void {
  for (const [key, value] of Object.entries(counters)) row.counters[key] = (row.counters[key] ?? 0) + value
  for (const [key, value] of Object.entries(histograms)) {
    const sums = (row.histograms[key] ??= { sum: 0, counts: {} })
    sums.sum += value.sum
    for (const [bucket, count] of Object.entries(value.counts))
      sums.counts[bucket] = (sums.counts[bucket] ?? 0) + count
  }
}

const gaugeAfter = (before: Gauge, after: Gauge): Gauge => ({
  count: before.count + after.count,
  sum: before.sum + after.sum,
  last: after.last,
  max: Math.max(before.max, after.max),
  min: Math.min(before.min, after.min),
})
