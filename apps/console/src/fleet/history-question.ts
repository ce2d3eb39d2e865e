/** The query of the history page: what it can be, its address, and its metrics in words. */
import { historyPresets, usualHistory, type EdgeView, type HistoryQuestion } from '@imapfleet/api'
import {
  edgeMetrics,
  parseMetricQuery,
  seriesKey,
  type EdgeMetricName,
  type MetricRow,
  type ParsedSeries,
} from '@imapfleet/observe'
import { readingTitle } from './metric-titles.ts'

type Preset = keyof typeof historyPresets
export const presetNames = Object.keys(historyPresets) as Preset[]

/** Undefined: other metrics were chosen. */
export const presetOf = (metrics: readonly string[]): Preset | undefined =>
  presetNames.find((name) => historyPresets[name].join() === metrics.join())

export const relativeRanges = ['1h', '6h', '24h', '7d', '30d'] as const

/** All parts that are text. */
const texts = [
  'from',
  'to',
  'step',
  'groupBy',
  'region',
  'edge',
  'upstream',
  'compare',
  'stacked',
] as const satisfies readonly (keyof HistoryQuestion)[]

/** The address of a query. Default values are left out. */
export function addressOf(question: HistoryQuestion): string {
  const search = new URLSearchParams()
  const isUsual = question.metrics.join() === usualHistory.metrics.join()
  const isNone = question.metrics.length === 0
  if (!isUsual) for (const metric of isNone ? [''] : question.metrics) search.append('metric', metric)
  for (const key of texts) if (question[key] !== usualHistory[key]) search.set(key, question[key])
  const text = search.toString()
  return `/history${text && '?'}${text}`
}

/** The page of the history for this time range. */
export function historyAddress(fromMs: number, toMs: number, more: Partial<HistoryQuestion>): string {
  return addressOf({ ...usualHistory, ...absolute(fromMs, toMs), ...more })
}

/** An absolute time range, of at least ten seconds. */
export function absolute(fromMs: number, toMs: number): Pick<HistoryQuestion, 'from' | 'to' | 'step'> {
  const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`
  return { from: iso(fromMs), to: iso(Math.max(toMs, fromMs + 10_000)), step: '' }
}

/** Whether the time range is one of two fixed times. */
export const isAbsolute = ({ from, to }: HistoryQuestion): boolean =>
  !Number.isNaN(Date.parse(from)) && !Number.isNaN(Date.parse(to))

/** The functions that a metric offers, the usual one first. */
export function readingsOf(name: EdgeMetricName): { suffix: string; words: string }[] {
  const { kind }: MetricRow = edgeMetrics[name]
  if (kind === 'counter')
    return [
      { suffix: ':rate', words: 'per second' },
      { suffix: '', words: 'in each step' },
    ]
  if (kind === 'gauge')
    return [
      { suffix: '', words: 'average' },
      { suffix: ':max', words: 'highest' },
      { suffix: ':min', words: 'lowest' },
      { suffix: ':last', words: 'last' },
    ]
  return [
    { suffix: ':p95', words: 'p95' },
    { suffix: ':p50', words: 'median' },
    { suffix: ':p99', words: 'p99' },
    { suffix: ':avg', words: 'average' },
    { suffix: ':count', words: 'count' },
  ]
}

/** `labels`: the values to which the metric is limited. Of a label that occurs twice, the last one counts. */
interface MetricParts {
  name: EdgeMetricName
  labels: ParsedSeries['labels']
  suffix: string
}

/** A metric of the query in its parts; undefined if the API cannot read it. Labels that the metric does not have are included. */
export function partsOf(text: string): MetricParts | undefined {
  const { name = '', labels = [], suffix = '' } = parseMetricQuery(text) ?? {}
  if (!Object.hasOwn(edgeMetrics, name)) return undefined
  const limits: Record<string, string> = {}
  for (const { label, value } of labels) {
    if (value === undefined) return undefined
    limits[label] = value
  }
  return { name: name as EdgeMetricName, labels: limits, suffix }
}

/** Whether the API can read the value of a label. */
export const isLabelValue = (value: string): boolean => !/[{},"\\]/.test(value)

/** The names of their mail servers, sorted. */
export const upstreamsOf = (edges: readonly EdgeView[]): string[] =>
  [...new Set(edges.flatMap(({ upstreams = [] }) => upstreams.map(({ name }) => name)))].sort()

/** The metric limited to the series with this value of the label; empty: all values. */
export function withLabel(text: string, label: string, value: string): string {
  const parts = partsOf(text)
  if (!parts) return text
  const { [label]: _, ...others } = parts.labels
  return `${seriesKey(parts.name, value === '' ? others : { ...others, [label]: value })}${parts.suffix}`
}

/**
 * The labels of a metric, and those it is limited to, with the values to choose from; undefined: they are not known.
 * `upstreams`: names of the mail servers of the fleet.
 */
export function labelChoices(
  { name, labels: limits }: Pick<MetricParts, 'name' | 'labels'>,
  upstreams: readonly string[],
): { label: string; values: readonly string[] | undefined }[] {
  const { labels = [], values = {} }: MetricRow = edgeMetrics[name]
  // A label that the metric does not have can only be removed.
  const foreign = Object.keys(limits).filter((label) => !labels.includes(label))
  return [
    ...labels.map((label) => ({ label, values: label === 'upstream' ? upstreams : values[label] })),
    ...foreign.map((label) => ({ label, values: [] })),
  ]
}

/** A sentence for each label value that no edge reports. */
export const unknownValues = (metrics: readonly string[]): string[] =>
  metrics.flatMap((text) => {
    const parts = partsOf(text)
    if (!parts) return []
    const { values = {} }: MetricRow = edgeMetrics[parts.name]
    return Object.entries(parts.labels).flatMap(([label, value]) => {
      const known = values[label]
      return known === undefined || known.includes(value)
        ? []
        : [`${parts.name} has no ${label} ${value}; it has ${known.join(', ')}.`]
    })
  })

/** A range twice as long with the same centre, but not beyond now. */
export function zoomedOut(fromMs: number, toMs: number, nowMs: number): [fromMs: number, toMs: number] {
  const half = Math.max(toMs - fromMs, 1_000) / 2
  return [fromMs - half, Math.min(toMs + half, Math.max(nowMs, toMs))]
}

/** A metric of the query in words, and its unit. `canStack`: the values of groups add up. */
export function describe(text: string): {
  title: string
  unit: 'seconds' | 'bytes' | 'number'
  canStack: boolean
} {
  const parts = partsOf(text)
  if (!parts) return { title: text, unit: 'number', canStack: false }
  const { name, labels, suffix } = parts
  const { kind }: MetricRow = edgeMetrics[name]
  const isTime = name.endsWith('_seconds') && suffix !== ':count'
  const adds = { counter: true, gauge: suffix === '' || suffix === ':last', histogram: suffix === ':count' }
  return {
    title: readingTitle(name, labels, suffix),
    unit: isTime ? 'seconds' : name.includes('bytes') ? 'bytes' : 'number',
    canStack: adds[kind],
  }
}
