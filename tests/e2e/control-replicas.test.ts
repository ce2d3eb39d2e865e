/** Two replicas behind nothing in common but Postgres and NATS: each request may go to either, and either may die. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { Control } from '@imapfleet/local'
import {
  decode,
  orderSchema,
  subjects,
  type EdgeView,
  type OrderView,
  type RevisionStatus,
  type RolloutView,
  type TraceView,
} from '@imapfleet/protocol'
import { Plane } from '../support/plane.ts'
import type { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

suite('two replicas of control', () => {
  let plane: Plane
  let replicas: [Control, Control]
  let eu: SimulatedEdge
  let us: SimulatedEdge
  before(async () => {
    plane = await Plane.start()
    replicas = [plane.control, await plane.replica()]
    eu = await plane.edge('eu', 'eu-1')
    us = await plane.edge('us', 'us-1')
    for (const edge of [eu, us]) edge.beat({ heartbeatMs: 60_000 })
    await until(
      'both entries',
      async () => (await eu.desired()) !== undefined && (await us.desired()) !== undefined,
    )
  })
  after(() => plane?.stop())

  let turn = 0
  /** Each request to the next replica in turn. */
  const ask = async (path: string, options: { method?: string; body?: unknown } = {}) =>
    await plane.api(path, { ...options, of: replicas[turn++ % 2]! })

  test('what is done at one is known at the other at once', async () => {
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

  test('a trace begun at one is followed at the other, and ended by the first', async () => {
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

  test('reports and heartbeats are shared between them, each stored once, also when one dies', async () => {
    const count = async () =>
      Number((await plane.sql`select count(*) from reports where boot = ${eu.boot}`)[0]?.['count'])
    for (let sent = 0; sent < 200; sent++) {
      await eu.send(eu.report({ counters: { client_connections_total: sent } }))
      if (sent === 100) await replicas[1].process.kill()
    }
    await until('all reports', async () => (await count()) === 200, 30_000)
    await replicas[1].process.start()
    us.beat({ heartbeatMs: 60_000, version: 'newer' })
    await until(
      'the heartbeat',
      async () => ((await ask('/v1/edges/us-1')).body as EdgeView).version === 'newer',
    )
  })

  test('a rollout goes on at the other when the one that began it dies', async () => {
    const begun = await plane.api('/v1/config/revisions', {
      of: replicas[1],
      body: {
        layer: { kind: 'global' },
        set: { 'pool.usesMax': 30 },
        rollout: { canaryEdges: ['eu-1'], soakSeconds: 0 },
      },
    })
    const { revision } = (begun.body as RevisionStatus).revision
    await replicas[1].process.kill()
    for (const edge of [eu, us]) {
      await until('its turn', async () => (await edge.desired())?.config.revision === revision)
      edge.beat({ heartbeatMs: 60_000, config: { applied: revision } })
    }
    const rollout = async () =>
      (await plane.api(`/v1/rollouts/${revision}`, { of: replicas[0] })).body as RolloutView
    await until('the end', async () => (await rollout()).state === 'completed')
    await replicas[1].process.start()
  })

  test('an order that was cut off by a death is asked for again at the other, and done once', async () => {
    const done = new Set<string>()
    let heard = 0
    eu.nats.subscribe(subjects.ordersFor(eu.address)[2]!, {
      callback: (_error, message) => {
        const order = decode(orderSchema, message.data)
        assert.ok(order.ok)
        heard += 1
        done.add(order.value.id)
        // The first time its answer comes too late for the one who asked.
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
    const cut = plane.api('/v1/orders', { body, of: replicas[1] }).catch(() => 'cut')
    await until('the order', () => heard === 1)
    await replicas[1].process.kill()
    assert.equal(await cut, 'cut')
    const order = (await plane.api('/v1/orders', { body, of: replicas[0] })).body as OrderView
    assert.deepEqual([order.edges[0]?.status, order.edges[0]?.result], ['answered', { sessions: 1 }])
    assert.deepEqual([...done], [body.id])
  })
})
