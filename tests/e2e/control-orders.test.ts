/** Orders: the result covers every edge that the order was for, and repeated requests are one order. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { OrderSummary, OrderView } from '@imapfleet/api'
import { decode, orderSchema, subjects, type Order, type OrderAnswer } from '@imapfleet/protocol'
import { Plane } from '../support/plane.ts'
import type { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

type Reply = Partial<OrderAnswer>

/** The answer to `version`. */
const told = (version: string): Reply => ({ result: { version } })

suite('orders', () => {
  let plane: Plane
  const heard = new Map<string, Order[]>()
  /** How each edge answers an order. Undefined: it does not answer. */
  let replies: (edge: string, order: Order) => Reply[] = () => [told('done')]

  async function join(region: string, id: string): Promise<SimulatedEdge> {
    const edge = await plane.edge(region, id)
    for (const subject of subjects.ordersFor(edge.address))
      edge.nats.subscribe(subject, {
        callback: (_error, message) => {
          const order = decode(orderSchema, message.data)
          assert.ok(order.ok)
          heard.set(id, [...(heard.get(id) ?? []), order.value])
          for (const reply of replies(id, order.value)) edge.answer(order.value.id, reply)
        },
      })
    edge.beat({ heartbeatMs: 60_000 })
    await until(id, async () => (await plane.api(`/v1/edges/${id}`)).status === 200)
    return edge
  }

  before(async () => {
    plane = await Plane.start()
    await join('eu', 'eu-1')
    await join('eu', 'eu-2')
    await join('us', 'us-1')
  })
  after(() => plane?.stop())

  const give = async (body: Record<string, unknown>) => {
    const answer = await plane.api('/v1/orders', { body: { action: { kind: 'version' }, ...body } })
    return { status: answer.status, body: answer.body as OrderView & { code: string } }
  }
  const account = ({ edges }: OrderView) => edges.map(({ id, status }) => [id, status])

  test('an order goes to all edges, to a region or to one edge, and to no other edge', async () => {
    replies = (edge) => [told(`of ${edge}`)]
    heard.clear()
    const all = await give({})
    assert.deepEqual(account(all.body), [
      ['eu-1', 'answered'],
      ['eu-2', 'answered'],
      ['us-1', 'answered'],
    ])
    assert.deepEqual(all.body.edges[2]?.result, { version: 'of us-1' })
    assert.ok(all.body.finishedAt)

    heard.clear()
    const eu = await give({ target: { kind: 'region', name: 'eu' } })
    assert.deepEqual(account(eu.body), [
      ['eu-1', 'answered'],
      ['eu-2', 'answered'],
    ])
    const one = await give({ target: { kind: 'edge', name: 'us-1' } })
    assert.deepEqual(account(one.body), [['us-1', 'answered']])
    assert.deepEqual(
      [...heard].map(([id, orders]) => [id, orders.length] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)),
      [
        ['eu-1', 1],
        ['eu-2', 1],
        ['us-1', 1],
      ],
    )
  })

  test('the result distinguishes edges that answered, failed with a reason, and were silent', async () => {
    replies = (edge) =>
      edge === 'eu-1' ? [told('1')] : edge === 'eu-2' ? [{ ok: false, reason: 'no such upstream' }] : []
    const { body } = await give({ timeoutMs: 300 })
    assert.deepEqual(
      body.edges.map(({ id, status, reason }) => [id, status, reason]),
      [
        ['eu-1', 'answered', null],
        ['eu-2', 'failed', 'no such upstream'],
        ['us-1', 'silent', 'it did not answer in time'],
      ],
    )
  })

  test('an order does not wait for a silent edge', async () => {
    replies = () => [told('1')]
    const gone = await plane.edge('eu', 'eu-9')
    gone.beat({ heartbeatMs: 50 })
    await until(
      'its silence',
      async () => ((await plane.api('/v1/edges/eu-9')).body as { state: string }).state === 'silent',
    )
    const began = performance.now()
    const { body } = await give({ timeoutMs: 10_000 })
    assert.ok(performance.now() - began < 5_000)
    assert.deepEqual(
      body.edges.find(({ id }) => id === 'eu-9'),
      {
        id: 'eu-9',
        region: 'eu',
        status: 'silent',
        reason: 'it is silent',
        result: null,
      },
    )
    await plane.sql`delete from edges where id = 'eu-9'`
  })

  test('a repeated request with the same id gets the same result, and edges get the order once', async () => {
    replies = () => [{ result: { sessions: 0 } }]
    heard.clear()
    const id = randomUUID()
    const order = { id, action: { kind: 'kick-user', user: 'ann' } }
    const first = await give(order)
    const again = await give(order)
    assert.deepEqual(again, first)
    assert.deepEqual(heard.get('eu-1')?.length, 1)
    const other = await give({ id, action: { kind: 'kick-user', user: 'bob' } })
    assert.deepEqual([other.status, other.body.code], [409, 'order_conflict'])
    const [row] = await plane.sql`select * from audit where action = 'order.give' and after ->> 'id' = ${id}`
    assert.deepEqual([row?.['actor'], row?.['target'], row?.['after'].user], ['tests', 'all', 'ann'])
  })

  test('if control stops during an order, a repeated request gets the results', async () => {
    const id = randomUUID()
    const target = { kind: 'edge', name: 'us-1' }
    heard.clear()
    replies = () => []
    const cut = give({ id, target, timeoutMs: 10_000 }).catch(() => 'cut')
    await until('the order', () => heard.get('us-1')?.length === 1)
    await plane.control.process.kill()
    assert.equal(await cut, 'cut')
    await plane.control.process.start()
    replies = () => [told('done once')]
    const { body } = await give({ id, target, timeoutMs: 10_000 })
    assert.deepEqual([body.edges[0]?.status, body.edges[0]?.result], ['answered', { version: 'done once' }])
    // The edge sees that it is the same order.
    assert.deepEqual(
      heard.get('us-1')?.map((order) => order.id),
      [id, id],
    )
  })

  test('a long answer in chunks is joined', async () => {
    const line = (uses: number) => ({ user: 'ann', upstream: 'main', state: 'idle', since: 1, uses })
    replies = () => [
      { result: [line(1), line(2)], more: true },
      { result: [line(3)], more: false },
    ]
    const { body } = await give({ target: { kind: 'edge', name: 'eu-1' }, action: { kind: 'who' } })
    assert.deepEqual(body.edges[0]?.result, [line(1), line(2), line(3)])
  })

  test('an answer to another order, or an invalid one, is ignored', async () => {
    replies = (_edge, order) => [{ ok: false, reason: 'x'.repeat(10_000) }, told(order.id)]
    const { body } = await give({ target: { kind: 'edge', name: 'eu-1' } })
    assert.equal(body.edges[0]?.status, 'answered')
    assert.equal(body.edges[0]?.reason, null)
  })

  test('an answer that does not fit the kind of the order is a failure of that edge only', async () => {
    replies = (edge) =>
      edge === 'eu-1'
        ? [{ result: { version: 'with \u0000' } }]
        : edge === 'eu-2'
          ? [{ result: { sessions: 1 } }, told('too late')]
          : [{ result: { version: '1', addedLater: true } }]
    const { status, body } = await give({})
    assert.equal(status, 200)
    const [eu1, eu2, us1] = body.edges
    assert.deepEqual([eu1?.status, eu1?.result], ['failed', null])
    assert.match(eu1?.reason ?? '', /^its answer is malformed \(version: /)
    assert.deepEqual([eu2?.status, eu2?.result], ['failed', null])
    assert.match(eu2?.reason ?? '', /^its answer is malformed \(version: /)
    assert.deepEqual([us1?.status, us1?.result], ['answered', { version: '1' }], 'only what was parsed')
    assert.deepEqual((await plane.api(`/v1/orders/${body.id}`)).body, body)
  })

  test('an edge cannot answer for another edge: the subject names the sender', async () => {
    replies = (edge) =>
      edge === 'eu-1'
        ? []
        : edge === 'eu-2'
          ? [{ ...told('forged'), edge: 'eu-1' }, told('own')]
          : [told('1')]
    const { body } = await give({ timeoutMs: 300 })
    assert.deepEqual(
      body.edges.map(({ id, status, result }) => [id, status, result]),
      [
        ['eu-1', 'silent', null],
        ['eu-2', 'answered', { version: 'own' }],
        ['us-1', 'answered', { version: '1' }],
      ],
    )
  })

  test('orders are listed newest first, page by page', async () => {
    const first = (await plane.api('/v1/orders?limit=2')).body as { orders: OrderSummary[]; next: number }
    const second = (await plane.api(`/v1/orders?limit=2&before=${first.next}`)).body as {
      orders: OrderSummary[]
    }
    const all = [...first.orders, ...second.orders]
    assert.deepEqual(
      all.map(({ at }) => at),
      all.map(({ at }) => at).toSorted((a, b) => (a < b ? 1 : -1)),
    )
    assert.equal(new Set(all.map(({ id }) => id)).size, 4)
    const { edges, next, ...head } = (await plane.api(`/v1/orders/${all[0]!.id}`)).body as OrderView
    assert.deepEqual([head, next], [all[0], null])
    assert.equal(edges.length, 3)
  })

  test('the answers of an order are read page by page', async () => {
    replies = () => [told('1')]
    const { body } = await give({})
    const page = async (query: string) =>
      (await plane.api(`/v1/orders/${body.id}${query}`)).body as OrderView & { code: string }
    const first = await page('?limit=2')
    assert.deepEqual(
      [account(first), first.next, first.counts],
      [account(body).slice(0, 2), 'eu-2', body.counts],
    )
    const rest = await page('?limit=2&after=eu-2')
    assert.deepEqual([account(rest), rest.next], [account(body).slice(2), null])
    assert.equal((await page('?after=nobody')).code, 'request_invalid')
  })

  test('an order for an unknown edge, of an unknown kind, or while NATS is unreachable is refused and not recorded', async () => {
    const count = async () => (await plane.sql`select 1 from orders`).length
    const known = await count()
    assert.deepEqual((await give({ target: { kind: 'edge', name: 'nobody' } })).status, 404)
    assert.deepEqual((await give({ target: { kind: 'region', name: 'moon' } })).status, 404)
    assert.deepEqual((await give({ action: { kind: 'explode' } })).status, 400)
    await plane.nats.process?.kill()
    await until('control to notice', async () => (await fetch(`${plane.control.api}/readyz`)).status === 503)
    assert.deepEqual((await give({})).body.code, 'bus_unavailable')
    assert.equal(await count(), known)
  })
})
