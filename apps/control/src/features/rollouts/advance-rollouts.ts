/**
 * Takes one step of the active rollout, if a step is due. Each step is one transaction, so if a replica dies in
 * between, another one takes the step.
 */
import { itself, writeAudit } from '../audit/service.ts'
import type { Queries } from '../../platform/db/database.ts'
import { selectEdges, type EdgeRow } from '../edges/queries.ts'
import { changeFleet, distributeDesired, statusOfRevision } from '../desired/service.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { findRevision, settleRevision } from '../config/queries.ts'
import { activeRollout, findRollout, updateRollout, type RolloutRow } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { assess, type Decision, type RolloutProgress } from './assess.ts'
import { judgeHealth } from './judge-health.ts'
import { undoRollout } from './undo-rollout.ts'

/** How often the health is checked while a wave soaks. */
const checkEveryMs = 10_000

export async function advanceRollouts(deps: Deps, lease: Lease): Promise<void> {
  const row = await activeRollout(deps.db.orm)
  if (row?.state !== 'running') return
  const revision = await findRevision(deps.db.orm, row.revision)
  if (!revision) throw new Error(`revision ${row.revision} is missing`)
  const edges = await selectEdges(deps.db.orm)
  const standings = edges.map((edge) => {
    const { id, silent, silentMs } = edge
    return [id, { ...statusOfRevision(revision, edge), silent, silentMs }] as const
  })
  const decision = await healthy(deps, lease, row, assess(progressOf(row), new Map(standings), deps.now()))
  if (decision.kind === 'wait') return
  await changeFleet(deps.db, async (queries) => {
    await lease.check(queries)
    // It may have been paused, aborted or advanced in the meantime.
    const now = await findRollout(queries, row.revision)
    if (now?.state === 'running' && now.wave === row.wave) await carryOut(queries, now, decision, edges, deps)
  })
  if (decision.kind !== 'settle') await distributeDesired(deps)
}

/**
 * Decides on a rollback if edges do worse than before. Checked before the next wave, and at intervals during the
 * soak.
 */
async function healthy(deps: Deps, lease: Lease, row: RolloutRow, decision: Decision): Promise<Decision> {
  const isDue = deps.now() - (row.checkedAt?.getTime() ?? 0) >= checkEveryMs
  const isWatched = decision.kind === 'advance' || (decision.kind === 'wait' && decision.soaking && isDue)
  if (!isWatched) return decision
  const trouble = await judgeHealth(deps, row)
  if (trouble !== undefined) return { kind: 'roll-back', reason: trouble }
  await lease.transaction(
    async (tx) => await updateRollout(tx, row.revision, { checkedAt: new Date(deps.now()) }),
  )
  return decision
}

async function carryOut(
  queries: Queries,
  row: RolloutRow,
  decision: Exclude<Decision, { kind: 'wait' }>,
  edges: readonly EdgeRow[],
  { now, log }: Deps,
): Promise<void> {
  const at = new Date(now())
  const { revision } = row
  if (decision.kind === 'settle') return await updateRollout(queries, revision, { settledAt: at })
  if (decision.kind === 'roll-back') {
    log.warn('a rollout is rolled back', { revision, reason: decision.reason })
    return await undoRollout(queries, row, 'rolled-back', { by: itself, reason: decision.reason, at })
  }
  const next = row.waves[row.wave + 1]
  if (!next) return await complete(queries, row, at)
  const beating = new Set(edges.filter(({ silent }) => !silent).map(({ id }) => id))
  // Includes forgotten edges, so that the return of one does not cause a rollback.
  const away = next.edges.filter((id) => !beating.has(id))
  log.info('a rollout continues', { revision, wave: next.name })
  await updateRollout(queries, revision, {
    wave: row.wave + 1,
    waveStartedAt: at,
    settledAt: null,
    checkedAt: null,
    skipped: [...row.skipped, ...away],
  })
}

async function complete(queries: Queries, { revision, createdBy }: RolloutRow, at: Date): Promise<void> {
  await settleRevision(queries, revision, 'released')
  await updateRollout(queries, revision, { state: 'completed', finishedAt: at })
  await writeAudit(queries, {
    actor: itself,
    action: 'rollout.complete',
    target: String(revision),
    after: { createdBy },
  })
}

const progressOf = (row: RolloutRow): RolloutProgress => ({
  waves: row.waves,
  wave: row.wave,
  waveStartedAt: row.waveStartedAt.getTime(),
  settledAt: row.settledAt?.getTime(),
  skipped: row.skipped,
  settings: row.settings,
})
