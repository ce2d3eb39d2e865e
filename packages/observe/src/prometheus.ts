/** Prints metrics in the Prometheus text format 0.0.4, with the names and help texts of the table. */
import { bucketBound, type Histogram } from './histogram.ts'
import type { MetricRows } from './metrics.ts'
import type { MetricsSnapshot } from './registry.ts'
import { parseSeriesKey } from './series-key.ts'

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** The metrics of one process, and labels that identify it, such as `{ edge: 'eu-1', region: 'eu' }`. */
export interface PrometheusSource extends Partial<MetricsSnapshot> {
  labels?: Readonly<Record<string, string>>
}

/** Upper bounds on the page, in seconds. The finer buckets are summed into these. */
const shownBounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600,
]

/**
 * Prints the given rows for all sources, in table order. Metrics and labels that are not in the rows are left out: a source
 * may be an edge of a later version, or a faulty one.
 */
export function printPrometheus(rows: MetricRows, sources: readonly PrometheusSource[]): string {
  const linesOf = new Map(Object.keys(rows).map((name) => [name, [] as string[]]))
  // All edges have the same series, so each key is parsed only once.
  const parsed = new Map<string, Series>()
  const parse = (key: string): Series => {
    let series = parsed.get(key)
    if (!series) parsed.set(key, (series = seriesOf(rows, key)))
    return series
  }
  for (const { labels = {}, counters = {}, gauges = {}, histograms = {} } of sources) {
    const own = printLabels(labels)
    for (const values of [counters, gauges])
      for (const [key, value] of Object.entries(values)) {
        const series = parse(key)
        linesOf.get(series.name)?.push(`imapfleet_${series.name}${braced(own, series.labels)} ${value}`)
      }
    for (const [name, histogram] of Object.entries(histograms))
      linesOf.get(name)?.push(...histogramLines(`imapfleet_${name}`, own, histogram))
  }
  return Object.entries(rows)
    .flatMap(([name, { kind, help }]) => {
      const lines = linesOf.get(name)!
      const head = [`# HELP imapfleet_${name} ${help}`, `# TYPE imapfleet_${name} ${kind}`]
      return lines.length === 0 ? [] : [...head, ...lines]
    })
    .concat('')
    .join('\n')
}

interface Series {
  name: string
  /** As printed, without braces. */
  labels: string
}

/** Has only the labels of its row. Others could repeat a label of the source. */
function seriesOf(rows: MetricRows, key: string): Series {
  const { name, labels } = parseSeriesKey(key)
  const known = Object.hasOwn(rows, name) ? (rows[name]?.labels ?? []) : []
  return { name, labels: printLabels(Object.fromEntries(known.map((label) => [label, labels[label] ?? '']))) }
}

const printLabels = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([label, value]) => `${label}="${escapeValue(value)}"`)
    .join(',')

const escapeValue = (text: string): string => text.replace(/["\\]/g, '\\$&').replaceAll('\n', String.raw`\n`)

function braced(...parts: readonly string[]): string {
  const labels = parts.filter((part) => part !== '').join(',')
  return labels === '' ? '' : `{${labels}}`
}

function histogramLines(name: string, labels: string, { counts, sum }: Histogram): string[] {
  const buckets = Object.entries(counts).map(
    ([bucket, count]) => [bucketBound(Number(bucket)), count] as const,
  )
  const upTo = (bound: number) =>
    buckets.reduce((all, [edge, count]) => (edge <= bound ? all + count : all), 0)
  return [
    ...shownBounds.map((bound) => `${name}_bucket${braced(labels, `le="${bound}"`)} ${upTo(bound)}`),
    `${name}_bucket${braced(labels, 'le="+Inf"')} ${upTo(Infinity)}`,
    `${name}_sum${braced(labels)} ${sum}`,
    `${name}_count${braced(labels)} ${upTo(Infinity)}`,
  ]
}
