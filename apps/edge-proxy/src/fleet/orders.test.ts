import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { orderAnswerSchema, subjects, wireVersion, type Order, type OrderAction } from '@imapfleet/protocol'
import type { Edge } from '../edge/edge.ts'
import { edgeAtWork } from '../edge/edge.test-support.ts'
import { ScriptedNats, sender } from './fleet.test-support.ts'
import { Orders } from './orders.ts'
import { version } from '../version.ts'

const order = (action: OrderAction, more: Partial<Order> = {}): Order => ({
  ...{ v: wireVersion, id: randomUUID(), givenBy: 'ann', at: Date.now(), expiresAt: Date.now() + 60_000 },
  action,
  ...more,
})

async function edgeWithOrders() {
  const atWork = await edgeAtWork()
  const nats = new ScriptedNats()
  let now = 1_000_000
  const orders = new Orders(atWork.edge, sender, () => now)
  orders.subscribe(nats.handles)
  return {
    ...atWork,
    nats,
    orders,
    /** Passes time on the monotonic clock. */
    later: (ms: number) => void (now += ms),
    /** Gives an order, and returns the answers to it. */
    give: (given: unknown, subject = 'imapfleet.order.all') => {
      const before = nats.published.length
      nats.send(subject, given)
      return nats.published.slice(before).map(({ subject: to, message }) => ({
        to,
        ...orderAnswerSchema.parse(message),
      }))
    },
  }
}

test('an edge receives orders for all, for its region and for itself, and answers on its own subject', async () => {
  const { nats, give } = await edgeWithOrders()
  assert.deepEqual(nats.subjects, [
    'imapfleet.order.all',
    'imapfleet.order.region.eu',
    'imapfleet.order.edge.eu.eu-1',
  ])
  for (const subject of nats.subjects) {
    const given = order({ kind: 'route-lookup', user: 'joe' })
    const [answer, ...rest] = give(given, subject)
    assert.deepEqual(rest, [])
    assert.equal(answer?.to, subjects.answer(sender, given.id))
    assert.deepEqual(
      { edge: answer.edge, region: answer.region, boot: answer.boot, order: answer.order },
      { ...sender, order: given.id },
    )
    assert.deepEqual([answer.ok, answer.result, answer.more], [true, { upstream: 'main' }, false])
  }
})

test('an order that arrives again is not carried out again, and gets the same answer', async () => {
  const { give, session } = await edgeWithOrders()
  const first = await session('joe')
  const given = order({ kind: 'kick-user', user: 'joe' })
  assert.deepEqual(give(given)[0]?.result, { sessions: 1 })
  await first.closed()
  const second = await session('joe')
  assert.deepEqual(give(given)[0]?.result, { sessions: 1 })
  second.say('a NOOP\r\n')
  await second.until('a OK')
  assert.deepEqual(give(order({ kind: 'kick-user', user: 'joe' }))[0]?.result, { sessions: 1 })
  await second.closed()
})

test('an expired order is refused and not carried out, also when it arrives again', async () => {
  const { give, session, logged } = await edgeWithOrders()
  const joe = await session('joe')
  for (const lifetimeMs of [0, -1]) {
    const at = Date.now()
    const late = order({ kind: 'kick-user', user: 'joe' }, { at, expiresAt: at + lifetimeMs })
    for (const [answer] of [give(late), give(late)])
      assert.deepEqual([answer?.ok, answer?.reason, answer?.result], [false, 'the order has expired', null])
  }
  joe.say('a NOOP\r\n')
  await joe.until('a OK')
  assert.equal(logged.filter((line) => / order /.test(line)).length, 0)
})

test('an order is carried out whatever the difference between the clocks of control and of this edge', async () => {
  const { give, session } = await edgeWithOrders()
  for (const aheadMs of [-86_400_000, 86_400_000]) {
    const joe = await session('joe')
    const at = Date.now() + aheadMs
    const [answer] = give(order({ kind: 'kick-user', user: 'joe' }, { at, expiresAt: at + 12_000 }))
    assert.deepEqual(answer?.result, { sessions: 1 })
    await joe.closed()
  }
})

test('an order that was delayed for longer than its validity is refused with this reason', async () => {
  const { give, nats, orders, later, session } = await edgeWithOrders()
  const kick = () => order({ kind: 'kick-user', user: 'joe' }, { at: 5_000, expiresAt: 17_000 })
  await orders.confirm(nats.handles)
  later(12_000)
  assert.equal(give(kick())[0]?.ok, true)
  // The process was halted, and NATS delivers messages from that time.
  later(60_000)
  const joe = await session('joe')
  const [late] = give(kick())
  assert.deepEqual([late?.ok, late?.result], [false, null])
  assert.match(late?.reason ?? '', /may have expired: .* halted for 72 s/)
  // An answer of NATS to an older request proves nothing about later messages.
  const { promise: answered, resolve } = Promise.withResolvers<void>()
  nats.flushed = () => answered
  const confirming = orders.confirm(nats.handles)
  later(60_000)
  resolve()
  await confirming
  assert.equal(give(kick())[0]?.ok, false)
  nats.flushed = () => Promise.resolve()
  await orders.confirm(nats.handles)
  assert.deepEqual(give(kick())[0]?.result, { sessions: 1 })
  await joe.closed()
})

test('after a connect no order counts as old, and a lost connection confirms nothing', async () => {
  const { give, nats, orders, later } = await edgeWithOrders()
  later(60_000)
  nats.flushed = () => Promise.reject(new Error('lost'))
  await orders.confirm(nats.handles)
  assert.equal(give(order({ kind: 'version' }, { at: 0, expiresAt: 12_000 }))[0]?.ok, false)
  orders.connected()
  assert.equal(give(order({ kind: 'version' }, { at: 0, expiresAt: 12_000 }))[0]?.ok, true)
})

