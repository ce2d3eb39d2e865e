/** Rollouts during a fault: how they end, and how often. */
import { until } from '../support/until.ts'
import { patienceMs, type ChaosFleet } from './chaos-fleet.ts'

/** It is rolled back only for an edge that refuses it. */
export const patient = { soakSeconds: 0, silenceSeconds: 600 }
/** The same in a single wave. */
export const atOnce = { ...patient, canaryPercent: 100 }

/** Waits for the end of a rollout. Any other end than the completion is a failure. */
export async function completed(world: ChaosFleet, revision: number): Promise<void> {
  const state = await until(
    `the end of rollout ${revision}`,
    async () => {
      const rollout = await world.ask((client) =>
        client.call('readRollout', { params: { revision }, timeoutMs: 10_000 }),
      )
      return rollout.state !== 'running' && rollout
    },
    patienceMs,
  )
  if (state.state !== 'completed') throw new Error(`rollout ${revision} is ${state.state}: ${state.reason}`)
}

/** What the audit log says about it. */
export async function endsOf({ sql }: ChaosFleet, revision: number): Promise<string[]> {
  const rows = await sql<{ action: string }[]>`
    select action from audit where target = ${String(revision)} and action like 'rollout.%'`
  return rows.map(({ action }) => action)
}
