/**
 * Mergeable histograms: counts in buckets whose bounds grow by 2^(1/8), so that a percentile of any sum of them is
 * known within 9 %.
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

/** As sent: bucket number → count of the buckets that hold something, and the sum in seconds. Cumulative like any counter. */
export interface Histogram {
  sum: number
  counts: Record<string, number>
}

/** Upper bound in seconds of the bucket that holds this share (0 to 1) of all values; null for an empty histogram. */
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
