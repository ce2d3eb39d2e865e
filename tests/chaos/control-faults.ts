/**
 * One replica of control hangs in the middle of its timers and wakes up later, and one is killed, while reports arrive, a
 * rollout advances and orders are given.
 */
import assert from 'node:assert/strict'
import { until } from '../support/until.ts'
import { completed, endsOf, patient } from './rollouts.ts'
import type { FaultOptions, ChaosRun } from './chaos-run.ts'
import { patienceMs, type ChaosFleet } from './chaos-fleet.ts'

export async function replicasHangAndDie(stage: ChaosRun, { say }: FaultOptions): Promise<void> {
  const { world, claims, views } = stage
  const silentBefore = views.silent.length
  const first = await claims.configure({ ...patient, canaryEdges: ['eu-1'] })
  const hung = await hangInATick(world)
  say(`replica ${hung + 1} hangs in a timer`)
  const [dead, healthy] = [0, 1, 2].filter((index) => index !== hung) as [number, number]
  world.turnTo(healthy)
  await claims.revoke()
  await claims.orderUntilAnswered()

  await world.replicas[dead]!.process.kill()
  say(`replica ${dead + 1} is killed`)
  // The leases of the two expire.
  await completed(world, first)
  await claims.configured(first)
  const second = await claims.configure({ ...patient, canaryEdges: ['us-1'] })
  await claims.revoke()
  await claims.orderUntilAnswered()
  await completed(world, second)
  await views.current([healthy])

  say(`replica ${healthy + 1} has done everything`)
  world.replicas[hung]!.process.send('SIGCONT')
  await world.replicas[dead]!.process.start()
  await views.current([0, 1, 2])
  await claims.orderUntilAnswered()
  await claims.revoked()
  await claims.configured(second)
  say('all replicas are back')
  for (const revision of [first, second])
    assert.deepEqual(await endsOf(world, revision), ['rollout.complete'])
  assert.deepEqual(views.silent.slice(silentBefore), [], 'every edge sent its heartbeats all the time')
}

/** Stops a replica while it holds the lease of a timer, and returns its index. */
async function hangInATick(world: ChaosFleet): Promise<number> {
  let turn = 0
  return await until(
    'a replica that hangs in a timer',
    async () => {
      const index = turn++ % world.replicas.length
      const { process } = world.replicas[index]!
      process.send('SIGSTOP')
      const held = await world.sql`
        select 1 from leases where until > clock_timestamp() and holder like ${`%/${process.pid}`}`
      if (held.length > 0) return index
      process.send('SIGCONT')
      return undefined
    },
    patienceMs,
  )
}
