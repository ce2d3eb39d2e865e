/** Sums over the series of an edge. */
import { parseSeriesKey, percentile, type Histogram, type EdgeMetricName } from '@imapfleet/observe'

type Series = Readonly<Record<string, number>>

/** The sum of all series of this metric whose labels include `labels`; 0 if there are none. */
export function sumOf(
  series: Series,
  name: EdgeMetricName,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels)
  return Object.entries(series).reduce((sum, [key, value]) => {
    const found = parseSeriesKey(key)
    const fits = found.name === name && wanted.every(([label, text]) => found.labels[label] === text)
    return fits ? sum + value : sum
  }, 0)
}

/** The sum for each value of one label, highest first. */
export function byLabel(series: Series, name: EdgeMetricName, label: string): [string, number][] {
  const sums = new Map<string, number>()
  for (const [key, value] of Object.entries(series)) {
    const found = parseSeriesKey(key)
    const text = found.labels[label]
    if (found.name === name && text !== undefined) sums.set(text, (sums.get(text) ?? 0) + value)
  }
  return [...sums].sort(([, one], [, other]) => other - one)
}

/** Seconds; null without any measurement. */
export function percentileOf(
  histograms: Readonly<Record<string, Histogram>>,
  name: EdgeMetricName,
  share: number,
): number | null {
  const histogram = histograms[name]
  return histogram === undefined ? null : percentile(histogram.counts, share)
}
