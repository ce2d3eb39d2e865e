/** Counts durations in the buckets of histogram.ts. */
import { bucketCount, bucketOf, type Histogram } from './histogram.ts'

export class Timings {
  readonly #counts = new Float64Array(bucketCount)
  #sumMs = 0

  /** Durations must come from performance.now(): with a coarse clock, short ones would count as 0. */
  observe(milliseconds: number): void {
    this.#counts[bucketOf(milliseconds * 1000)]!++
    this.#sumMs += milliseconds
  }

  /** Observes how long the work takes, unless it throws. */
  async measure<T>(work: T | Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const result = await work
    this.observe(performance.now() - startedAt)
    return result
  }

  snapshot(): Histogram {
    const counts: Record<string, number> = {}
    for (const [bucket, count] of this.#counts.entries()) if (count > 0) counts[bucket] = count
    return { sum: this.#sumMs / 1000, counts }
  }
}
