/**
 * Mergeable histograms: counts in buckets whose bounds grow by the factor 2^(1/8), so that percentiles of a sum of histograms
 * are accurate to 9 %.
 */

const perOctave = 8
/** 1 µs to about 4.6 hours. */
export const bucketCount = 34 * perOctave

/** Bucket of a duration in microseconds. */
export function bucketOf(microseconds: number): number {
  if (!(microseconds > 1)) return 0
  return Math.min(bucketCount - 1, Math.ceil(Math.log2(microseconds) * perOctave))
}

/** Upper bound of a bucket, in seconds. */
export function bucketBound(bucket: number): number {
  return 2 ** (bucket / perOctave) / 1e6
}

/** The form that is sent. Cumulative. Buckets without values are left out. */
export interface Histogram {
  /** In seconds. */
  sum: number
  /** Bucket number → number of values. */
  counts: Record<string, number>
}

/** In seconds: the upper bound of the bucket that contains the percentile. `share` is 0 to 1. Null for an empty histogram. */
export function percentile(counts: Readonly<Record<string, number>>, share: number): number | null {
  const buckets = Object.entries(counts)
    .map(([bucket, count]) => [Number(bucket), count] as const)
    .sort(([a], [b]) => a - b)
  const total = buckets.reduce((sum, [, count]) => sum + count, 0)
  let seen = 0
  for (const [bucket, count] of buckets) {
    seen += count
    if (count > 0 && seen >= share * total) return bucketBound(bucket)
  }
  return null
}
