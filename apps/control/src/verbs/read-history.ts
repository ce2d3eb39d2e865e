/** The history of any metrics over any time, by fleet, region, edge or upstream. */
import type { History } from '@imapfleet/protocol'
import { metrics, type MetricRow } from '@imapfleet/protocol'
import { historyRowsMax, readGauges, readReadings, type HistoryFilter } from '../db/history.ts'
import type { Deps } from '../deps.ts'
import { ServiceError } from '../errors.ts'
import { parseExpressions, type Expression } from '../history/expression.ts'
import { historyOf, type GroupBy } from '../history/history-of.ts'
import { increasesOf } from '../history/increases.ts'
import { parseWindow } from '../history/window.ts'

export interface HistoryQuestion {
  metrics: string
  from?: string | undefined
  to?: string | undefined
  step?: string | undefined
  groupBy: GroupBy
  region?: string | undefined
  edge?: string | undefined
}

export async function readHistory(deps: Deps, question: HistoryQuestion): Promise<History> {
  const expressions = parseExpressions(question.metrics)
  if (question.groupBy === 'upstream') expressions.forEach(needsUpstream)
  const window = parseWindow(question, deps.now())
  const filter = { window, region: question.region, edge: question.edge }
  const readings = await bounded(
    readReadings,
    expressions.filter((each) => each.reading.of !== 'gauge'),
  )
  const gauges = await bounded(
    readGauges,
    expressions.filter((each) => each.reading.of === 'gauge'),
  )
  return historyOf(expressions, question.groupBy, window, increasesOf(readings, window), gauges)

  async function bounded<T>(
    query: (db: Deps['db'], filter: HistoryFilter) => Promise<T[]>,
    asked: readonly Expression[],
  ): Promise<T[]> {
    if (asked.length === 0) return []
    const rows = await query(deps.db, { ...filter, names: asked.map((expression) => expression.name) })
    if (rows.length <= historyRowsMax) return rows
    throw new ServiceError(
      'step_too_fine',
      'That is more than control reads at once: take a longer step, a shorter range, one region or one edge.',
    )
  }
}

function needsUpstream({ text, name }: Expression): void {
  const { labels }: MetricRow = metrics[name]
  if (!labels?.includes('upstream'))
    throw new ServiceError(
      'metric_unknown',
      `${text} is not counted by upstream: group it by fleet, region or edge.`,
    )
}
