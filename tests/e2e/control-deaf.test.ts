/** Control that cannot hear does not judge silence: an outage of NATS or Postgres rolls nothing back. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { EdgeView, RevisionStatus, RolloutView } from '@imapfleet/api'
import { ObedientEdge } from '../support/obedient-edge.ts'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

const silenceSeconds = 5

suite('control that is deaf', () => {
  let plane: Plane
  const edges = new Map<string, ObedientEdge>()
  const quiet = new Set<string>()
  let beating: NodeJS.Timeout
  before(async () => {
    plane = await Plane.start({ durable: true })
    for (const id of ['eu-1', 'us-1']) {
      const edge = new ObedientEdge(await plane.edge(id.slice(0, 2), id))
      edge.heartbeatMs = 1_000
      edges.set(id, edge)
    }
    beating = setInterval(() => {
      for (const [id, edge] of edges) if (!quiet.has(id)) edge.beat()
    }, 500)
    for (const edge of edges.values())
      await until('its entry', async () => (await edge.edge.desired()) !== undefined)
  })
  after(async () => {
    clearInterval(beating)
    await plane?.stop()
  })

  let usesMax = 10
  /** A rollout whose first wave has been applied and soaks. */
  async function begin(): Promise<number> {
    usesMax += 1
    const rollout = { canaryEdges: ['eu-1'], soakSeconds: 8, silenceSeconds }
    const body = { layer: { kind: 'global' }, set: { 'pool.usesMax': usesMax }, rollout }
    const answer = await plane.api('/v1/config/revisions', { body })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    const { revision } = (answer.body as RevisionStatus).revision
    await until('the first wave', async () => {
      await edges.get('eu-1')!.look()
      const [row] = await plane.sql`select settled_at from rollouts where revision = ${revision}`
      return row?.['settled_at'] instanceof Date
    })
    return revision
  }
  const rolloutOf = async (revision: number) =>
    (await plane.api(`/v1/rollouts/${revision}`)).body as RolloutView
  const completed = async (revision: number) =>
    await until(
      'the end of the rollout',
      async () => {
        await Promise.all([...edges.values()].map((edge) => edge.look()))
        const rollout = await rolloutOf(revision)
        return rollout.state !== 'running' && rollout
      },
      40_000,
    )
  const passes = async (ms: number) => {
    const from = Date.now()
    await until('the limit', () => Date.now() - from > ms)
  }

  test('while NATS is down longer than the limit, no edge becomes silent, and the rollout goes on afterwards', async () => {
    const revision = await begin()
    await plane.nats.process!.kill()
    await passes((silenceSeconds + 3) * 1_000)
    assert.deepEqual(
      [(await rolloutOf(revision)).state, (await rolloutOf(revision)).reason],
      ['running', null],
    )
    const { edges: seen } = (await plane.api('/v1/edges')).body as { edges: EdgeView[] }
    assert.deepEqual(
      seen.map(({ state }) => state),
      ['serving', 'serving'],
    )
    await plane.nats.process!.start()
    const rollout = await completed(revision)
    assert.deepEqual([rollout.state, rollout.reason], ['completed', null])
  })

  test('while Postgres is down longer than the limit, nothing counts as silence either', async () => {
    const revision = await begin()
    await plane.postgres.process!.kill()
    await passes((silenceSeconds + 3) * 1_000)
    await plane.startPostgres()
    const rollout = await completed(revision)
    assert.deepEqual([rollout.state, rollout.reason], ['completed', null])
  })

  test('an edge that becomes silent while the others are heard rolls it back', async () => {
    const revision = await begin()
    quiet.add('eu-1')
    const rollout = await completed(revision)
    assert.deepEqual(
      [rollout.state, rollout.reason],
      ['rolled-back', `eu-1 has been silent for ${silenceSeconds} s`],
    )
  })
})
