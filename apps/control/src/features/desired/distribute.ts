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
import { countEdges, selectDesiredEdges, type SomeEdges } from '../edges/queries.ts'
import { recentRevocations } from '../revocations/queries.ts'
import { rollingRevision } from '../rollouts/queries.ts'
import { runningTraces, type TraceRow } from '../traces/queries.ts'
import { announceDesired, putDesired, type PutResult, type DesiredEntry } from './bucket.ts'
import { desiredOf, layersByName, versionMinOf, type FleetState } from './desired-of.ts'
import { reasonToHold, reasonToKeepBucket, logHeld } from './hold.ts'
import { isKnownEqual, noteEqual, observe } from './last-equal.ts'
import { forgetOldVersions, keptVersionsUs, ownVersions, readFleet } from './queries.ts'
import { continueAbove, recoverFromBucket } from './restores.ts'

const all: SomeEdges = { kind: 'all' }

/**
 * Never throws if NATS is down: the change is in Postgres, and the timer tries again.
 * @param concerned the edges whose desired state has changed
 */
export async function distributeDesired(deps: Deps, concerned = all): Promise<void> {
  await distribute(deps, concerned)
}

/** Returns true if the entries were there already. */
async function distribute(deps: Deps, concerned: SomeEdges): Promise<boolean> {
  try {
    const held = await reasonToHold(deps.db.orm)
    logHeld(deps, held)
    if (held !== undefined) return false
    const { written, hasForeign } = await distributeOnce(deps, concerned)
    if (!hasForeign) return written.length === 0
    const kept = await reasonToKeepBucket(deps.db.orm)
    if (kept !== undefined) logHeld(deps, kept)
    else {
      // Postgres was restored from an older dump. Everything in the bucket is of another history.
      const recovered = await recoverFromBucket(deps)
      await distributeOnce(deps, all, recovered)
    }
  } catch (error) {
    const isDown = error instanceof ServiceError && error.code === 'bus_unavailable'
    if (!isDown)
      deps.log.warn('the desired state could not be distributed; control will try again', {
        reason: reasonOf(error),
      })
  }
  return false
}

/** Repairs the bucket after a crash between a commit and its entries, or after NATS lost its store. */
export async function reconcile(deps: Deps, lease: Pick<Lease, 'check'>): Promise<void> {
  await deps.bus.repair()
  // Entries have versions, so even a replica that hangs after this check overwrites no newer one.
  await lease.check()
  await forgetOldVersions(deps.db.orm)
  // Before the entries are read, so that a change meanwhile makes the next run read them again.
  const observed = await observe(deps)
  if (isKnownEqual(deps, observed)) return
  if (await distribute(deps, all)) noteEqual(deps, observed)
}

/** @param recovered entries of another database up to this place of the bucket are overwritten */
async function distributeOnce(
  deps: Deps,
  concerned: SomeEdges,
  recovered = 0,
): Promise<Pick<PutResult, 'written' | 'hasForeign'>> {
  const { db, bus, now } = deps
  let read = await readState(deps, concerned)
  // An edge that runs a higher version of another history would ignore its entry.
  if (await continueAbove(deps, read.edges, read.fleet.version)) read = await readState(deps, concerned)
  const { fleet, edges, total, versionsSince } = read
  const refreshed = now() * 1000 - keptVersionsUs / 2
  const wanted = edges.map((row): DesiredEntry => {
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
  return { written, hasForeign }
}

interface State {
  fleet: FleetState
  versionsSince: number
  edges: Awaited<ReturnType<typeof selectDesiredEdges>>
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
        traces: (await runningTraces(queries)).map(desiredTraceOf),
        revocations: (await recentRevocations(queries)).map(({ sequence, kind, subject, at, region }) => {
          return { sequence, kind, subject, at: at.getTime(), region }
        }),
      },
      versionsSince,
      // Includes forgotten edges: one that returns reads its entry, with all revocations, before control receives its
      // heartbeat.
      edges: await selectDesiredEdges(queries, concerned),
      total: await countEdges(queries),
    }
  })
}

const desiredTraceOf = ({ id, user, region, expiresAt, bytesMax, bodies }: TraceRow) => ({
  id,
  user,
  region,
  expiresAt: expiresAt.getTime(),
  bytesMax,
  bodies,
})
