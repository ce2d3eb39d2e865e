/** The region behind the leaf node is cut off, while clients use its edge. */
import assert from 'node:assert/strict'
import { until } from '../support/until.ts'
import { atOnce, completed } from './rollouts.ts'
import type { FaultOptions, ChaosRun } from './chaos-run.ts'
import { last, patienceMs } from './chaos-fleet.ts'

export async function regionIsCutOff(stage: ChaosRun, { faultMs, say }: FaultOptions): Promise<void> {
  const { world, claims, traffic } = stage
  const state = async () => {
    const { edges } = await world.ask((client) => client.call('listEdges'))
    return new Map(edges.map((edge) => [edge.id, edge.state]))
  }
  const logins = () => traffic.loginsAt('far-1')

  stage.cutLeaf()
  say('the region is cut off')
  const before = logins()
  await until('its edge to be silent', async () => (await state()).get('far-1') === 'silent', patienceMs)
  const revision = await claims.configure(atOnce)
  await claims.revoke()
  assert.deepEqual(new Set(await claims.order()), new Set(['eu-1', 'us-1']), 'who answers an order')
  // The rollout does not wait for an edge that was silent before.
  await completed(world, revision)
  await last(faultMs)
  assert.ok(logins() > before, 'mail flows in the region')
  assert.deepEqual(Object.fromEntries(await state()), {
    'eu-1': 'serving',
    'far-1': 'silent',
    'us-1': 'serving',
  })

  stage.healLeaf()
  say('the region is connected again')
  await until('its edge to be back', async () => (await state()).get('far-1') === 'serving', patienceMs)
  await claims.configured(revision)
  await claims.revoked()
  await claims.orderUntilAnswered()
}
