/**
 * Makes the bucket equal to Postgres: after each change for the affected edges, after the first heartbeat of an edge,
 * and at intervals for all. It writes only entries that differ, so it can run on any replica at any time.
 */
import { reasonOf } from '@imapfleet/observe'
import type { Deps } from '../../deps.ts'
import { noLimits } from '../../platform/access.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import { ServiceError } from '../../platform/errors.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { listLayers } from '../config/queries.ts'
import { countEdges, readDecisive, type SomeEdges } from '../edges/queries.ts'
import { recentRevocations } from '../revocations/queries.ts'
import { rollingRevision } from '../rollouts/queries.ts'
import { runningTraces, type TraceRow } from '../traces/queries.ts'
import { announceDesired, putDesired, type WantedState } from './bucket.ts'
import { desiredOf, layersByName, versionMinOf, type FleetState } from './desired-of.ts'
import { reasonToHold, reasonToKeepBucket, tellHeld } from './hold.ts'
import { forgetOldVersions, keptVersionsUs, ownVersions, readFleet } from './queries.ts'
import { continueAbove, recoverFromBucket } from './restores.ts'

const all: SomeEdges = { kind: 'all' }

/**
 * Never throws if NATS is down: the change is in Postgres, and the timer tries again.
 * @param concerned the edges whose desired state has changed
 */
export async function distributeDesired(deps: Deps, concerned = all): Promise<void> {
  try {
    const held = await reasonToHold(deps.db.orm)
    tellHeld(deps, held)
    if (held !== undefined) return
    const hasForeign = await distributeOnce(deps, concerned)
    if (!hasForeign) return
    const kept = await reasonToKeepBucket(deps.db.orm)
    if (kept !== undefined) return tellHeld(deps, kept)
    // Postgres was restored from an older dump. Everything in the bucket is of another history.
    const recovered = await recoverFromBucket(deps)
    await distributeOnce(deps, all, recovered)
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'bus_unavailable') return
    deps.log.warn('the desired state could not be distributed; control will try again', {
      reason: reasonOf(error),
    })
  }
}

/** Repairs the bucket after a crash between a commit and its entries, or after NATS lost its store. */
export async function reconcile(deps: Deps, lease: Lease): Promise<void> {
  await deps.bus.repair()
  // Entries have versions, so even a replica that hangs after this check overwrites no newer one.
  await lease.check()
  await forgetOldVersions(deps.db.orm)
  await distributeDesired(deps)
}

/**
 * Returns true if there are entries that another database wrote.
 * @param recovered those up to this place of the bucket are overwritten
 */
async function distributeOnce(deps: Deps, concerned: SomeEdges, recovered = 0): Promise<boolean> {
  const { db, bus, now } = deps
  let read = await readState(deps, concerned)
  // An edge that runs a version of another history above ours would ignore its entry.
  if (await continueAbove(deps, read.edges, read.fleet.version)) read = await readState(deps, concerned)
  const { fleet, edges, total, versionsSince } = read
  const refreshed = now() * 1000 - keptVersionsUs / 2
  const wanted = edges.map((row): WantedState => {
    const edge = { ...row, edge: row.id }
    const address = { edge: row.id, region: row.region }
    return { address, desired: desiredOf(edge, fleet), versionMin: versionMinOf(edge, refreshed) }
  })
  const history = {
    own: async (versions: readonly number[]) => await ownVersions(db.sql, versions),
    since: versionsSince,
  }
  const { written, hasForeign, failure } = await putDesired(bus, wanted, history, {
    recovered,
    total,
  })
  if (written.length > 0) announceDesired(bus, fleet.version, written)
  if (failure !== undefined) throw failure
  return hasForeign
}

interface State {
  fleet: FleetState
  versionsSince: number
  edges: Awaited<ReturnType<typeof readDecisive>>
  /** The number of all edges. */
  total: number
}

async function readState(deps: Deps, concerned: SomeEdges): Promise<State> {
  return await inSnapshot(deps.db, async (queries) => {
    const { desiredVersion, versionsSince } = await readFleet(queries)
    return {
      fleet: {
        version: desiredVersion,
        layers: layersByName(await listLayers(queries, noLimits)),
        rolling: await rollingRevision(queries),
        traces: (await runningTraces(queries)).map(wishOf),
        revocations: (await recentRevocations(queries)).map(({ sequence, kind, subject, at, region }) => {
          return { sequence, kind, subject, at: at.getTime(), region }
        }),
      },
      versionsSince,
      // Includes forgotten edges: one that returns reads its entry, with all revocations, before control receives its
      // heartbeat.
      edges: await readDecisive(queries, concerned),
      total: await countEdges(queries),
    }
  })
}

const wishOf = ({ id, user, region, expiresAt, bytesMax, bodies }: TraceRow) => ({
  id,
  user,
  region,
  expiresAt: expiresAt.getTime(),
  bytesMax,
  bodies,
})
