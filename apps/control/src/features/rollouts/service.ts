/**
 * Rollouts: a revision reaches its edges in waves, and goes back everywhere if edges refuse it, become silent or do worse.
 * Each step is one transaction, so if a replica dies or hangs in between, another one takes the step. All times are from
 * the clock of the database, which all replicas share.
 */
import {
  layerText,
  type LayerName,
  type AccessLimits,
  type RolloutHealth,
  type RolloutSettings,
  type RolloutState,
  type RolloutSummary,
  type RolloutView,
} from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { noLimits, type Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { pageOf, type PageQuery } from '../../platform/db/page-of.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import { ServiceError } from '../../platform/errors.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { withdrawnTokens } from '../access/service.ts'
import { itself, writeAudit } from '../audit/service.ts'
import {
  findRevision,
  insertRevision,
  newestRevision,
  readLayer,
  settleRevision,
  type RevisionRow,
} from '../config/queries.ts'
import { layerNameOf } from '../config/revision-view.ts'
import { appliesTo, changeFleet, distributeDesired, statusOfRevision } from '../desired/service.ts'
import { readHearing, type Hearing } from '../edges/hearing.ts'
import { selectEdges, type EdgeRow } from '../edges/queries.ts'
import { assess, type Decision } from './assess.ts'
import { judgeHealth, rolloutHealth } from './health.ts'
import {
  activeRollout,
  databaseNow,
  findRollout,
  insertRollout,
  selectRollouts,
  selectRolloutsBetween,
  updateRollout,
  type RolloutRow,
} from './queries.ts'
import { rolloutSummary, rolloutView } from './view.ts'
import { planWaves, type Wave } from './waves.ts'

/** A rollout with its layer, and what it changes. */
export type RolledOut = RolloutRow & Pick<RevisionRow, 'changes'> & { layer: LayerName }

/** Rollouts that ran for some of this time, newest first. */
export async function rolloutsBetween(
  queries: Queries,
  limits: AccessLimits,
  from: Date,
  to: Date,
): Promise<RolledOut[]> {
  const rows = await selectRolloutsBetween(queries, limits, from, to)
  return rows.map(({ layerKind, layerName, ...row }) => ({
    ...row,
    layer: layerNameOf(layerKind, layerName),
  }))
}

/** As in the database: the global layer has the empty name. */
interface Layer {
  kind: LayerName['kind']
  name: string
}

/** Plans the waves of a revision and starts the first. Part of the transaction that writes the revision. */
export async function startRollout(
  queries: Queries,
  { revision, layerKind, layerName, createdBy }: RevisionRow,
  settings: RolloutSettings,
  actor: Actor,
): Promise<void> {
  const edges = await selectEdges(queries, noLimits)
  const waves = wavesFor({ kind: layerKind, name: layerName }, edges, settings)
  await insertRollout(queries, {
    revision,
    settings,
    waves,
    waveStartedAt: databaseNow,
    skipped: awayIn(waves[0], edges),
    createdBy,
    token: actor.id,
    createdAt: databaseNow,
  })
}

/** The waves of the edges that the layer applies to. */
export function wavesFor(layer: Layer, all: readonly EdgeRow[], settings: RolloutSettings): Wave[] {
  const edges = all.filter(({ id, region }) => appliesTo(layer, { edge: id, region }))
  const unknown = settings.canaryEdges.find((id) => !edges.some((edge) => edge.id === id))
  if (unknown !== undefined)
    throw new ServiceError(
      'edge_unknown',
      `${unknown} cannot be a canary: the layer does not apply to it, or no edge has this name.`,
    )
  return planWaves(edges, settings)
}

/** Edges that the wave does not wait for, because they are silent or forgotten. The return of one causes no rollback. */
function awayIn(wave: Wave | undefined, edges: readonly EdgeRow[]): string[] {
  const beating = new Set(edges.filter(({ silent }) => !silent).map(({ id }) => id))
  return wave?.edges.filter((id) => !beating.has(id)) ?? []
}

/**
 * Throws `rollout_active` if a revision of this layer cannot be written now. Other layers than the rolling one can be
 * written at any time, except by a second rollout. Part of the transaction that writes the revision.
 */
export async function refuseWhileRolling(
  queries: Queries,
  { name, limits }: Actor,
  layer: Layer,
  { inWaves }: { inWaves: boolean },
): Promise<void> {
  const row = await activeRollout(queries)
  const rolling = row && (await findRevision(queries, noLimits, row.revision))
  if (!rolling) return
  const { revision, layerKind, layerName } = rolling
  const isShown = (await findRevision(queries, limits, revision)) !== undefined
  const where = isShown
    ? `revision ${revision} of ${layerText(layerNameOf(layerKind, layerName))}`
    : `a layer outside the limits of ${name}`
  const ways = isShown
    ? `wait until it is completed, or abort it (POST /v1/rollouts/${revision}/abort), which takes effect on all edges at once`
    : 'wait until it is completed'
  if (layerKind === layer.kind && layerName === layer.name)
    throw new ServiceError(
      'rollout_active',
      `The rollout of ${where} changes this layer: ${ways}. Then write this change.`,
    )
  if (inWaves)
    throw new ServiceError(
      'rollout_active',
      `Only one rollout can run at a time, and the rollout of ${where} is running: ${ways}. Or write this change without a rollout.`,
    )
  // Of these edges only the highest number of their layers is known, which would show the rolling revision as applied.
  const unclear = (await selectEdges(queries, noLimits)).filter((edge) => {
    const address = { edge: edge.id, region: edge.region }
    const isRolling = appliesTo({ kind: layerKind, name: layerName }, address)
    return edge.desiredClaimed === null && !edge.silent && isRolling && appliesTo(layer, address)
  })
  if (unclear.length === 0) return
  const some = unclear.slice(0, 5).map(({ id }) => id)
  throw new ServiceError(
    'rollout_active',
    `The rollout of ${where} could no longer be observed on ${some.join(', ')}` +
      `${unclear.length > some.length ? ` and ${unclear.length - some.length} others` : ''}, ` +
      `whose release does not report the version of each layer: upgrade them, ${ways}.`,
  )
}

/** Takes one step of the active rollout, if a step is due. While control receives no heartbeats, no step is due. */
export async function advanceRollouts(deps: Deps, lease: Lease): Promise<void> {
  const seen = await look(deps)
  if (!seen || seen.hearing.isDeaf) return
  const { row, hearing } = seen
  const decision = await healthy(deps, lease, row, hearing, decide(seen))
  if (decision.kind === 'wait') return
  const withdrawn = decision.kind === 'advance' ? await withdrawal(deps, row) : undefined
  await changeFleet(deps.db, async (queries) => {
    await lease.check(queries)
    // It may have been paused, resumed, aborted or advanced since the look.
    const now = await findRollout(queries, row.revision)
    if (now?.state !== 'running' || !isSameStep(now, row)) return
    if (withdrawn !== undefined) await pauseWithout(queries, now, withdrawn, deps)
    else await carryOut(queries, now, decision, deps)
  })
  if (decision.kind !== 'settle') await distributeDesired(deps)
}

interface Look {
  row: RolloutRow
  revision: RevisionRow
  edges: EdgeRow[]
  hearing: Hearing
}

async function look({ db }: Deps): Promise<Look | undefined> {
  return await inSnapshot(db, async (queries) => {
    const row = await activeRollout(queries)
    if (row?.state !== 'running') return undefined
    const revision = await findRevision(queries, noLimits, row.revision)
    if (!revision) throw new Error(`revision ${row.revision} is missing`)
    return {
      row,
      revision,
      edges: await selectEdges(queries, noLimits),
      hearing: await readHearing(queries),
    }
  })
}

function decide({ row, revision, edges, hearing }: Look): Decision {
  const standings = edges.map((edge) => {
    const { id, silent, silentMs } = edge
    return [id, { ...statusOfRevision(revision, edge), silent, silentMs }] as const
  })
  const progress = {
    waves: row.waves,
    wave: row.wave,
    waveStartedAt: row.waveStartedAt.getTime(),
    settledAt: row.settledAt?.getTime(),
    skipped: row.skipped,
    settings: row.settings,
  }
  return assess(progress, new Map(standings), hearing)
}

/** How often the health is checked while a wave soaks. */
const checkEveryMs = 10_000

/**
 * Decides on a rollback if edges do worse than before. Checked before the next wave, and at intervals during the
 * soak.
 */
async function healthy(
  deps: Deps,
  lease: Lease,
  row: RolloutRow,
  hearing: Hearing,
  decision: Decision,
): Promise<Decision> {
  const isDue = !row.checkedAt || hearing.until - row.checkedAt.getTime() >= checkEveryMs
  const isWatched = decision.kind === 'advance' || (decision.kind === 'wait' && decision.soaking && isDue)
  if (!isWatched || !row.settledAt) return decision
  const reached = row.waves.slice(0, row.wave + 1).flatMap(({ edges }) => edges)
  const trouble = await judgeHealth(deps, reached, {
    startedAt: row.createdAt.getTime(),
    settledAt: row.settledAt.getTime(),
    now: hearing.until,
    errorShareMax: row.settings.errorShareMax,
  })
  if (trouble !== undefined) return { kind: 'roll-back', reason: trouble }
  await lease.transaction(
    async (queries) => await updateRollout(queries, row.revision, { checkedAt: databaseNow }),
  )
  return decision
}

/** Why no further wave may start: the token that began or resumed the rollout may no longer change the configuration. */
async function withdrawal(deps: Deps, { token, wave, waves }: RolloutRow): Promise<string | undefined> {
  if (token === null || wave + 1 >= waves.length) return undefined
  return (await withdrawnTokens(deps, [token])).get(token)
}

/** An operator with a valid token decides whether the rollout continues. */
async function pauseWithout(
  queries: Queries,
  { revision, createdBy }: RolloutRow,
  reason: string,
  { log }: Deps,
): Promise<void> {
  log.warn('a rollout is paused', { revision, reason })
  await updateRollout(queries, revision, { state: 'paused', reason })
  await writeAudit(queries, {
    actor: itself,
    action: 'rollout.pause',
    target: String(revision),
    after: { createdBy, reason },
  })
}

const isSameStep = (now: RolloutRow, seen: RolloutRow): boolean =>
  now.wave === seen.wave &&
  now.waveStartedAt.getTime() === seen.waveStartedAt.getTime() &&
  now.settledAt?.getTime() === seen.settledAt?.getTime()

async function carryOut(
  queries: Queries,
  row: RolloutRow,
  decision: Exclude<Decision, { kind: 'wait' }>,
  { log }: Deps,
): Promise<void> {
  const { revision } = row
  if (decision.kind === 'settle') return await updateRollout(queries, revision, { settledAt: databaseNow })
  if (decision.kind === 'roll-back') {
    log.warn('a rollout is rolled back', { revision, reason: decision.reason })
    return await undo(queries, row, 'rolled-back', { by: itself, reason: decision.reason })
  }
  const next = row.waves[row.wave + 1]
  if (!next) return await complete(queries, row)
  log.info('a rollout continues', { revision, wave: next.name })
  await updateRollout(queries, revision, {
    wave: row.wave + 1,
    waveStartedAt: databaseNow,
    settledAt: null,
    checkedAt: null,
    skipped: [...row.skipped, ...awayIn(next, await selectEdges(queries, noLimits))],
  })
}

async function complete(queries: Queries, { revision, createdBy }: RolloutRow): Promise<void> {
  await settleRevision(queries, revision, 'released')
  await updateRollout(queries, revision, { state: 'completed', finishedAt: databaseNow })
  await writeAudit(queries, {
    actor: itself,
    action: 'rollout.complete',
    target: String(revision),
    after: { createdBy },
  })
}

/** A new revision restores the previous state of the layer on all edges at once. */
async function undo(
  queries: Queries,
  { revision }: RolloutRow,
  as: Extract<RolloutState, 'rolled-back' | 'aborted'>,
  { by, reason }: { by: string; reason: string },
): Promise<void> {
  const undone = await findRevision(queries, noLimits, revision)
  if (!undone) throw new Error(`revision ${revision} is missing`)
  await settleRevision(queries, revision, 'withdrawn')
  const { layerKind, layerName } = undone
  const restored = await insertRevision(queries, {
    revision: (await newestRevision(queries, noLimits)) + 1,
    layerKind,
    layerName,
    // The document of the layer never became the rolling one.
    document: await readLayer(queries, layerKind, layerName),
    changes: undone.changes.map(({ before, after, ...rest }) => ({ ...rest, before: after, after: before })),
    note: `rolls back revision ${revision}: ${reason}`.slice(0, 1000),
    createdBy: by,
    state: 'released',
  })
  await updateRollout(queries, revision, {
    state: as,
    reason: reason.slice(0, 1000),
    undoneBy: restored.revision,
    finishedAt: databaseNow,
  })
  await writeAudit(queries, {
    actor: by,
    action: as === 'aborted' ? 'rollout.abort' : 'rollout.roll-back',
    target: layerText(layerNameOf(layerKind, layerName)),
    after: { revision, undoneBy: restored.revision, reason },
  })
}

/** Pauses, resumes or aborts a rollout. */
export async function steerRollout(
  deps: Deps,
  actor: Actor,
  revision: number,
  steering: 'pause' | 'resume' | 'abort',
): Promise<RolloutView> {
  await changeFleet(deps.db, async (queries) => {
    const row =
      (await findRevision(queries, actor.limits, revision)) && (await findRollout(queries, revision))
    if (!row) throw unknownRollout(revision)
    if (row.state !== 'running' && row.state !== 'paused')
      throw new ServiceError('rollout_over', `The rollout of revision ${revision} has ended: ${row.state}.`)
    if (steering === 'abort') {
      await undo(queries, row, 'aborted', { by: actor.name, reason: `aborted by ${actor.name}` })
      return
    }
    // After a pause the times of the wave start again.
    const resumed = {
      state: 'running',
      reason: null,
      token: actor.id,
      waveStartedAt: databaseNow,
      settledAt: null,
      checkedAt: null,
    } as const
    await updateRollout(queries, revision, steering === 'pause' ? { state: 'paused' } : resumed)
    await writeAudit(queries, { actor: actor.name, action: `rollout.${steering}`, target: String(revision) })
  })
  await distributeDesired(deps)
  return await readRollout(deps, actor.limits, revision)
}

/** One rollout, wave by wave. */
export async function readRollout(
  { db }: Deps,
  limits: AccessLimits,
  revision: number,
): Promise<RolloutView> {
  return await inSnapshot(db, async (queries) => {
    const written = await findRevision(queries, limits, revision)
    const row = written && (await findRollout(queries, revision))
    if (!row) throw unknownRollout(revision)
    const edges = await selectEdges(queries, limits)
    return rolloutView(row, written, edges, await readHearing(queries), limits)
  })
}

/** The figures by which a rollout is judged. The edges are the edges of its layer, and the limits allow all of them. */
export async function readRolloutHealth(
  deps: Deps,
  limits: AccessLimits,
  revision: number,
): Promise<RolloutHealth> {
  const { row, hearing } = await inSnapshot(deps.db, async (queries) => {
    const found = (await findRevision(queries, limits, revision)) && (await findRollout(queries, revision))
    if (!found) throw unknownRollout(revision)
    return { row: found, hearing: await readHearing(queries) }
  })
  const edgesOf = (waves: readonly Wave[]) => waves.flatMap(({ edges }) => edges)
  return await rolloutHealth(
    deps,
    { reached: edgesOf(row.waves.slice(0, row.wave + 1)), rest: edgesOf(row.waves.slice(row.wave + 1)) },
    {
      startedAt: row.createdAt.getTime(),
      since: (row.settledAt ?? row.waveStartedAt).getTime(),
      until: row.finishedAt?.getTime() ?? hearing.until,
    },
  )
}

/** Newest first. */
export async function listRollouts(
  { db }: Deps,
  limits: AccessLimits,
  page: PageQuery<number>,
): Promise<{ rollouts: RolloutSummary[]; next: number | null }> {
  return await inSnapshot(db, async (queries) => {
    const { shown, next } = await pageOf(
      page,
      (asked) => selectRollouts(queries, limits, asked),
      ({ revision }) => revision,
    )
    const rollouts: RolloutSummary[] = []
    for (const row of shown) {
      const revision = await findRevision(queries, limits, row.revision)
      if (revision) rollouts.push(rolloutSummary(row, revision, limits))
    }
    return { rollouts, next }
  })
}

const unknownRollout = (revision: number): ServiceError =>
  new ServiceError(
    'rollout_unknown',
    `Revision ${revision} was not rolled out in waves: GET /v1/rollouts lists all rollouts.`,
  )