test('an order that arrives again on another connection is not carried out again', async () => {
  const { give, orders, session } = await edgeWithOrders()
  const given = order({ kind: 'kick-user', user: 'joe' })
  const first = await session('joe')
  assert.deepEqual(give(given)[0]?.result, { sessions: 1 })
  await first.closed()
  const again = new ScriptedNats()
  orders.subscribe(again.handles)
  const second = await session('joe')
  again.send('imapfleet.order.all', given)
  assert.equal(again.published.length, 1)
  second.say('a NOOP\r\n')
  await second.until('a OK')
})

test('an order that another edge made JetStream send is not carried out', async () => {
  const { nats, edge } = await edgeWithOrders()
  const forged = order({ kind: 'version' })
  nats.send('imapfleet.order.all', forged, { last: () => 'imapfleet.evidence.eu.evil' })
  assert.equal(nats.published.length, 0)
  assert.equal(edge.context.metrics.snapshot().counters['forged_messages_total'], 1)
})

test('an order that this edge does not understand is refused with the reason, and logged once per connection to NATS', async () => {
  const { give, logged, session } = await edgeWithOrders()
  const joe = await session('joe')
  const good = order({ kind: 'version' })
  for (const [bad, reason] of [
    [{ ...good, action: { kind: 'self-destruct' } }, /has no order self-destruct: upgrade it$/],
    [{ ...good, action: { kind: 'self-destruct\r\n' } }, /has no order self-destruct\?\?: upgrade it$/],
    [{ ...good, action: { kind: 'constructor' } }, /has no order constructor/],
    [{ ...good, action: { kind: 'kick-user' } }, /does not accept action\.user: /],
    [{ ...good, action: { kind: 'kick-user', user: '' } }, /does not accept action\.user: /],
    [{ ...good, action: { kind: 'pause-upstream', upstream: '../x' } }, /does not accept action\.upstream: /],
    [
      { ...good, v: 2, action: { kind: 'kick-user', user: 'joe' } },
      /speaks wire version 1, the order has wire version 2$/,
    ],
    [{ ...good, expiresAt: undefined }, /does not accept expiresAt: /],
  ] as const) {
    const [answer, ...rest] = give(bad)
    assert.deepEqual(
      [answer?.to, answer?.ok, answer?.result, rest],
      [subjects.answer(sender, good.id), false, null, []],
    )
    assert.match(answer?.reason ?? '', new RegExp(`^this edge has version ${version}`))
    assert.match(answer?.reason ?? '', reason)
  }
  for (const none of [{ ...good, id: 'x' }, { ...good, v: 'two' }, { id: good.id }, Buffer.from('kick joe')])
    assert.deepEqual(give(none), [])
  assert.equal(logged.filter((line) => line.includes('order_unreadable')).length, 1)
  joe.say('a NOOP\r\n')
  await joe.until('a OK')
  // A refusal is not remembered: the order was not carried out.
  assert.equal(give(good)[0]?.ok, true)
})

test('an order with an unknown name as parameter is answered with the reason', async () => {
  const { give } = await edgeWithOrders()
  const [answer] = give(order({ kind: 'pause-upstream', upstream: 'nowhere' }))
  assert.deepEqual([answer?.ok, answer?.reason], [false, 'there is no upstream named nowhere'])
  const [newlog] = give(order({ kind: 'newlog' }))
  assert.equal(newlog?.ok, false)
  assert.match(newlog.reason ?? '', /no protocol log/)
})

test('a paused server opens no connection until it is resumed', async () => {
  const { give, client } = await edgeWithOrders()
  assert.equal(give(order({ kind: 'pause-upstream', upstream: 'main' }))[0]?.ok, true)
  const joe = await client()
  joe.say('a LOGIN joe secret\r\n')
  await joe.until('a NO [UNAVAILABLE]')
  assert.equal(give(order({ kind: 'resume-upstream', upstream: 'main' }))[0]?.ok, true)
  joe.say('b LOGIN joe secret\r\n')
  await joe.until('b OK ')
})

test('the last thousand outcomes are kept, and no more', async () => {
  const { give, session } = await edgeWithOrders()
  const joe = await session('joe')
  const kick = order({ kind: 'kick-user', user: 'jane' })
  assert.deepEqual(give(kick)[0]?.result, { sessions: 0 })
  for (let count = 0; count < 998; count++) give(order({ kind: 'version' }))
  const jane = await session('jane')
  assert.deepEqual(give(kick)[0]?.result, { sessions: 0 })
  for (let count = 0; count < 1001; count++) give(order({ kind: 'version' }))
  assert.deepEqual(give(kick)[0]?.result, { sessions: 1 })
  await jane.closed()
  joe.say('a LOGOUT\r\n')
  await joe.closed()
})

test('each order is logged with its kind and who gave it', async () => {
  const { give, logged } = await edgeWithOrders()
  give(order({ kind: 'version' }))
  assert.ok(logged.some((line) => / order /.test(line) && line.includes('version') && line.includes('ann')))
})

test('an order whose operation throws is answered with the failure', async () => {
  const { edge } = await edgeWithOrders()
  const nats = new ScriptedNats()
  const broken = {
    context: {
      log: edge.context.log,
      metrics: edge.context.metrics,
      get pool(): never {
        throw new Error('no pool')
      },
    },
  }
  new Orders(broken as unknown as Edge, sender).subscribe(nats.handles)
  nats.send('imapfleet.order.all', order({ kind: 'who' }))
  const answer = orderAnswerSchema.parse(nats.published[0]?.message)
  assert.deepEqual([answer.ok, answer.reason], [false, 'no pool'])
})
