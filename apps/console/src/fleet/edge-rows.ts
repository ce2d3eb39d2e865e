/** The rows of the table of edges: figures of each edge, and the values for filters and sorting. */
import { isHeard, type EdgeView, type History } from '@imapfleet/api'
import { compareNames } from './compare-names.ts'
import { findingsOfEdge, type Finding, type FindingKind } from './findings.ts'

/** Of the last minutes; null: not reported. Rates are per second. */
export interface EdgeFigures {
  sessions: number | null
  /** A share of 1. */
  reuse: number | null
  failed: number | null
  refused: number | null
  /** Seconds within which 95 of 100 logins were answered. */
  login: number | null
}

export interface TableEdge {
  edge: EdgeView
  findings: readonly Finding[]
  /** Undefined while they are loading. */
  figures: EdgeFigures | undefined
}

/** One value for each edge over the whole time, so one step is enough. */
export const figureWindow = { from: '-5m', step: '60s', words: '5 minutes' } as const

export const edgeFigureMetrics = [
  'sessions_total:rate',
  'logins_total{result="ok"}',
  'upstream_reuses_total',
  'logins_total{result="failed"}:rate',
  'logins_total{result="refused"}:rate',
  'login_seconds:p95',
]

const noFigures: EdgeFigures = { sessions: null, reuse: null, failed: null, refused: null, login: null }

/** By edge, from a history of `edgeFigureMetrics`. */
export function figuresOf({ groups }: History): Map<string, EdgeFigures> {
  return new Map(
    groups.map(({ group, totals }) => {
      const [sessions = null, logins = null, reuses = null, failed = null, refused = null, login = null] =
        totals
      const reuse = logins === null || logins === 0 || reuses === null ? null : reuses / logins
      return [group, { sessions, reuse, failed, refused, login }]
    }),
  )
}

export function edgeRowsOf(
  edges: readonly EdgeView[],
  figures: ReadonlyMap<string, EdgeFigures> | undefined,
  now: Date,
): TableEdge[] {
  return edges.map((edge) => ({
    edge,
    findings: findingsOfEdge(edge, now),
    figures: figures && (figures.get(edge.id) ?? noFigures),
  }))
}

/** Share of the limit on server connections that is in use or idle; null: unknown. */
export function fillOf(edge: EdgeView): number | null {
  if (!isHeard(edge) || !edge.limits || edge.limits.connections === 0) return null
  return (edge.connections.active + edge.connections.cached) / edge.limits.connections
}

/** Nearly all server connections are in use. Idle ones are evicted when others are needed, so they do not count. */
export const isNearLimit = ({ connections, limits }: EdgeView): boolean =>
  limits !== undefined && limits.connections > 0 && connections.active >= 0.9 * limits.connections

export interface EdgeFilter {
  /** Part of the name, the region, the version or a listener, without regard to case; all words must occur. */
  text: string
  state: string
  region: string
  /** `any`: edges with a problem. */
  problem: FindingKind | 'any' | ''
}

export function matchingRows(
  rows: readonly TableEdge[],
  { text, state, region, problem }: EdgeFilter,
): TableEdge[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return rows.filter(({ edge, findings }) => {
    if (state !== '' && edge.state !== state) return false
    if (region !== '' && edge.region !== region) return false
    if (problem === 'any' && findings.length === 0) return false
    if (problem !== '' && problem !== 'any' && !findings.some(({ kind }) => kind === problem)) return false
    const said = [
      edge.id,
      edge.region,
      edge.version,
      ...edge.listeners,
      ...findings.map(({ text: each }) => each),
    ]
    const searched = said.join(' ').toLowerCase()
    return words.every((word) => searched.includes(word))
  })
}

export const sortKeys = [
  'problems',
  'edge',
  'region',
  'state',
  'sessions',
  'reuse',
  'failed',
  'refused',
  'login',
  'clients',
  'connections',
  'revision',
  'heard',
] as const
export type SortKey = (typeof sortKeys)[number]

export interface SortOrder {
  key: SortKey
  isDescending: boolean
}

/** The first click on a column: names from the start of the alphabet, figures from the highest. */
export const firstOrder = (key: SortKey): SortOrder => ({
  key,
  isDescending: !['problems', 'edge', 'region', 'state', 'reuse', 'revision', 'heard'].includes(key),
})

/** Edges without a value come last in both directions. */
export function sortedRows(rows: readonly TableEdge[], { key, isDescending }: SortOrder): TableEdge[] {
  const valued = rows.map((row) => ({ row, value: valueOf(row, key) }))
  const sign = isDescending ? -1 : 1
  return valued
    .toSorted((one, other) => {
      if (one.value === null || other.value === null)
        return one.value === other.value ? byName(one.row, other.row) : one.value === null ? 1 : -1
      return sign * compare(one.value, other.value) || byName(one.row, other.row)
    })
    .map(({ row }) => row)
}

/** 0: something is wrong, 1: something is worth knowing, 2: nothing. */
export const rankOf = ({ findings }: Pick<TableEdge, 'findings'>): 0 | 1 | 2 => {
  if (findings.some(({ tone }) => tone === 'bad')) return 0
  return findings.length > 0 ? 1 : 2
}

const states: readonly EdgeView['state'][] = ['silent', 'incompatible', 'stopping', 'draining', 'serving']

function valueOf(row: TableEdge, key: SortKey): number | string | null {
  const { edge, figures } = row
  switch (key) {
    case 'problems':
      return rankOf(row)
    case 'edge':
      return edge.id
    case 'region':
      return edge.region
    case 'state':
      return states.indexOf(edge.state)
    case 'clients':
      return isHeard(edge) ? edge.connections.clients : null
    case 'connections':
      return fillOf(edge) ?? (isHeard(edge) ? 0 : null)
    case 'revision':
      return edge.config.applied
    case 'heard':
      return Date.parse(edge.lastSeenAt)
    default:
      return figures?.[key] ?? null
  }
}

const compare = (one: number | string, other: number | string): number =>
  typeof one === 'number' && typeof other === 'number'
    ? one - other
    : compareNames(String(one), String(other))
const byName = (one: TableEdge, other: TableEdge): number =>
  compareNames(one.edge.region, other.edge.region) || compareNames(one.edge.id, other.edge.id)
