/**
 * Parses the metrics of a history request: `logins_total`, `logins_total{result="ok"}`, `logins_total:rate`,
 * `upstreams_idle:max`, `login_seconds:p95`. The suffix says how values become one value for each step.
 */
import {
  edgeMetrics,
  parseMetricQuery,
  parseSeriesKey,
  type EdgeMetricName,
  type MetricQuery,
  type MetricRow,
} from '@imapfleet/observe'
import { ServiceError } from '../../platform/errors.ts'

/**
 * Counter: the increase within the step, or the increase per second. Gauge: a function of the values within the step.
 * Histogram: of all values within the step.
 */
type Reading =
  | { of: 'counter'; take: 'increase' | 'rate' }
  | { of: 'gauge'; take: 'average' | 'last' | 'max' | 'min' }
  | { of: 'histogram'; take: 'count' | 'sum' | 'average' }
  | { of: 'histogram'; take: 'percentile'; share: number }

export interface Expression {
  /** The text of the request. */
  text: string
  name: EdgeMetricName
  /** Only series with these label values. Undefined: all series of the metric. */
  labels: Readonly<Record<string, string>>
  reading: Reading
}

const expressionsMax = 50

/** Parses a list separated by commas. Commas within braces belong to labels. A metric that is named twice is one. */
export function parseExpressions(text: string): Expression[] {
  const named = (text.match(/(?:[^,{]|\{[^}]*\}?)+/g) ?? []).map((part) => part.trim())
  const parts = [...new Set(named)].filter(Boolean)
  if (parts.length === 0)
    throw new ServiceError('metric_unknown', 'Name at least one metric: metrics=logins_total')
  if (parts.length > expressionsMax)
    throw new ServiceError('metric_unknown', `Name at most ${expressionsMax} metrics, not ${parts.length}.`)
  return parts.map(parseExpression)
}

function parseExpression(text: string): Expression {
  const { name = '', labels = [], suffix = '' } = parseMetricQuery(text) ?? {}
  if (!Object.hasOwn(edgeMetrics, name)) throw new ServiceError('metric_unknown', unknownName(text))
  const row: MetricRow = edgeMetrics[name as EdgeMetricName]
  return {
    text,
    name: name as EdgeMetricName,
    labels: knownLabels(text, row, labels),
    reading: parseSuffix(text, row, suffix.slice(1)),
  }
}

function knownLabels(text: string, row: MetricRow, labels: MetricQuery['labels']): Record<string, string> {
  const wanted: Record<string, string> = {}
  for (const { label, value } of labels) {
    if (value === undefined || !row.labels?.includes(label))
      throw new ServiceError(
        'metric_unknown',
        `${text} has no label ${label}; it has ${row.labels?.join(', ') ?? 'none'}.`,
      )
    wanted[label] = value
  }
  return wanted
}

function parseSuffix(text: string, row: MetricRow, suffix: string): Reading {
  const known = suffixesOf(row.kind, suffix)
  if (known) return known
  const choices = {
    counter: 'use its name alone or add :rate',
    gauge: 'add :avg, :last, :max or :min',
    histogram: 'add :p50, :p95, :p99, :avg, :sum or :count',
  }
  throw new ServiceError('metric_unknown', `${text} is a ${row.kind}: ${choices[row.kind]}.`)
}

function suffixesOf(kind: MetricRow['kind'], suffix: string): Reading | undefined {
  if (kind === 'counter') {
    if (suffix === '') return { of: 'counter', take: 'increase' }
    return suffix === 'rate' ? { of: 'counter', take: 'rate' } : undefined
  }
  if (kind === 'gauge') {
    if (suffix === '' || suffix === 'avg') return { of: 'gauge', take: 'average' }
    return suffix === 'last' || suffix === 'max' || suffix === 'min'
      ? { of: 'gauge', take: suffix }
      : undefined
  }
  if (suffix === 'avg') return { of: 'histogram', take: 'average' }
  if (suffix === 'count' || suffix === 'sum') return { of: 'histogram', take: suffix }
  const percent = /^p(\d{1,2}(?:\.\d+)?|100)$/.exec(suffix)?.[1]
  return percent === undefined
    ? undefined
    : { of: 'histogram', take: 'percentile', share: Number(percent) / 100 }
}

function unknownName(text: string): string {
  const asked = text.replace(/[{:].*/, '')
  const near = Object.keys(edgeMetrics).filter(
    (name) => asked !== '' && (name.includes(asked) || asked.includes(name)),
  )
  const hint =
    near.length > 0 ? `did you mean ${near.slice(0, 3).join(' or ')}?` : 'docs/metrics.md lists all metrics.'
  return `No metric is named ${text.slice(0, 100)}: ${hint}`
}

/** The labels of a series if it matches the expression. */
export function matchSeries(expression: Expression, key: string): Record<string, string> | undefined {
  const series = parseSeriesKey(key)
  if (series.name !== expression.name) return undefined
  const matches = Object.entries(expression.labels).every(([label, value]) => series.labels[label] === value)
  return matches ? series.labels : undefined
}

/** The same, cached for a whole history, in which each series occurs many times. */
export function seriesMatcher(expression: Expression): (key: string) => Record<string, string> | undefined {
  const known = new Map<string, Record<string, string> | undefined>()
  return (key) => {
    if (!known.has(key)) known.set(key, matchSeries(expression, key))
    return known.get(key)
  }
}
