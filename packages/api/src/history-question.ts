/** What the history page of the console asks of control. It is in the address, so that a link shows the same. */
import type { History } from './history.ts'

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
export const historyPresets = {
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
export const historyGroupings = [
  'fleet',
  'region',
  'edge',
  'upstream',
] as const satisfies readonly History['groupBy'][]
export const usualHistory: HistoryQuestion = {
  metrics: historyPresets.summary,
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

export function historyQuestionIn(search: URLSearchParams): HistoryQuestion {
  const text = (key: keyof HistoryQuestion) => search.get(key) ?? (usualHistory[key] as string)
  const asked = search.getAll('metric')
  return {
    // Twice the same would be drawn once. An empty one: none is selected.
    metrics: asked.length > 0 ? [...new Set(asked)].filter((metric) => metric !== '') : usualHistory.metrics,
    from: text('from'),
    to: text('to'),
    step: text('step'),
    groupBy: historyGroupings.find((group) => group === search.get('groupBy')) ?? usualHistory.groupBy,
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
