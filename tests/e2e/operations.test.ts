/** Operations that affect many users run region by region, and stop when edges become unhealthy. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { OperationView, OrderView } from '@imapfleet/api'
import { decode, orderSchema, subjects, type Order, type OrderAnswer } from '@imapfleet/protocol'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

type Reply = Partial<OrderAnswer>

suite('operations in stages', () => {
  let plane: Plane
  /** Edges that have got an order, in this order. */
  let heard: string[] = []
  let reply: (edge: string, order: Order) => Reply

  async function join(region: string, id: string): Promise<void> {
    const edge = await plane.edge(region, id)
    for (const subject of subjects.ordersFor(edge.address))
      edge.nats.subscribe(subject, {
        callback: (_error, message) => {
          const order = decode(orderSchema, message.data)
          assert.ok(order.ok)
          heard.push(id)
          edge.answer(order.value.id, reply(id, order.value))
        },
      })
    edge.beat({ heartbeatMs: 60_000 })
    await until(id, async () => (await plane.api(`/v1/edges/${id}`)).status === 200)
  }

  before(async () => {
    plane = await Plane.start()
    await join('eu', 'eu-1')
    await join('eu', 'eu-2')
    await join('us', 'us-1')
  })
  after(() => plane?.stop())

  const pause = { kind: 'pause-upstream', upstream: 'main' }
  const give = async (body: Record<string, unknown>) => {
    heard = []
    const answer = await plane.api('/v1/orders', { body: { action: pause, ...body } })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body as OrderView
  }
  const operationOf = async (order: OrderView) =>
    (await plane.api(`/v1/operations/${order.operation?.id}`)).body as OperationView
  const ended = async (order: OrderView) =>
    await until('the end of the operation', async () => {
      const operation = await operationOf(order)
      return operation.state !== 'running' && operation
    })

  test('the regions get the order one after the other, in the order that the request names', async () => {
    reply = () => ({ result: {} })
    const order = await give({ pace: { kind: 'staged', regions: ['us'], soakSeconds: 1 } })
    assert.equal(order.finishedAt, null)
    assert.deepEqual(
      order.operation?.stages.map(({ region }) => region),
      ['us', 'eu'],
    )
    await until('the first region', () => heard.length === 1)
    assert.deepEqual(heard, ['us-1'])
    assert.equal((await ended(order)).state, 'completed')
    assert.deepEqual(heard[0], 'us-1')
    assert.deepEqual(heard.slice(1).toSorted(), ['eu-1', 'eu-2'])
    const { edges, finishedAt } = (await plane.api(`/v1/orders/${order.id}`)).body as OrderView
    assert.deepEqual(edges.map(({ id, status }) => `${id} ${status}`).toSorted(), [
      'eu-1 answered',
      'eu-2 answered',
      'us-1 answered',
    ])
    assert.ok(finishedAt)
  })

  test('an edge that fails stops the order before the next region, until an operator continues', async () => {
    reply = (edge) =>
      (edge === 'eu-1' ? { failure: 'there is no upstream named main' } : { result: {} }) as Reply
    const order = await give({ pace: { kind: 'staged', soakSeconds: 0 } })
    const stopped = await ended(order)
    assert.equal(stopped.state, 'stopped')
    assert.match(stopped.reason ?? '', /^eu-1 failed: /)
    assert.deepEqual(heard.toSorted(), ['eu-1', 'eu-2'])
    const { status } = await plane.api(`/v1/operations/${stopped.id}/continue`, { method: 'POST' })
    assert.equal(status, 200)
    assert.equal((await ended(order)).state, 'completed')
    assert.equal(heard.at(-1), 'us-1')
    const again = await plane.api(`/v1/operations/${stopped.id}/abort`, { method: 'POST' })
    assert.deepEqual([again.status, (again.body as { code: string }).code], [409, 'operation_over'])
  })

  test('in an emergency it is carried out everywhere at once, and the audit log has the reason', async () => {
    reply = () => ({ result: {} })
    const order = await give({ pace: { kind: 'at-once', reason: 'incident 17' } })
    assert.equal(order.operation, undefined)
    assert.deepEqual(heard.toSorted(), ['eu-1', 'eu-2', 'us-1'])
    const { body } = await plane.api('/v1/audit?action=order.give&limit=1')
    assert.match(JSON.stringify(body), /"pace":\{"kind":"at-once","reason":"incident 17"\}/)
  })

  test('a resume ends a pause of the same upstream, so that no later region is paused', async () => {
    reply = () => ({ result: {} })
    const order = await give({ pace: { kind: 'staged', soakSeconds: 2 } })
    const resume = async (upstream: string) =>
      await plane.api('/v1/orders', { body: { action: { kind: 'resume-upstream', upstream } } })
    await until('the first region', () => heard.length === 2)
    await resume('other')
    assert.equal((await operationOf(order)).state, 'running')
    await resume('main')
    const { state, reason, stages } = await ended(order)
    assert.deepEqual([state, reason], ['aborted', 'tests resumed upstream main'])
    assert.equal(stages[1]?.state, 'waiting')
    const { body } = await plane.api('/v1/audit?action=operation.abort&limit=1')
    assert.match(JSON.stringify(body), /tests resumed upstream main/)
  })

  test('a request that is repeated is the same order and the same operation', async () => {
    reply = () => ({ result: {} })
    const id = randomUUID()
    const first = await give({ id, pace: { kind: 'staged', soakSeconds: 0 } })
    const second = await give({ id, pace: { kind: 'staged', soakSeconds: 0 } })
    assert.equal(second.operation?.id, first.operation?.id)
    await ended(first)
  })

  test('an order for one user, or for one region, is carried out at once', async () => {
    reply = (_, order) => ({ result: order.action.kind === 'kick-user' ? { sessions: 0 } : {} })
    const one = await give({ action: { kind: 'kick-user', user: 'ann' } })
    assert.equal(one.edges.length, 3)
    const region = await give({ target: { kind: 'region', name: 'eu' } })
    assert.deepEqual([region.edges.length, region.operation], [2, undefined])
  })

  test('a preview counts what an operation would affect, and names the edges that did not count', async () => {
    reply = (edge) =>
      edge === 'us-1' ? { result: { nonsense: 1 } } : { result: { users: 2, active: 1, idle: 3 } }
    heard = []
    const operation = { kind: 'order', action: { kind: 'kick-domain', domain: 'example.org' } }
    const { body } = await plane.api('/v1/operations/preview', { body: { operation } })
    assert.deepEqual(body, {
      edges: 3,
      regions: ['eu', 'us'],
      users: 4,
      active: 2,
      idle: 6,
      uncounted: ['us-1'],
      pace: 'staged',
    })
  })
})
