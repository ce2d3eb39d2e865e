/** The history of any metrics, by fleet, region, edge or upstream. */
import type { History } from '@imapfleet/api'
import { edgeMetrics, type MetricRow } from '@imapfleet/observe'
import { TooManyRows } from './figures.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { parseExpressions, type Expression } from './expression.ts'
import { historyOf, type GroupBy } from './history-of.ts'
import { keptSince } from './kept.ts'
import { leastStepMs, readable } from './resolution.ts'
import { parseWindow } from './window.ts'
import { collectRows } from './collect-rows.ts'

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

export async function readHistory(deps: Deps, question: HistoryRequest): Promise<History> {
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
    const rows = await deps.db.sql.begin(
      'isolation level repeatable read read only',
      async (tx) => await collectRows(tx, { ...window, resolution, by, region, edge, names }),
    )
    return historyOf(expressions, groupBy, window, resolution, rows)
  } catch (error) {
    if (!(error instanceof TooManyRows)) throw error
    throw new ServiceError('step_too_fine', adviceFor(resolution))
  }
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
