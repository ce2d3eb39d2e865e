/**
 * The metrics of one process, typed by the rows of the table. A counter is a plain object: hot code looks it up once and then
 * adds to its value.
 */
import type { Histogram } from './histogram.ts'
import type { controlMetrics, edgeMetrics, MetricRow, MetricRows } from './metrics.ts'
import { seriesKey } from './series-key.ts'
import { Timings } from './timings.ts'

/** Its value never decreases. */
export interface Counter {
  value: number
}

/** By series key. */
export interface MetricsSnapshot {
  counters: Record<string, number>
  gauges: Record<string, number>
  histograms: Record<string, Histogram>
}

type NameOf<R extends MetricRows, Kind extends MetricRow['kind']> = {
  [Name in keyof R]: R[Name]['kind'] extends Kind ? Name : never
}[keyof R] &
  string

type Labelled<Label extends string> = { readonly labels: readonly Label[] }
/** A value for each label of the row. */
type LabelValues<Label extends string = string> = Readonly<Record<Label, string>>

/** The same, with values of the closed lists of the row. */
type ListedValues<Row, Label extends string> = {
  readonly [L in Label]: Row extends { readonly values: { readonly [K in L]: readonly (infer Value)[] } }
    ? Value
    : string
}

type CounterOf<Row> =
  Row extends Labelled<infer Label> ? (labels: ListedValues<Row, Label>) => Counter : Counter
type ReadingOf<Row> =
  Row extends Labelled<infer Label>
    ? Iterable<readonly [labels: ListedValues<Row, Label>, value: number]>
    : number

export class Metrics<R extends MetricRows> {
  /** `counters.client_bytes_total.value += n`; with labels, `counters.sessions_total({ ending }).value++`. */
  readonly counters: { readonly [Name in NameOf<R, 'counter'>]: CounterOf<R[Name]> }
  readonly histograms: { readonly [Name in NameOf<R, 'histogram'>]: Timings }
  readonly #rows: R
  /** Every counter by its series key. */
  readonly #series = new Map<string, Readonly<Counter>>()
  readonly #gauges = new Map<string, () => number | Iterable<readonly [LabelValues, number]>>()

  constructor(rows: R) {
    this.#rows = rows
    const counters: Record<string, Counter | ((labels: LabelValues) => Counter)> = {}
    const histograms: Record<string, Timings> = {}
    for (const [name, { kind, labels }] of Object.entries(rows)) {
      if (kind === 'counter') counters[name] = labels ? this.#byLabels(name, labels) : this.#count(name)
      else if (kind === 'histogram') histograms[name] = new Timings()
    }
    this.counters = counters as typeof this.counters
    this.histograms = histograms as typeof this.histograms
  }

  /** Sets the function that each snapshot reads a gauge from. Without one, the gauge is not in the snapshot. */
  gauge<Name extends NameOf<R, 'gauge'>>(name: Name, read: () => ReadingOf<R[Name]>): void {
    this.#gauges.set(name, read)
  }

  /** For a counter that is kept elsewhere, for example by the kernel. Each snapshot reads it. */
  counterFrom<Name extends NameOf<R, 'counter'>>(
    name: R[Name] extends Labelled<string> ? never : Name,
    read: () => number,
  ): void {
    this.#series.set(name, {
      get value() {
        return read()
      },
    })
  }

  /** The sum of a counter over all values of its labels. */
  total(name: NameOf<R, 'counter'>): number {
    let total = 0
    for (const [key, { value }] of this.#series)
      if (key === name || key.startsWith(`${name}{`)) total += value
    return total
  }

  snapshot(): MetricsSnapshot {
    const gauges: Record<string, number> = {}
    for (const [name, read] of this.#gauges) {
      const reading = read()
      if (typeof reading === 'number') gauges[name] = reading
      else for (const [labels, value] of reading) gauges[this.#keyOf(name, labels)] = value
    }
    return {
      counters: Object.fromEntries([...this.#series].map(([key, { value }]) => [key, value])),
      gauges,
      histograms: Object.fromEntries(
        Object.entries<Timings>(this.histograms).map(([name, timings]) => [name, timings.snapshot()]),
      ),
    }
  }

  #count(key: string): Counter {
    const counter = new Count()
    this.#series.set(key, counter)
    return counter
  }

  /** Finds the counter through one map per label, so that a lookup builds no string. */
  #byLabels(name: string, labels: readonly string[]): (values: LabelValues) => Counter {
    const root = new Branch()
    return (values) => {
      let branch = root
      for (const label of labels) branch = branch.at(values[label]!)
      return (branch.counter ??= this.#count(this.#keyOf(name, values)))
    }
  }

  #keyOf(name: string, values: LabelValues): string {
    const labels = this.#rows[name]?.labels ?? []
    return seriesKey(name, Object.fromEntries(labels.map((label) => [label, values[label]!])))
  }
}

export type EdgeMetrics = Metrics<typeof edgeMetrics>
export type ControlMetrics = Metrics<typeof controlMetrics>

/**
 * A class, so that V8 can store `value` as an unboxed double and add to it in place. An object literal `{ value }` has the same
 * shape as the results of iterators, and each addition beyond 2^31 would allocate a number.
 */
class Count implements Counter {
  value = 0
}

/** A node of the tree of label values. Its path from the root is the values of the first labels. */
class Branch {
  counter: Counter | undefined
  readonly #next = new Map<string, Branch>()

  at(value: string): Branch {
    let branch = this.#next.get(value)
    if (!branch) this.#next.set(value, (branch = new Branch()))
    return branch
  }
}
