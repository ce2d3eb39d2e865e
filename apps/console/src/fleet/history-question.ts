/** The query of the history page: what it can be, its address, and its metrics in words. */
import { historyPresets, usualHistory, type HistoryQuestion } from '@imapfleet/api'
import { edgeMetrics, type EdgeMetricName, type MetricRow } from '@imapfleet/observe'
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

/** `logins_total{result="ok"}:rate` in its parts; undefined if it is not a metric. */
export function partsOf(text: string): { name: EdgeMetricName; labels: string; suffix: string } | undefined {
  const [, name = '', labels = '', suffix = ''] = /^([a-z_]+)(?:\{([^}]*)\})?(:\w+)?$/.exec(text) ?? []
  return Object.hasOwn(edgeMetrics, name) ? { name: name as EdgeMetricName, labels, suffix } : undefined
}

/** The metric with these label values only; empty: all series. */
export function withLabels(text: string, labels: string): string {
  const parts = partsOf(text)
  if (!parts) return text
  const chosen = labels.replaceAll(/[{}]/g, '').trim()
  return `${parts.name}${chosen === '' ? '' : `{${chosen}}`}${parts.suffix}`
}

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
