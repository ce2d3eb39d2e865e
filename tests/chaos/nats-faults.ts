/** Faults of a NATS cluster of three whose streams have three copies. */
import assert from 'node:assert/strict'
import { desiredBucket, streams } from '@imapfleet/protocol'
import { until } from '../support/until.ts'
import { atOnce, completed, endsOf } from './rollouts.ts'
import type { FaultOptions, ChaosRun } from './chaos-run.ts'
import { last, patienceMs } from './chaos-fleet.ts'

const allStreams = [streams.reports, streams.traces, streams.evidence, desiredBucket.stream]

/** One server at a time is killed and loses its store, or is cut off. Everything continues with the other two. */
export async function natsServersFail(stage: ChaosRun, { faultMs, say }: FaultOptions): Promise<void> {
  const { cluster, claims } = stage
  await whole(stage)
  const lost = await cluster.leaderOf(streams.reports)
  await cluster.servers[lost]!.kill()
  say(`nats-${lost + 1}, the leader of the reports, is killed`)
  await work(stage)
  await cluster.loseStore(lost)
  await cluster.servers[lost]!.start()
  say('it is back without its store')
  await whole(stage)

  const cutOff = await cluster.leaderOf(streams.reports)
  cluster.cutOff(cutOff)
  say(`nats-${cutOff + 1} is cut off from the others`)
  await last(faultMs)
  cluster.heal()
  say('it is connected again')
  await work(stage)
  await whole(stage)
  await claims.revoked()
}

/** One server hangs. What is connected to it does not notice before long. */
export async function natsServerHangs(stage: ChaosRun, { faultMs, say }: FaultOptions): Promise<void> {
  const { cluster, claims } = stage
  await whole(stage)
  const hung = await cluster.leaderOf(streams.reports)
  cluster.servers[hung]!.send('SIGSTOP')
  say(`nats-${hung + 1} hangs`)
  await last(faultMs)
  await claims.revoke()
  cluster.servers[hung]!.send('SIGCONT')
  say('it goes on')
  await work(stage)
  await whole(stage)
  await claims.revoked()
}

/** Longer than control takes to notice that it hears nothing. */
const deafAfterMs = 4_000

/** Without a majority control is deaf. It decides nothing about edges that it cannot hear. */
export async function natsIsDown(stage: ChaosRun, { faultMs, say }: FaultOptions): Promise<void> {
  const { cluster, claims, world, views } = stage
  // Within the outage a soak ends, and the silence limit passes.
  const limits = { canaryPercent: 100, soakSeconds: 4, silenceSeconds: 9 }
  const revision = await claims.configure(limits)
  const rollout = async () => {
    const { state, waves } = await world.ask((client) =>
      client.call('readRollout', { params: { revision }, timeoutMs: 10_000 }),
    )
    return [state, ...waves.map((wave) => wave.state)]
  }
  const silentBefore = views.silent.length
  for (const server of cluster.servers) server.send('SIGSTOP')
  say('all servers of NATS hang')
  await last(deafAfterMs)
  const before = await rollout()
  await last(Math.max(faultMs, 10_000))
  assert.deepEqual(await rollout(), before, 'the rollout while control is deaf')
  assert.deepEqual(views.silent.slice(silentBefore), [], 'edges that were shown as silent')
  for (const server of cluster.servers) server.send('SIGCONT')
  say('they go on')
  await completed(world, revision)
  assert.deepEqual(await endsOf(world, revision), ['rollout.complete'])
  await whole(stage)
  await work(stage)
  assert.deepEqual(views.silent.slice(silentBefore), [], 'edges that were shown as silent')
}

/** Everything that operators do reaches all edges. */
async function work({ world, claims }: ChaosRun): Promise<void> {
  const revision = await claims.configure(atOnce)
  await claims.revoke()
  await claims.orderUntilAnswered()
  await completed(world, revision)
  await claims.configured(revision)
}

async function whole({ cluster }: ChaosRun): Promise<void> {
  await until('three copies of each stream', async () => await cluster.isWhole(allStreams), patienceMs)
}
