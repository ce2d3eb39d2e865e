/**
 * Running totals in plain numbers. A counter is looked up once and kept by whoever counts, so that counting is an
 * addition; gauges are read from the live sets when somebody asks.
 */
import { bucketCount, bucketOf, seriesKey, type Histogram, type MetricName } from '@imapfleet/protocol'

/** A cumulative value; whoever holds it adds to it. */
export interface Counter {
  value: number
}

/** Durations, in buckets that can be merged over edges. */
export class Timings {
  readonly #counts = new Float64Array(bucketCount)
  #sumMs = 0

  observe(milliseconds: number): void {
    this.#counts[bucketOf(milliseconds * 1000)]!++
    this.#sumMs += milliseconds
  }

  /** How long this took, if it came to a good end. */
  async measure<T>(work: T | Promise<T>): Promise<T> {
    const begun = performance.now()
    const result = await work
    this.observe(performance.now() - begun)
    return result
  }

  snapshot(): Histogram {
    const counts: Record<string, number> = {}
    for (const [bucket, count] of this.#counts.entries()) if (count > 0) counts[bucket] = count
    return { sum: this.#sumMs / 1000, counts }
  }
}

export interface Snapshot {
  counters: Record<string, number>
  gauges: Record<string, number>
  histograms: Record<string, Histogram>
}

export class Counters {
  readonly #counters = new Map<string, Counter>()
  readonly #timings = new Map<string, Timings>()
  readonly #gauges: (() => Record<string, number>)[] = []

  counter(name: MetricName, labels?: Record<string, string>): Counter {
    const key = seriesKey(name, labels)
    let counter = this.#counters.get(key)
    if (!counter) this.#counters.set(key, (counter = { value: 0 }))
    return counter
  }

  timings(name: MetricName): Timings {
    let timings = this.#timings.get(name)
    if (!timings) this.#timings.set(name, (timings = new Timings()))
    return timings
  }

  /** Adds a source of gauges (or of counters that the system keeps), asked at each snapshot. */
  gauges(read: () => Record<string, number>): void {
    this.#gauges.push(read)
  }

  snapshot(): Snapshot {
    const gauges = Object.assign(
      { memory_rss_bytes: process.memoryUsage.rss() },
      ...this.#gauges.map((read) => read()),
    )
    const counters = Object.fromEntries([...this.#counters].map(([key, counter]) => [key, counter.value]))
    const cpu = process.cpuUsage()
    counters['cpu_seconds_total'] = (cpu.user + cpu.system) / 1e6
    const histograms = Object.fromEntries(
      [...this.#timings].map(([name, timings]) => [name, timings.snapshot()]),
    )
    return { counters, gauges: gauges as Record<string, number>, histograms }
  }
}
