/**
 * Figures of one edge, or of all edges of a region, over one interval: the content of rollups and histories. Rows of
 * one length are combined into rows of a greater length, and rows of edges into rows of their region.
 */
import { addIncrease, advancesOf, type Counts, type Reading } from './increases.ts'

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
export function historyRows(readings: readonly Reading[], stretch: Stretch, keptSince: number): HistoryRow[] {
  const rows = new Rows()
  collect(readings, stretch, keptSince, { counts: rows, edges: rows, edgeOf: ({ edge }) => edge })
  return rows.all()
}

/** The same as `rowsOfRegions` of these rows, without the counts of each edge: a region has many edges. */
export function historyRowsOfRegions(
  readings: readonly Reading[],
  stretch: Stretch,
  keptSince: number,
): HistoryRow[] {
  const [regions, edges] = [new Rows(), new Rows()]
  collect(readings, stretch, keptSince, { counts: regions, edges, edgeOf: () => '' })
  for (const row of edges.all()) regions.addBeside(row.region, '', row.at, row)
  return regions.all()
}

interface Collected {
  counts: Rows
  /** For gauges: the readings of each edge are combined before the readings of several edges. */
  edges: Rows
  /** Whose counts they are. */
  edgeOf: (reading: Reading) => string
}

function collect(
  readings: readonly Reading[],
  { from, to, lengthMs }: Stretch,
  keptSince: number,
  { counts, edges, edgeOf }: Collected,
): void {
  const advances = advancesOf(readings, keptSince)
    .filter(({ reading, since }) => reading.at >= from && since < to)
    .toSorted((a, b) => a.reading.at - b.reading.at)
  for (const advance of advances) {
    const { reading, since } = advance
    const { region, edge, at } = reading
    const whose = edgeOf(reading)
    const hasAny = hasOwnFields(reading.gauges)
    const first = from + Math.max(0, Math.floor((since - from) / lengthMs)) * lengthMs
    for (let start = first; start <= at && start < to; start += lengthMs) {
      const end = Math.min(start + lengthMs, to)
      addIncrease(counts.at(region, whose, start), advance, start, end)
      // An interval that lies between two reports has the gauges of the later one.
      const hasGauges = at < start + lengthMs ? at < to : start > since
      if (hasAny && hasGauges) addGauges(edges.at(region, edge, start), gaugesOf(reading))
    }
  }
}

const hasOwnFields = (fields: object): boolean => {
  for (const _ in fields) return true
  return false
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
  readonly #rows: HistoryRow[] = []
  /** By region, edge and time. */
  readonly #places = new Map<string, Map<string, Map<number, HistoryRow>>>()

  /** Appends values of a later time. */
  add(region: string, edge: string, at: number, figures: RowFigures): void {
    const row = this.at(region, edge, at)
    addCounted(row, figures)
    addGauges(row, figures.gauges)
  }

  /** Adds values of the same time. */
  addBeside(region: string, edge: string, at: number, figures: RowFigures): void {
    const row = this.at(region, edge, at)
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

  /** The row of this interval. */
  at(region: string, edge: string, at: number): HistoryRow {
    let edges = this.#places.get(region)
    if (!edges) this.#places.set(region, (edges = new Map()))
    let rows = edges.get(edge)
    if (!rows) edges.set(edge, (rows = new Map()))
    let row = rows.get(at)
    if (!row) {
      row = { region, edge, at, counters: {}, gauges: {}, histograms: {} }
      rows.set(at, row)
      this.#rows.push(row)
    }
    return row
  }

  all(): HistoryRow[] {
    return this.#rows
  }
}

function addGauges(row: HistoryRow, gauges: Readonly<Record<string, Gauge>>): void {
  for (const [key, gauge] of Object.entries(gauges)) {
    const before = row.gauges[key]
    row.gauges[key] = before ? gaugeAfter(before, gauge) : gauge
  }
}

function addCounted(row: HistoryRow, { counters, histograms }: RowFigures): void {
  for (const key in counters) row.counters[key] = (row.counters[key] ?? 0) + counters[key]!
  for (const key in histograms) {
    const sums = (row.histograms[key] ??= { sum: 0, counts: {} })
    const { sum, counts } = histograms[key]!
    sums.sum += sum
    for (const bucket in counts) sums.counts[bucket] = (sums.counts[bucket] ?? 0) + counts[bucket]!
  }
}

const gaugeAfter = (before: Gauge, after: Gauge): Gauge => ({
  count: before.count + after.count,
  sum: before.sum + after.sum,
  last: after.last,
  max: Math.max(before.max, after.max),
  min: Math.min(before.min, after.min),
})
