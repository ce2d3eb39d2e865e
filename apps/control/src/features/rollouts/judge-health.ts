/** Compares the counts of the edges of a rollout with their counts before it started. */
import { readEnds } from '../history/readings.ts'
import { readReportsSince } from '../history/rollups.ts'
import type { RolloutRow } from './queries.ts'
import { readWanted } from '../history/series.ts'
import type { Deps } from '../../deps.ts'
import { parseExpressions, matchSeries } from '../history/expression.ts'
import { increasesOf } from '../history/increases.ts'
import { worseThan, type LoginCounts } from './health.ts'

const beforeMs = 600_000

const [logins, loginsOk, opened, failedDials] = parseExpressions(
  'logins_total,logins_total{result="ok"},upstream_connections_total,upstream_failures_total',
) as [Expression, Expression, Expression, Expression]
type Expression = ReturnType<typeof parseExpressions>[number]

/** The reason why the edges that a rollout has reached do worse, or undefined. */
export async function judgeHealth(deps: Deps, row: RolloutRow): Promise<string | undefined> {
  if (!row.settledAt) return undefined
  const reached = row.waves.slice(0, row.wave + 1).flatMap(({ edges }) => edges)
  return await judgeEdges(
    deps,
    reached,
    { began: row.createdAt.getTime(), settled: row.settledAt.getTime() },
    row.settings.errorShareMax,
  )
}

/**
 * The reason why these edges do worse since `settled` than before `began`, or undefined. `errorShareMax`: how much the share
 * of failures may rise.
 */
export async function judgeEdges(
  deps: Deps,
  edges: string[],
  { began, settled }: { began: number; settled: number },
  errorShareMax: number,
): Promise<string | undefined> {
  const before = await count(deps, edges, began - beforeMs, began)
  const now = await count(deps, edges, settled, deps.now())
  return worseThan(before, now, errorShareMax)
}

async function count(deps: Deps, edges: string[], from: number, to: number): Promise<LoginCounts> {
  const sums = { logins: 0, ok: 0, opened: 0, failed: 0 }
  if (to > from) {
    const { sql } = deps.db
    const wanted = await readWanted(sql, [logins.name, opened.name, failedDials.name])
    const readings = await readEnds(sql, { from, to, edges }, wanted)
    for (const { reading, counters } of increasesOf(readings, await readReportsSince(sql))) {
      if (reading.at < from) continue
      for (const [key, value] of Object.entries(counters)) {
        if (matchSeries(logins, key)) sums.logins += value
        if (matchSeries(loginsOk, key)) sums.ok += value
        if (matchSeries(opened, key)) sums.opened += value
        if (matchSeries(failedDials, key)) sums.failed += value
      }
    }
  }
  return {
    logins: sums.logins,
    failedLogins: sums.logins - sums.ok,
    dials: sums.opened + sums.failed,
    failedDials: sums.failed,
  }
}
