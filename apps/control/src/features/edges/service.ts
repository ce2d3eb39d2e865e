/** The operations on edges: list, read, drain, forget. */
import {
  fleetTargetText,
  isLimited,
  type EdgeView,
  type FleetTarget,
  type AccessLimits,
  type LiveEdge,
  type OperationView,
  type Pace,
  type StageEdge,
} from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { targetWithin, noLimits, type Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import { pageOf } from '../../platform/db/page-of.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { ServiceError } from '../../platform/errors.ts'
import { someOfEdges, writeAudit } from '../audit/service.ts'
import { listLayers } from '../config/queries.ts'
import { changeFleet, distributeDesired, fleetProblems, layersByName } from '../desired/service.ts'
import { enrolledEdges } from '../enrolments/service.ts'
import {
  abortUndone,
  beginOperation,
  isStaged,
  operationView,
  type CurrentStage,
} from '../operations/service.ts'
import { rollingRevision, skipEdge } from '../rollouts/queries.ts'
import { problemsByEdge } from '../refusals/service.ts'
import { liveEdge } from './live-edge.ts'
import {
  findEdge,
  listCountingEdges,
  markEdgeForgotten,
  pageOfEdges,
  selectAddressedEdges,
  selectEdges,
  selectSkews,
  setDrain,
  type AddressedEdge,
  type CountingEdgeRow,
  type EdgeRow,
} from './queries.ts'
import { largeSkew } from './problems.ts'
import { edgeView } from './view.ts'

export { instancesOf } from './problems.ts'
export { countEdgesByRegion, selectStarts, type EdgeStart } from './queries.ts'

async function listEdges(deps: Deps, limits: AccessLimits): Promise<EdgeView[]> {
  return await inSnapshot(
    deps.db,
    async (queries) => await viewsOf(queries, await selectEdges(queries, limits)),
  )
}

/** One page. `after` is the id of the last edge of the previous page. */
export async function listSomeEdges(
  deps: Deps,
  limits: AccessLimits,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<{ edges: EdgeView[]; next: string | null; problems: string[] }> {
  return await inSnapshot(deps.db, async (queries) => {
    const { shown, next } = await pageOf(
      { limit, before: after },
      (page) => pageOfEdges(queries, limits, page),
      ({ id }) => id,
      (id) => findEdge(queries, limits, id),
    )
    // They name edges of any region.
    const problems = isLimited(limits) ? [] : await fleetProblems(queries, deps.now())
    return { edges: await viewsOf(queries, shown), next, problems }
  })
}

export type { CountingEdgeRow } from './queries.ts'

/** Edges with their present rates. */
export async function listLiveEdges(deps: Deps, limits: AccessLimits): Promise<LiveEdge[]> {
  return (await listCountingViews(deps, limits)).map(({ row, view }) => liveEdge(row, view))
}

export async function listCountingViews(
  deps: Deps,
  limits: AccessLimits,
): Promise<{ row: CountingEdgeRow; view: EdgeView }[]> {
  return await inSnapshot(deps.db, async (queries) => {
    const rows = await listCountingEdges(queries, limits)
    const views = await viewsOf(queries, rows)
    return rows.map((row, index) => ({ row, view: views[index]! }))
  })
}

/** The same without the metrics, which are most of a row. */
export async function listEdgeRows(deps: Deps): Promise<{ row: EdgeRow; view: EdgeView }[]> {
  return await inSnapshot(deps.db, async (queries) => {
    const rows = await selectEdges(queries, noLimits)
    const views = await viewsOf(queries, rows)
    return rows.map((row, index) => ({ row, view: views[index]! }))
  })
}

async function viewsOf(queries: Queries, rows: readonly EdgeRow[]): Promise<EdgeView[]> {
  const layers = layersByName(await listLayers(queries, noLimits))
  const rolling = await rollingRevision(queries)
  const enrolled = await enrolledEdges(
    queries,
    rows.map(({ id }) => id),
  )
  const refused = await problemsByEdge(queries)
  return rows.map((row) => edgeView(row, layers, rolling, enrolled, refused.get(row.id) ?? []))
}

/** Edges whose clocks are so wrong that times must be corrected: by how many milliseconds they are ahead. */
export async function largeSkews({ db }: Pick<Deps, 'db'>): Promise<Map<string, number>> {
  const rows = await selectSkews(db.orm)
  return new Map(
    rows.flatMap(({ id, skewMs }): [string, number][] => {
      const skew = largeSkew(skewMs)
      return skew === undefined ? [] : [[id, skew]]
    }),
  )
}

/** One edge, even a forgotten one. */
export async function readEdge(deps: Deps, limits: AccessLimits, id: string): Promise<EdgeView> {
  return await inSnapshot(deps.db, async (queries) => {
    const [view] = await viewsOf(queries, [await knownEdge(queries, limits, id)])
    return view!
  })
}

export async function knownEdge(queries: Queries, limits: AccessLimits, id: string): Promise<EdgeRow> {
  const row = await findEdge(queries, limits, id)
  if (row) return row
  throw new ServiceError(
    'edge_unknown',
    `No edge is named ${id.slice(0, 63)}: GET /v1/edges lists all edges.`,
  )
}

/**
 * Throws `edge_unknown` if the region or the edge does not exist, or is outside the limits. The target of all edges is
 * valid in an empty fleet.
 */
export async function edgesOfTarget(
  { db }: Deps,
  limits: AccessLimits,
  target: FleetTarget,
): Promise<AddressedEdge[]> {
  const edges = await selectAddressedEdges(db.orm, limits, target)
  if (edges.length > 0 || target.kind === 'all') return edges
  const what = target.kind === 'region' ? `edge in the region ${target.name}` : `edge named ${target.name}`
  throw new ServiceError(
    'edge_unknown',
    `No ${what} exists, or it was forgotten: GET /v1/edges lists all edges.`,
  )
}

/**
 * The edges in their present state. Their next heartbeats show the drain and the remaining clients. Several regions are
 * drained one after the other, unless the pace says otherwise. All are resumed at once.
 */
export async function drainEdges(
  deps: Deps,
  actor: Actor,
  { target: asked, pace }: { target: FleetTarget; pace?: Pace | undefined },
  drain: boolean,
): Promise<{ edges: EdgeView[]; operation?: OperationView }> {
  const target = targetWithin(actor, asked)
  const concerned = await edgesOfTarget(deps, actor.limits, target)
  const ids = new Set(concerned.map(({ id }) => id))
  const isInStages = isStaged(actor, drain, concerned, pace)
  const operation = await changeFleet(deps.db, async (queries) => {
    const edges = isInStages ? [...ids] : await setDrain(queries, [...ids], drain)
    await writeAudit(queries, {
      actor: actor.name,
      action: drain ? 'edges.drain' : 'edges.resume',
      target: fleetTargetText(target),
      after: { ...someOfEdges(edges), ...(drain && { pace: pace ?? (isInStages ? 'staged' : 'at-once') }) },
    })
    if (!drain)
      await abortUndone(queries, actor, {
        edges: ids,
        at: new Date(deps.now()),
        reason: `${actor.name} resumed edges of it`,
        isUndone: ({ kind }) => kind === 'drain',
      })
    if (!isInStages) return undefined
    const staged = { title: 'drain edges', work: { kind: 'drain' }, target, edges: concerned, pace } as const
    return await beginOperation(queries, actor, new Date(deps.now()), staged)
  })
  if (!isInStages) await distributeDesired(deps, { kind: 'edges', ids: [...ids] })
  const edges = (await listEdges(deps, actor.limits)).filter(({ id }) => ids.has(id))
  return { edges, ...(operation && { operation: operationView(operation) }) }
}

/** The stage of a drain. An edge is done when it refuses new clients; its sessions may continue for long. */
export async function drainStage(
  deps: Deps,
  lease: Lease,
  { edges }: CurrentStage<'drain'>,
): Promise<StageEdge[]> {
  const ids = new Set(edges.filter((edge) => !edge.drain).map(({ id }) => id))
  if (ids.size > 0) {
    await changeFleet(deps.db, async (queries) => {
      await lease.check(queries)
      await setDrain(queries, [...ids], true)
    })
    await distributeDesired(deps, { kind: 'edges', ids: [...ids] })
  }
  return edges.map(({ id, state, silent }) => ({
    id,
    status: silent ? 'silent' : state === 'serving' || ids.has(id) ? 'pending' : 'done',
    reason: null,
  }))
}

/** An edge that is forgotten stays unchanged. */
export async function forgetEdge(deps: Deps, actor: Actor, id: string): Promise<EdgeView> {
  const known = await knownEdge(deps.db.orm, actor.limits, id)
  if (!known.forgottenAt) await changeFleet(deps.db, async (queries) => await forget(queries, actor, known))
  return await readEdge(deps, actor.limits, id)
}

async function forget(queries: Queries, actor: Actor, { id }: EdgeRow): Promise<void> {
  const isForgotten = await markEdgeForgotten(queries, id)
  const row = await findEdge(queries, noLimits, id)
  if (!row) throw new Error(`the row of edge ${id} is missing`)
  if (!isForgotten && row.forgottenAt) return
  if (!isForgotten)
    throw new ServiceError(
      'edge_present',
      `${id} sent a heartbeat ${Math.max(0, Math.round(row.silentMs / 1000))} s ago: stop it or revoke its credential; ` +
        'after three missed heartbeats it can be forgotten.',
    )
  await skipEdge(queries, id)
  await writeAudit(queries, {
    actor: actor.name,
    action: 'edge.forget',
    target: `edge/${id}`,
    before: { region: row.region, version: row.version, lastSeenAt: row.lastSeenAt.toISOString() },
    after: { forgottenAt: row.forgottenAt?.toISOString() },
  })
}
