/** Reads what the rules of alerts are about. */
import { isHeard } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { lateTimers } from '../../platform/ticks/ticks.ts'
import { expiringTokens } from '../access/service.ts'
import { lastRestore, reasonToHold, runsForeignState } from '../desired/service.ts'
import { readHearing } from '../edges/hearing.ts'
import { listEdgeRows } from '../edges/service.ts'
import { increasesByEdge } from '../history/service.ts'
import type { AlertFacts } from './findings.ts'
import { selectReplicas } from './queries.ts'

/** The counters that rules read. */
const counters = [
  'logins_total',
  'client_refusals_total',
  'upstream_full_total',
  'upstream_reuses_total',
  'upstream_connections_total',
  'reports_dropped_total',
] as const

const minuteMs = 60_000

export async function readAlertFacts(deps: Deps): Promise<AlertFacts> {
  const now = deps.now()
  const { orm } = deps.db
  const within = async (minutes: number) =>
    await increasesByEdge(deps, counters, { from: now - minutes * minuteMs, to: now + minuteMs })
  return {
    now,
    isDeaf: (await readHearing(orm)).isDeaf,
    edges: (await listEdgeRows(deps)).map(({ row, view }) => ({
      id: view.id,
      region: view.region,
      isHeard: isHeard(view),
      problems: view.problems,
      gauges: row.gauges,
      clockSkewMs: view.clockSkewMs ?? null,
      runsForeignState: !row.silent && runsForeignState(row),
    })),
    counted: { minutes5: await within(5), minutes15: await within(15) },
    replicas: await selectReplicas(orm),
    lateTimers: await lateTimers(deps),
    tokens: await expiringTokens(deps),
    restoredAt: await lastRestore(deps),
    held: await reasonToHold(orm),
  }
}
