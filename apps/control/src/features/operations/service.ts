/**
 * Operations in stages: region by region, with a check of the health of the edges between two stages. Any replica can take
 * the next step, because each step is one transaction on the stored state of the operation.
 */
import { randomUUID } from 'node:crypto'
import {
  isLimited,
  limitsText,
  type FleetTarget,
  type OperationSummary,
  type OperationView,
  type Pace,
  type StageEdge,
} from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { noLimits, type Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { pageOf } from '../../platform/db/page-of.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { ServiceError } from '../../platform/errors.ts'
import { takeLock } from '../../platform/db/lock.ts'
import { withdrawnTokens } from '../access/service.ts'
import { itself, writeAudit } from '../audit/service.ts'
import { readHearing } from '../edges/hearing.ts'
import { selectEdges, type EdgeRow } from '../edges/queries.ts'
import {
  findOperation,
  insertOperation,
  lockOperation,
  runningOperations,
  selectOperations,
  updateOperation,
  type OperationRow,
} from './queries.ts'
import { nextStep, planStages } from './stages.ts'
import type { OperationWork } from './table.ts'

/** The soak time if the request names none. */
const defaultSoakSeconds = 10

/**
 * Whether an operation on these edges is carried out in stages. `isLarge`: it affects many users. Stages show the health of
 * the fleet, so operations of an actor with limits, in one region or for one domain, are carried out without stages.
 */
export function isStaged(
  { name, limits }: Actor,
  isLarge: boolean,
  edges: readonly Pick<EdgeRow, 'region'>[],
  pace: Pace | undefined,
): boolean {
  if (pace?.kind === 'staged' && isLimited(limits))
    throw new ServiceError(
      'outside_limits',
      `${name} is limited to ${limitsText(limits)}, and its actions run without stages: omit the stages.`,
    )
  if (pace?.kind === 'at-once' || isLimited(limits)) return false
  return isLarge && new Set(edges.map(({ region }) => region)).size > 1
}

export interface NewStagedOperation {
  title: string
  work: OperationWork
  target: FleetTarget
  edges: readonly Pick<EdgeRow, 'id' | 'region'>[]
  pace: Pace | undefined
}

/**
 * Part of the transaction that writes what the operation carries out. The first stage starts with the next timer. Throws
 * `operation_active` if another operation runs.
 */
export async function beginOperation(
  queries: Queries,
  actor: Actor,
  at: Date,
  { title, work, target, edges, pace }: NewStagedOperation,
): Promise<OperationRow> {
  const { regions, soakSeconds } =
    pace?.kind === 'staged' ? pace : { regions: [], soakSeconds: defaultSoakSeconds }
  await refuseBesideAnother(queries)
  return await insertOperation(queries, {
    id: randomUUID(),
    title,
    work,
    target,
    soakSeconds,
    stages: planStages(edges, regions),
    stageStartedAt: at,
    edges: [],
    createdBy: actor.name,
    token: actor.id,
    createdAt: at,
  })
}

/** Two operations at once would each judge the health of edges that the other one changes. */
async function refuseBesideAnother(queries: Queries): Promise<void> {
  await takeLock(queries, 'operations')
  const [row] = await runningOperations(queries)
  if (!row) return
  const { id, title, createdBy, createdAt, stage, stages } = row
  const progress = `region ${stages[stage]?.region ?? ''}, ${stage + 1} of ${stages.length}`
  throw new ServiceError(
    'operation_active',
    `Only one operation in stages can run at a time, and "${title}" by ${createdBy} is running (${progress}, since ${createdAt.toISOString()}): ` +
      `wait until it ends, or abort it (POST /v1/operations/${id}/abort). ` +
      'In an emergency skip the stages with a reason (--at-once).',
  )
}

export async function listOperations(
  { db }: Deps,
  page: { limit: number; before?: number | undefined },
): Promise<{ operations: OperationSummary[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectOperations(db.orm, asked),
    ({ number }) => number,
  )
  return { operations: shown.map(operationSummary), next }
}

export async function readOperation({ db }: Deps, id: string): Promise<OperationView> {
  return operationView(known(id, await findOperation(db.orm, id)))
}

/** The operation, for the answer of a request that is carried out in stages. Undefined: it was deleted since. */
export async function viewOfOperation(queries: Queries, id: string): Promise<OperationView | undefined> {
  const row = await findOperation(queries, id)
  return row && operationView(row)
}

/**
 * `continue` starts the next stage although an edge failed, or the current one if nothing of it was done. `abort` starts no
 * further stage.
 */
export async function steerOperation(
  { db, now }: Deps,
  actor: Actor,
  id: string,
  steering: 'continue' | 'abort',
): Promise<OperationView> {
  return await db.orm.transaction(async (tx) => {
    if (steering === 'continue' && known(id, await findOperation(tx, id)).state === 'stopped')
      await refuseBesideAnother(tx)
    const row = known(id, await lockOperation(tx, id))
    const isPossible = row.state === 'stopped' || (steering === 'abort' && row.state === 'running')
    if (!isPossible)
      throw new ServiceError(
        'operation_over',
        `The operation is ${row.state}: only a stopped one can be continued, and only a running or stopped one aborted.`,
      )
    await writeAudit(tx, {
      actor: actor.name,
      action: `operation.${steering}`,
      target: row.title,
      after: { id },
    })
    const at = new Date(now())
    if (steering === 'continue') {
      await updateOperation(tx, id, { token: actor.id })
      return operationView(
        await (hasBegun(row) ? startNextStage(tx, row, at) : startStage(tx, row, row.stage, at)),
      )
    }
    const reason = `aborted by ${actor.name}`
    return operationView(await updateOperation(tx, id, { state: 'aborted', reason, finishedAt: at }))
  })
}

/**
 * Aborts running operations on these edges whose work is undone, so that no later stage repeats it. Part of the transaction
 * that undoes it. Operations concern several regions, so an actor with limits aborts none.
 */
export async function abortUndone(
  queries: Queries,
  actor: Actor,
  undone: {
    edges: ReadonlySet<string>
    at: Date
    reason: string
    isUndone: (work: OperationWork) => boolean | Promise<boolean>
  },
): Promise<void> {
  if (isLimited(actor.limits)) return
  const { edges, at, reason, isUndone } = undone
  for (const { id, title, work, stages } of await runningOperations(queries)) {
    if (!stages.some((stage) => stage.edges.some((edge) => edges.has(edge)))) continue
    if (!(await isUndone(work)) || (await lockOperation(queries, id))?.state !== 'running') continue
    await writeAudit(queries, {
      actor: actor.name,
      action: 'operation.abort',
      target: title,
      after: { id, reason },
    })
    await updateOperation(queries, id, { state: 'aborted', reason, finishedAt: at })
  }
}

/** The current stage of an operation. */
export interface CurrentStage<Kind extends OperationWork['kind']> {
  work: Extract<OperationWork, { kind: Kind }>
  operation: OperationRow
  region: string
  /** The edges of the stage, except edges that were forgotten since. */
  edges: readonly EdgeRow[]
}

/** The work at the edges of the current stage. It is repeated until no edge is pending, so it must be idempotent. */
export type StageWork<Kind extends OperationWork['kind']> = (
  deps: Deps,
  lease: Lease,
  stage: CurrentStage<Kind>,
) => Promise<StageEdge[]>

export interface StageActions {
  work: { [Kind in OperationWork['kind']]: StageWork<Kind> }
  /** The reason why these edges are less healthy than before the operation, or undefined. */
  judge: (deps: Deps, operation: OperationRow, edges: string[]) => Promise<string | undefined>
}

/**
 * Takes one step of each running operation. While control receives no heartbeats it takes none, because it could not
 * observe the effect.
 */
export async function advanceOperations(deps: Deps, lease: Lease, actions: StageActions): Promise<void> {
  const rows = await runningOperations(deps.db.orm)
  if (rows.length === 0) return
  const { since, isDeaf } = await readHearing(deps.db.orm)
  if (isDeaf) return
  for (const row of rows) await advance(deps, lease, actions, row, since)
}

async function advance(
  deps: Deps,
  lease: Lease,
  actions: StageActions,
  row: OperationRow,
  heardSince: number,
): Promise<void> {
  const step = nextStep(progressOf(row, heardSince), deps.now())
  if (step.kind === 'wait') return
  const ids = new Set(row.stages[row.stage]?.edges)
  const edges = (await selectEdges(deps.db.orm, noLimits)).filter(({ id }) => ids.has(id))
  if (step.kind === 'work') {
    const withdrawn = hasBegun(row) ? undefined : await withdrawal(deps, row)
    if (withdrawn !== undefined) return await stop(deps, lease, row, withdrawn)
    // A replica that was stopped for long must not send an order late.
    await lease.check()
    const region = row.stages[row.stage]?.region ?? ''
    const work = actions.work[row.work.kind] as StageWork<OperationWork['kind']>
    const done = await work(deps, lease, { work: row.work, operation: row, region, edges })
    // An edge that was forgotten since is no longer waited for.
    const there = new Set(edges.map(({ id }) => id))
    const gone = [...ids].filter((id) => !there.has(id))
    return await write(lease, row, (queries) =>
      updateOperation(queries, row.id, { edges: merged(row.edges, [...done, ...gone.map(silentEdge)]) }),
    )
  }
  if (step.kind === 'settle')
    return await write(lease, row, (queries) =>
      updateOperation(queries, row.id, { settledAt: new Date(deps.now()) }),
    )
  const reason = step.kind === 'stop' ? step.reason : await trouble(deps, actions, row, edges)
  if (reason !== undefined) return await stop(deps, lease, row, reason)
  await write(lease, row, (queries) => startNextStage(queries, row, new Date(deps.now())))
}

/** Something of the current stage was done. */
const hasBegun = ({ stages, stage, edges }: OperationRow): boolean =>
  edges.some(({ id }) => stages[stage]?.edges.includes(id))

/** Why no further stage may start: the token that began or continued the operation may no longer give orders. */
async function withdrawal(deps: Deps, { token }: OperationRow): Promise<string | undefined> {
  return token === null ? undefined : (await withdrawnTokens(deps, [token])).get(token)
}

async function stop(deps: Deps, lease: Lease, row: OperationRow, reason: string): Promise<void> {
  deps.log.warn('an operation is stopped', { operation: row.title, reason })
  await write(lease, row, async (queries) => {
    await updateOperation(queries, row.id, { state: 'stopped', reason })
    await writeAudit(queries, {
      actor: itself,
      action: 'operation.stop',
      target: row.title,
      after: { id: row.id, createdBy: row.createdBy, reason },
    })
  })
}

async function trouble(
  deps: Deps,
  actions: StageActions,
  row: OperationRow,
  edges: readonly EdgeRow[],
): Promise<string | undefined> {
  const wereUp = new Set(row.edges.filter(({ status }) => status === 'done').map(({ id }) => id))
  const silent = edges.find((edge) => edge.silent && wereUp.has(edge.id))
  if (silent) return `${silent.id} is silent`
  return await actions.judge(deps, row, [...wereUp])
}

/** Writes a step, unless the operation was steered or advanced since it was read. */
async function write(
  lease: Lease,
  row: OperationRow,
  change: (queries: Queries) => Promise<unknown>,
): Promise<void> {
  await lease.transaction(async (tx) => {
    const now = await lockOperation(tx, row.id)
    if (now?.state === 'running' && now.stage === row.stage) await change(tx)
  })
}

async function startNextStage(queries: Queries, row: OperationRow, at: Date): Promise<OperationRow> {
  const isLast = row.stage + 1 >= row.stages.length
  if (!isLast) return await startStage(queries, row, row.stage + 1, at)
  await writeAudit(queries, {
    actor: itself,
    action: 'operation.complete',
    target: row.title,
    after: { id: row.id, createdBy: row.createdBy },
  })
  return await updateOperation(queries, row.id, { state: 'completed', reason: null, finishedAt: at })
}

const startStage = (queries: Queries, { id }: OperationRow, stage: number, at: Date): Promise<OperationRow> =>
  updateOperation(queries, id, {
    state: 'running',
    reason: null,
    stage,
    stageStartedAt: at,
    settledAt: null,
  })

const silentEdge = (id: string): StageEdge => ({ id, status: 'silent', reason: null })

/** The later state of each edge. */
const merged = (before: readonly StageEdge[], now: readonly StageEdge[]): StageEdge[] => [
  ...new Map([...before, ...now].map((edge) => [edge.id, edge])).values(),
]

function known(id: string, row: OperationRow | undefined): OperationRow {
  if (row) return row
  throw new ServiceError(
    'operation_unknown',
    `No operation has the id ${id}: GET /v1/operations lists all operations.`,
  )
}

/** Only time in which control heard the edges counts. */
const progressOf = (row: OperationRow, heardSince: number) => ({
  ...row,
  stageStartedAt: Math.max(heardSince, row.stageStartedAt.getTime()),
  settledAt: row.settledAt ? Math.max(heardSince, row.settledAt.getTime()) : undefined,
})

export function operationView(row: OperationRow): OperationView {
  const byId = new Map(row.edges.map((edge) => [edge.id, edge]))
  return {
    ...operationHead(row),
    stages: row.stages.map(({ region, edges }, index) => ({
      region,
      state: stageState(row, index),
      edges: edges.map((id) => byId.get(id) ?? { id, status: 'pending', reason: null }),
    })),
  }
}

/** Without the edges: in a large fleet, each row has many. */
const operationSummary = (row: OperationRow): OperationSummary => ({
  ...operationHead(row),
  stages: row.stages.map(({ region, edges }, index) => ({
    region,
    state: stageState(row, index),
    edges: edges.length,
  })),
})

const operationHead = (row: OperationRow) => ({
  id: row.id,
  kind: row.work.kind,
  title: row.title,
  target: row.target,
  state: row.state,
  reason: row.reason,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
  finishedAt: row.finishedAt?.toISOString() ?? null,
  soakSeconds: row.soakSeconds,
})

const stageState = ({ stage, state }: OperationRow, index: number) =>
  index < stage || state === 'completed' ? 'done' : index === stage ? 'current' : 'waiting'
