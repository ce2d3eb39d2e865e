/** The figures of edges as Prometheus reads them: text format 0.0.4, named and explained by the table of metrics. */
import { bucketBound, type Histogram } from './histogram.ts'
import { metrics, parseSeriesKey, type MetricRow } from './metrics.ts'

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** One edge's figures by series key, and what tells them from those of others, such as `edge="eu-1",region="eu"`. */
export interface Figures {
  labels: string
  values: Readonly<Record<string, number>>
  histograms: Readonly<Record<string, Histogram>>
}

/** Bounds shown, in seconds: the fine buckets are summed into these. */
const shownBounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600,
]

/** Every metric of the table that any of them has, each under its name once. Others are left out. */
export function printPrometheus(sources: readonly Figures[]): string {
  const lines = new Map<string, string[]>()
  const known = (name: string): name is keyof typeof metrics => Object.hasOwn(metrics, name)
  const linesOf = (name: string): string[] => {
    const present = lines.get(name)
    if (present) return present
    const begun: string[] = []
    lines.set(name, begun)
    return begun
  }
  for (const { labels, values, histograms } of sources) {
    for (const [key, value] of Object.entries(values)) {
      const open = key.indexOf('{')
      const name = open < 0 ? key : parseSeriesKey(key).name
      if (known(name)) linesOf(name).push(`imapfleet_${name}${labelled(labels, key, open)} ${value}`)
    }
    for (const [name, histogram] of Object.entries(histograms))
      if (known(name)) linesOf(name).push(...histogramLines(`imapfleet_${name}`, labels, histogram))
  }
  return Object.entries(metrics as Record<string, MetricRow>)
    .flatMap(([name, row]) => {
      const own = lines.get(name)
      return own ? [...headOf(`imapfleet_${name}`, row.kind, row.help), ...own] : []
    })
    .concat('')
    .join('\n')
}

/** What goes before the lines of a metric. */
export const headOf = (name: string, kind: MetricRow['kind'], help: string): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${kind}`,
]

/** A label's value, escaped as the format wants it. */
export const labelValue = (text: string): string =>
  text.replace(/["\\]/g, '\\$&').replaceAll('\n', String.raw`\n`)

function labelled(labels: string, key: string, open: number): string {
  const own = open < 0 ? '' : key.slice(open + 1, -1)
  const both = [labels, own].filter((part) => part !== '').join(',')
  return both === '' ? '' : `{${both}}`
}

function histogramLines(name: string, labels: string, { counts, sum }: Histogram): string[] {
  const buckets = Object.entries(counts).map(
    ([bucket, count]) => [bucketBound(Number(bucket)), count] as const,
  )
  const upTo = (bound: number) =>
    buckets.reduce((all, [edge, count]) => (edge <= bound ? all + count : all), 0)
  const lead = labels === '' ? '' : `${labels},`
  const tail = labels === '' ? '' : `{${labels}}`
  return [
    ...shownBounds.map((bound) => `${name}_bucket{${lead}le="${bound}"} ${upTo(bound)}`),
    `${name}_bucket{${lead}le="+Inf"} ${upTo(Infinity)}`,
    `${name}_sum${tail} ${sum}`,
    `${name}_count${tail} ${upTo(Infinity)}`,
  ]
}
