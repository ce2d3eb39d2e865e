/** Prints metrics in the Prometheus text format 0.0.4, with the names and help texts of the table. */
import { bucketBound, type Histogram } from './histogram.ts'
import type { MetricRow, MetricRows } from './metrics.ts'
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
 * Prints the given rows for all sources, in table order. It trusts no source: metrics and labels that are not in the rows,
 * values that are no numbers, and a second value of the same series are left out.
 */
export function printPrometheus(rows: MetricRows, sources: readonly PrometheusSource[]): string {
  const linesOf = new Map(Object.keys(rows).map((name) => [name, [] as string[]]))
  // All edges have the same series, so each key is parsed only once.
  const parsed = new Map<string, Series | undefined>()
  const parse = (key: string): Series | undefined => {
    if (!parsed.has(key)) parsed.set(key, seriesOf(rows, key))
    return parsed.get(key)
  }
  for (const { labels = {}, counters = {}, gauges = {}, histograms = {} } of sources) {
    const own = printLabels(labels)
    const printed = new Set<string>()
    for (const [kind, values] of [
      ['counter', counters],
      ['gauge', gauges],
    ] as const)
      for (const [key, value] of Object.entries(values)) {
        const series = parse(key)
        if (series?.kind !== kind || typeof value !== 'number') continue
        const id = `${series.name}${braced(own, series.labels)}`
        if (printed.has(id)) continue
        printed.add(id)
        linesOf.get(series.name)?.push(`imapfleet_${id} ${value}`)
      }
    for (const [name, histogram] of Object.entries(histograms))
      if (Object.hasOwn(rows, name) && rows[name]?.kind === 'histogram' && isNumeric(histogram))
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
  kind: MetricRow['kind']
  /** As printed, without braces. */
  labels: string
}

/** Has only the labels of its row. Others could repeat a label of the source. */
function seriesOf(rows: MetricRows, key: string): Series | undefined {
  const { name, labels } = parseSeriesKey(key)
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined
  if (!row) return undefined
  const known = Object.fromEntries((row.labels ?? []).map((label) => [label, labels[label] ?? '']))
  return { name, kind: row.kind, labels: printLabels(known) }
}

const isNumeric = ({ sum, counts }: Histogram): boolean =>
  [sum, ...Object.values(counts)].every((value) => typeof value === 'number')

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

const printLabels = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .filter(([label]) => labelName.test(label))
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
