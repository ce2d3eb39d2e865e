/** The history of any metrics, by fleet, region, edge or upstream. Ingest, rollups and retention have their own files. */
import type { History, AccessLimits } from '@imapfleet/api'
import { edgeMetrics, type EdgeMetricName, type MetricRow } from '@imapfleet/observe'
import type { Deps } from '../../deps.ts'
import { noLimits } from '../../platform/access.ts'
import type { Sql } from '../../platform/db/sql.ts'
import { ServiceError } from '../../platform/errors.ts'
import { historyOf, type GroupBy } from './answer.ts'
import { collectRows } from './collect-rows.ts'
import { matchSeries, parseExpressions, type Expression } from './expression.ts'
import { increasesOf, type Increase } from './increases.ts'
import { readEnds, readSettled, TooManyRows, type ReadingsFilter } from './queries.ts'
import { readReportsSince } from './rollup-queries.ts'
import { findRequestedSeries } from './series.ts'
import { keptSince, leastStepMs, parseWindow, readable, settledPart } from './window.ts'

export interface HistoryRequest {
  metrics: string
  from?: string | undefined
  to?: string | undefined
  step?: string | undefined
  groupBy: GroupBy
  region?: string | undefined
  edge?: string | undefined
  upstream?: string | undefined
}

export async function readHistory(
  deps: Deps,
  limits: AccessLimits,
  question: HistoryRequest,
): Promise<History> {
  const { groupBy, region, edge, upstream } = question
  const expressions = parseExpressions(question.metrics).map((expression) =>
    upstream === undefined ? expression : ofUpstream(expression, upstream),
  )
  if (groupBy === 'upstream') expressions.forEach(needsUpstream)
  const by = groupBy === 'edge' || edge !== undefined ? 'edge' : 'region'
  const now = deps.now()
  const since = keptSince(deps.kept, now)
  const asked = parseWindow(question, now, (from) => leastStepMs(from, since))
  const { window, resolution } = readable(asked, by, since, now)
  const names = [...new Set(expressions.map(({ name }) => name))]
  try {
    return await deps.db.sql.begin('isolation level repeatable read read only', async (tx) => {
      const settled = await readSettled(tx, { limits, region, edge }, now)
      const reported = settledPart(window, settled ?? now)
      const rows = await collectRows(tx, { ...reported, limits, resolution, by, region, edge, names })
      return historyOf(expressions, groupBy, reported, resolution, rows)
    })
  } catch (error) {
    if (!(error instanceof TooManyRows)) throw error
    throw new ServiceError('step_too_fine', adviceFor(resolution))
  }
}

/**
 * The increase of each of these counters, of some edges together. Only from reports whose whole interval is within the
 * time: the first report also counts what was before it.
 */
export async function increasesBetween(
  { db: { sql } }: Pick<Deps, 'db'>,
  metrics: string,
  filter: { edges: readonly string[]; from: number; to: number },
): Promise<number[]> {
  const expressions = parseExpressions(metrics)
  const sums = expressions.map(() => 0)
  if (filter.to <= filter.from) return sums
  const names = expressions.map(({ name }) => name)
  for (const { counters } of await increasesWithin(sql, names, filter))
    for (const [key, value] of Object.entries(counters))
      expressions.forEach((expression, index) => {
        if (matchSeries(expression, key)) sums[index]! += value
      })
  return sums
}

/** The same for each edge that has reported, by series. */
export async function increasesByEdge(
  { db: { sql } }: Pick<Deps, 'db'>,
  names: readonly EdgeMetricName[],
  filter: { from: number; to: number },
): Promise<Map<string, Record<string, number>>> {
  const byEdge = new Map<string, Record<string, number>>()
  for (const { reading, counters } of await increasesWithin(sql, names, filter)) {
    const sums = byEdge.get(reading.edge) ?? {}
    byEdge.set(reading.edge, sums)
    for (const [key, value] of Object.entries(counters)) sums[key] = (sums[key] ?? 0) + value
  }
  return byEdge
}

/** Of reports whose whole interval is within the time. */
async function increasesWithin(
  sql: Sql,
  names: readonly EdgeMetricName[],
  filter: Omit<ReadingsFilter, 'limits'>,
): Promise<Increase[]> {
  const { from } = filter
  const readings = await readEnds(sql, { ...filter, limits: noLimits }, await findRequestedSeries(sql, names))
  const within = readings.filter(({ at }) => at >= from).toSorted((a, b) => a.sequence - b.sequence)
  const firsts = new Set(
    [...Map.groupBy(within, ({ edge, boot }) => `${edge}/${boot}`).values()].map(([first]) => first),
  )
  return increasesOf(readings, await readReportsSince(sql)).filter(
    ({ reading }) => reading.at >= from && !(firsts.has(reading) && reading.startedAt < from),
  )
}

function adviceFor(resolution: History['resolution']): string {
  const shorter =
    'This is more data than control reads in one request: ask for one region, one edge or a shorter range'
  if (resolution === '1h') return `${shorter}.`
  return `${shorter}, or use a step that is a multiple of ${resolution === '1m' ? '1h' : '1m'}.`
}

/** The expression for one upstream only. */
function ofUpstream(expression: Expression, upstream: string): Expression {
  needsUpstream(expression)
  return { ...expression, labels: { ...expression.labels, upstream } }
}

function needsUpstream({ text, name }: Expression): void {
  const { labels }: MetricRow = edgeMetrics[name]
  if (!labels?.includes('upstream'))
    throw new ServiceError(
      'metric_unknown',
      `${text} has no label upstream: group it by fleet, region or edge, and select no upstream.`,
    )
}
