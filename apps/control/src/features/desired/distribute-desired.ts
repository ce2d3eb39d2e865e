/**
 * Makes the bucket equal to Postgres: after each change for the affected edges, after the first heartbeat of an edge,
 * and at intervals for all. It writes only entries that differ, so it can run on any replica at any time.
 */
import { reasonOf } from '@imapfleet/observe'
import { announceDesired, putDesired } from './bucket.ts'
import { desiredVersion, issueVersion } from './queries.ts'
import { listAllEdges, type EdgeRow } from '../edges/queries.ts'
import { recentRevocations } from '../revocations/queries.ts'
import { listLayers } from '../config/queries.ts'
import { rollingRevision } from '../rollouts/queries.ts'
import { runningTraces, type TraceRow } from '../traces/queries.ts'
import type { Deps } from '../../deps.ts'
import { desiredOf, type Truth } from './desired-of.ts'
import { ServiceError } from '../../platform/errors.ts'

/** Never throws if NATS is down: the change is in Postgres, and the timer tries again. */
export async function distributeDesired(
  deps: Deps,
  concerns: (edge: EdgeRow) => boolean = () => true,
): Promise<void> {
  try {
    const behind = await distributeOnce(deps, concerns)
    if (behind === undefined) return
    deps.log.warn('edges have a newer desired state than Postgres: continuing with a higher version', {
      version: behind,
    })
    await issueVersion(deps.db.orm, behind)
    await distributeOnce(deps, () => true)
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'bus_unavailable') return
    deps.log.warn('the desired state could not be distributed; control will try again', {
      reason: reasonOf(error),
    })
  }
}

/** Returns the version in the bucket if it is higher than any in Postgres, or undefined. */
async function distributeOnce(deps: Deps, concerns: (edge: EdgeRow) => boolean): Promise<number | undefined> {
  const { truth, edges } = await readTruth(deps)
  const wanted = edges.filter(concerns).map(({ id, region, drain, revocationsApplied }) => {
    const address = { edge: id, region }
    return { address, desired: desiredOf({ ...address, drain, revocationsApplied }, truth) }
  })
  const { written, newest, failure } = await putDesired(deps.bus, wanted)
  if (written) announceDesired(deps.bus, truth.version)
  if (failure !== undefined) throw failure
  // Every version in the bucket has been in Postgres first, unless Postgres was restored from a backup.
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
      // Includes forgotten edges: one that returns reads its entry, with all revocations, before control receives its
      // heartbeat.
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
