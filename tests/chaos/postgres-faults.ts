/** The primary of Postgres is killed and its standby promoted, in the middle of everything. */
import { atOnce, completed, patient } from './rollouts.ts'
import type { FaultOptions, ChaosRun } from './chaos-run.ts'

export async function standbyIsPromoted(stage: ChaosRun, { say }: FaultOptions): Promise<void> {
  const { world, claims, views, pair } = stage
  if (!pair) throw new Error('there is no standby')
  // A rollout is in its first wave, an order and a revocation are being given.
  const first = await claims.configure({ ...patient, canaryEdges: ['eu-1'] })
  const given = Promise.all([claims.order(), claims.revoke(), claims.revoke()])
  await pair.failOver()
  say('the standby is promoted')
  await given
  await completed(world, first)
  const second = await claims.configure(atOnce)
  await claims.revoke()
  await claims.orderUntilAnswered()
  await completed(world, second)
  await claims.configured(second)
  await claims.revoked()
  await views.current([0, 1, 2])
  await pair.rebuildStandby()
  say('the new primary has a standby')
}
