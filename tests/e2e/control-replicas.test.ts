/**
 * Two replicas of control behind a round robin, which share only Postgres and NATS. Each request may go to either, and
 * either may die at any time.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { ControlProcess } from '@imapfleet/local'
import { jetstreamManager } from '@nats-io/jetstream'
import {
  type EdgeView,
  type OrderView,
  type RevisionStatus,
  type RolloutView,
  type TraceView,
} from '@imapfleet/api'
import { consumers, decode, orderSchema, reportsOfEdgeMax, streams, subjects } from '@imapfleet/protocol'
import { Plane } from '../support/plane.ts'
import { RoundRobin } from '../support/round-robin.ts'
import type { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

suite('two replicas of control', () => {
  let plane: Plane
  let replicas: [ControlProcess, ControlProcess]
  let balancer: RoundRobin
  let eu: SimulatedEdge
  let us: SimulatedEdge
  before(async () => {
    plane = await Plane.start()
    replicas = [plane.control, await plane.replica()]
    balancer = await RoundRobin.before(replicas)
    eu = await plane.edge('eu', 'eu-1')
    us = await plane.edge('us', 'us-1')
    for (const edge of [eu, us]) edge.beat({ heartbeatMs: 60_000 })
    await until(
      'both entries',
      async () => (await eu.desired()) !== undefined && (await us.desired()) !== undefined,
    )
  })
  after(async () => {
    balancer?.close()
    await plane?.stop()
  })

  /** Each request to the next replica in turn. */
  const ask = async (path: string, options: { method?: string; body?: unknown } = {}) =>
    await plane.api(path, { ...options, of: balancer })

  test('a change at one replica is immediately visible at the other', async () => {
    for (let usesMax = 10; usesMax < 20; usesMax++) {
      const made = await ask('/v1/config/revisions', {
        body: { layer: { kind: 'global' }, set: { 'pool.usesMax': usesMax } },
      })
      assert.equal(made.status, 201)
      const { revision } = (made.body as RevisionStatus).revision
      assert.equal(((await ask('/v1/config')).body as { revision: number }).revision, revision)
      assert.equal((await eu.desired())?.config.revision, revision)
    }
  })

  test('a trace that was started at one replica is followed at the other, and ended by the first', async () => {
    const trace = (await plane.api('/v1/traces', { body: { user: 'ann', seconds: 60 }, of: replicas[0] }))
      .body as TraceView
    const live = await fetch(`${replicas[1].api}/v1/traces/${trace.id}/live`, {
      headers: { authorization: `Bearer ${plane.token}` },
    })
    const line = { at: Date.now(), session: 's', from: 'C' as const, text: 'a1 NOOP' }
    await eu.trace(trace.id, 'ann', [line])
    await plane.api(`/v1/traces/${trace.id}`, { method: 'DELETE', of: replicas[0] })
    await eu.trace(trace.id, 'ann', [], 'stopped')
    const events = (await live.text()).split('\n').filter((text) => /^(event|data):/.test(text))
    const data = (value: unknown) => `data: ${JSON.stringify(value)}`
    const edge = { edge: 'eu-1', region: 'eu' }
    assert.deepEqual(events, [
      'event: edge',
      data({ ...edge, state: 'tracing' }),
      'event: line',
      data({ ...line, ...edge }),
      'event: edge',
      data({ ...edge, state: 'ended', reason: 'stopped' }),
      'event: end',
      data({}),
    ])
  })

  test('the replicas share the reports, and if one dies while it stores some, each is still stored once', async () => {
    // What the stream takes of one edge. More would wait until the other replica gets what the hanging one has taken.
    const total = reportsOfEdgeMax
    const stored = async () => {
      const [row] = await plane.sql`
        select count(*)::int as rows, count(distinct sequence)::int as reports from reports where boot = ${eu.boot}`
      return row as unknown as { rows: number; reports: number }
    }
    const reports = Array.from({ length: total }, (_, sent) =>
      eu.report({ counters: { client_connections_total: sent } }),
    )
    // It takes reports from the stream and cannot store them.
    replicas[1].process.send('SIGSTOP')
    await Promise.all(reports.map((report) => eu.send(report)))
    const manager = await jetstreamManager(eu.nats)
    await until('all to be taken, some of them by the one that hangs', async () => {
      const { num_pending, num_ack_pending } = await manager.consumers.info(streams.reports, consumers.ingest)
      return num_pending === 0 && num_ack_pending > 0 && (await stored()).rows + num_ack_pending >= total
    })
    await replicas[1].process.kill()
    assert.ok((await stored()).rows < total)
    await until('all reports', async () => (await stored()).rows >= total, 40_000)
    assert.deepEqual(await stored(), { rows: total, reports: total })
    await replicas[1].process.start()
    us.beat({ heartbeatMs: 60_000, version: 'newer' })
    await until(
      'the heartbeat',
      async () => ((await ask('/v1/edges/us-1')).body as EdgeView).version === 'newer',
    )
  })

  test('if the replica that started a rollout dies, the other continues it, and can pause and resume it', async () => {
    const created = await ask('/v1/config/revisions', {
      body: {
        layer: { kind: 'global' },
        set: { 'pool.usesMax': 30 },
        rollout: { canaryEdges: ['eu-1'], soakSeconds: 0 },
      },
    })
    assert.equal(created.status, 201)
    const { revision } = (created.body as RevisionStatus).revision
    const rollout = async (steering = '') => {
      const how = steering === '' ? {} : { method: 'POST' }
      const answer = await ask(`/v1/rollouts/${revision}${steering}`, how)
      assert.equal(answer.status, 200)
      return answer.body as RolloutView
    }
    const dead = balancer.last
    await dead?.process.kill()
    assert.equal((await rollout('/pause')).state, 'paused')
    assert.equal((await rollout('/resume')).state, 'running')
    for (const edge of [eu, us]) {
      await until('its turn', async () => (await edge.desired())?.config.revision === revision)
      edge.beat({ heartbeatMs: 60_000, config: { applied: revision } })
    }
    await until('the end', async () => (await rollout()).state === 'completed')
    const completed = await plane.sql`
      select 1 from audit where action = 'rollout.complete' and target = ${String(revision)}`
    assert.equal(completed.length, 1)
    await dead?.process.start()
  })

  test('an order whose replica died is answered by the other one when it is repeated, and carried out once', async () => {
    const done = new Set<string>()
    let heard = 0
    eu.nats.subscribe(subjects.ordersFor(eu.address)[2]!, {
      callback: (_error, message) => {
        const order = decode(orderSchema, message.data)
        assert.ok(order.ok)
        heard += 1
        done.add(order.value.id)
        // Its first answer comes too late for the client.
        if (heard === 1) return
        eu.answer(order.value.id, { result: { sessions: 1 } })
      },
    })
    const body = {
      id: randomUUID(),
      target: { kind: 'edge', name: 'eu-1' },
      action: { kind: 'kick-user', user: 'ann' },
      timeoutMs: 15_000,
    }
    const cut = ask('/v1/orders', { body })
    await until('the order', () => heard === 1)
    const dead = balancer.last
    await dead?.process.kill()
    assert.equal((await cut).status, 502)
    const order = (await ask('/v1/orders', { body })).body as OrderView
    assert.deepEqual([order.edges[0]?.status, order.edges[0]?.result], ['answered', { sessions: 1 }])
    assert.deepEqual([...done], [body.id])
    const given = await plane.sql`select 1 from audit where action = 'order.give'`
    assert.equal(given.length, 1)
    await dead?.process.start()
  })
})
