/**
 * Makes the bucket say what Postgres says: after each change for the edges it concerns, for an edge that was just heard
 * of, and in a tick for all. It compares and writes only what differs, so it may run anywhere, at any time, twice.
 */
import { reasonOf } from '@imapfleet/observe'
import { announceDesired, putDesired } from '../bus/desired.ts'
import { desiredVersion, raiseDesiredVersion } from '../db/fleet.ts'
import { listAllEdges, type EdgeRow } from '../db/edges.ts'
import { recentRevocations } from '../db/revocations.ts'
import { listLayers } from '../db/revisions.ts'
import { rollingRevision } from '../db/rollouts.ts'
import { runningTraces, type TraceRow } from '../db/traces.ts'
import type { Deps } from '../deps.ts'
import { desiredOf, type Truth } from '../desired/desired-of.ts'
import { ServiceError } from '../errors.ts'

/** Never fails for a NATS that is away: the change is in Postgres, and the tick tries again. */
export async function spreadDesired(
  deps: Deps,
  concerns: (edge: EdgeRow) => boolean = () => true,
): Promise<void> {
  try {
    const behind = await spreadOnce(deps, concerns)
    if (behind === undefined) return
    deps.log.warn('edges have a newer desired state than Postgres: continuing with a higher version', {
      version: behind,
    })
    await raiseDesiredVersion(deps.db.orm, behind)
    await spreadOnce(deps, () => true)
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'bus_unavailable') return
    deps.log.warn('the desired state could not be distributed; control will try again', {
      reason: reasonOf(error),
    })
  }
}

/** Returns the version that stands in the bucket if it is one that Postgres has never reached, or nothing. */
async function spreadOnce(deps: Deps, concerns: (edge: EdgeRow) => boolean): Promise<number | undefined> {
  const { truth, edges } = await readTruth(deps)
  const wanted = edges.filter(concerns).map(({ id, region, drain, revocationsApplied }) => {
    const address = { edge: id, region }
    return { address, desired: desiredOf({ ...address, drain, revocationsApplied }, truth) }
  })
  const { written, newest, failure } = await putDesired(deps.bus, wanted)
  if (written) announceDesired(deps.bus, truth.version)
  if (failure !== undefined) throw failure
  // A commit comes before its entry: what stands in the bucket has been in Postgres, unless Postgres was set back.
  return newest > (await desiredVersion(deps.db.orm)) ? newest : undefined
}

async function readTruth(deps: Deps): Promise<{ truth: Truth; edges: EdgeRow[] }> {
  return await deps.db.orm.transaction(
    async (tx) => ({
      truth: {
        version: await desiredVersion(tx),
        layers: await listLayers(tx),
        rolling: await rollingRevision(tx),
        traces: (await runningTraces(tx)).map(wishOf),
        revocations: (await recentRevocations(tx)).map(({ sequence, kind, subject, at }) => {
          return { sequence, kind, subject, at: at.getTime() }
        }),
      },
      // A forgotten edge that comes back reads its entry before control has heard of it: what was revoked stands there.
      edges: await listAllEdges(tx),
    }),
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  )
}

const wishOf = ({ id, user, expiresAt, bytesMax, bodies }: TraceRow) => ({
  id,
  user,
  expiresAt: expiresAt.getTime(),
  bytesMax,
  bodies,
})
