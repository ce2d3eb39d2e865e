/** The query of the history page. It is in the address, so that a link shows the same. */
import { edgeMetrics, type EdgeMetricName, type MetricRow } from '@imapfleet/observe'
import type { History } from '@imapfleet/api'

export interface HistoryQuestion {
  /** Such as `logins_total{result="ok"}:rate`. */
  metrics: readonly string[]
  /** Relative (`-6h`) or ISO. */
  from: string
  to: string
  /** Empty: chosen for the range. */
  step: string
  groupBy: History['groupBy']
  region: string
  edge: string
  upstream: string
}

export const groupings = [
  'fleet',
  'region',
  'edge',
  'upstream',
] as const satisfies readonly History['groupBy'][]
export const relativeRanges = ['1h', '6h', '24h', '7d', '30d'] as const

const usual: HistoryQuestion = {
  metrics: ['sessions_total:rate', 'login_seconds:p95'],
  from: '-6h',
  to: '',
  step: '',
  groupBy: 'region',
  region: '',
  edge: '',
  upstream: '',
}

export function questionIn(search: URLSearchParams): HistoryQuestion {
  const text = (key: keyof HistoryQuestion) => search.get(key) ?? (usual[key] as string)
  const asked = search.getAll('metric')
  return {
    metrics: asked.length > 0 ? asked : usual.metrics,
    from: text('from'),
    to: text('to'),
    step: text('step'),
    groupBy: groupings.find((group) => group === search.get('groupBy')) ?? usual.groupBy,
    region: text('region'),
    edge: text('edge'),
    upstream: text('upstream'),
  }
}

/** The address of a query. Default values are left out. */
export function addressOf(question: HistoryQuestion): string {
  const search = new URLSearchParams()
  const isUsual = question.metrics.join() === usual.metrics.join()
  if (!isUsual) for (const metric of question.metrics) search.append('metric', metric)
  for (const key of ['from', 'to', 'step', 'groupBy', 'region', 'edge', 'upstream'] as const)
    if (question[key] !== usual[key]) search.set(key, question[key])
  const text = search.toString()
  return `/history${text && '?'}${text}`
}

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

/** The name and function of a metric in the query, and its unit. */
export function describe(text: string): {
  name: string
  words: string
  unit: 'seconds' | 'bytes' | 'number'
} {
  const parts = partsOf(text)
  if (!parts) return { name: text, words: '', unit: 'number' }
  const { name, suffix } = parts
  const words = readingsOf(name).find((reading) => reading.suffix === suffix)?.words ?? ''
  const isTime = name.endsWith('_seconds') && suffix !== ':count'
  const unit = isTime ? 'seconds' : name.includes('bytes') ? 'bytes' : 'number'
  return { name: text.replace(/:\w+$/, ''), words, unit }
}
