/** The query of the history page. It is in the address, so that a link shows the same. */
import { edgeMetrics, type EdgeMetricName, type MetricRow } from '@imapfleet/observe'
import type { History } from '@imapfleet/api'
import { readingTitle } from './metric-titles.ts'

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
  /** `1`: also the period before. */
  compare: string
  /** `1`: groups are drawn on top of each other. */
  stacked: string
}

/** The default selection. */
export const presets = {
  summary: [
    'sessions_total:rate',
    'login_seconds:p95',
    'logins_total{result="failed"}:rate',
    'clients_connected',
  ],
  traffic: [
    'sessions_total:rate',
    'logins_total:rate',
    'client_bytes_total:rate',
    'upstream_bytes_total:rate',
  ],
  latency: ['login_seconds:p95', 'login_seconds:p50', 'upstream_dial_seconds:p95', 'lease_wait_seconds:p95'],
  errors: [
    'logins_total{result="failed"}:rate',
    'logins_total{result="refused"}:rate',
    'upstream_failures_total:rate',
    'client_refusals_total:rate',
  ],
  capacity: ['clients_connected', 'upstreams_leased', 'upstreams_idle', 'leases_waiting', 'memory_rss_bytes'],
  reuse: [
    'upstream_reuses_total:rate',
    'upstream_connections_total:rate',
    'reuse_refused_total:rate',
    'round_trips_saved_total:rate',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>
type Preset = keyof typeof presets
export const presetNames = Object.keys(presets) as Preset[]

/** Undefined: other metrics were chosen. */
export const presetOf = (metrics: readonly string[]): Preset | undefined =>
  presetNames.find((name) => presets[name].join() === metrics.join())

export const groupings = [
  'fleet',
  'region',
  'edge',
  'upstream',
] as const satisfies readonly History['groupBy'][]
export const relativeRanges = ['1h', '6h', '24h', '7d', '30d'] as const

const usual: HistoryQuestion = {
  metrics: presets.summary,
  from: '-6h',
  to: '',
  step: '',
  groupBy: 'region',
  region: '',
  edge: '',
  upstream: '',
  compare: '',
  stacked: '',
}

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

export function questionIn(search: URLSearchParams): HistoryQuestion {
  const text = (key: keyof HistoryQuestion) => search.get(key) ?? (usual[key] as string)
  const asked = search.getAll('metric')
  return {
    // Twice the same would be drawn once. An empty one: none is selected.
    metrics: asked.length > 0 ? [...new Set(asked)].filter((metric) => metric !== '') : usual.metrics,
    from: text('from'),
    to: text('to'),
    step: text('step'),
    groupBy: groupings.find((group) => group === search.get('groupBy')) ?? usual.groupBy,
    region: text('region'),
    edge: text('edge'),
    upstream: text('upstream'),
    compare: text('compare') === '' ? '' : '1',
    stacked: text('stacked') === '' ? '' : '1',
  }
}

/** For control. */
export const queryOf = ({ metrics, from, to, step, groupBy, region, edge, upstream }: HistoryQuestion) => ({
  ...{ metrics: metrics.join(','), from, groupBy },
  ...(to && { to }),
  ...(step && { step }),
  ...(region && { region }),
  ...(edge && { edge }),
  ...(upstream && { upstream }),
})

/** The address of control's answer. */
export const historyRequest = (
  question: HistoryQuestion,
  more: Readonly<Record<string, string>> = {},
): string => `/v1/stats/history?${new URLSearchParams({ ...queryOf(question), ...more }).toString()}`

/**
 * The same without the last minutes, which control answers sooner: it has to compute them from the reports of all edges.
 * Undefined: there is little else.
 */
export function firstPartOf(question: HistoryQuestion): HistoryQuestion | undefined {
  const isLong = /^-\d+[hdw]$/.test(question.from)
  return isLong && question.to === '' && question.metrics.length > 0
    ? { ...question, to: 'rolled-up' }
    : undefined
}

/** The address of a query. Default values are left out. */
export function addressOf(question: HistoryQuestion): string {
  const search = new URLSearchParams()
  const isUsual = question.metrics.join() === usual.metrics.join()
  const isNone = question.metrics.length === 0
  if (!isUsual) for (const metric of isNone ? [''] : question.metrics) search.append('metric', metric)
  for (const key of texts) if (question[key] !== usual[key]) search.set(key, question[key])
  const text = search.toString()
  return `/history${text && '?'}${text}`
}

/** The page of the history for this time range. */
export function historyAddress(fromMs: number, toMs: number, more: Partial<HistoryQuestion>): string {
  return addressOf({ ...usual, ...absolute(fromMs, toMs), ...more })
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
