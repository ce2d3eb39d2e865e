import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TraceBatch, type TraceWish } from '@imapfleet/protocol'
import { edgeAtWork } from '../edge/edge.test-support.ts'
import { untilTrue } from '../pool/pool.test-support.ts'
import { ScriptedNats, sender } from './fleet.test-support.ts'
import { FleetTraces } from './traces.ts'

const id = (n: number) => `6f2c7a34-0a3e-4f4b-9a63-0f6f0c0f3c1${n}`
const wish = (n: number, more: Partial<TraceWish> = {}): TraceWish => ({
  ...{ id: id(n), user: 'joe', expiresAt: Date.now() + 600_000, bytesMax: 1_000_000, bodies: false },
  ...more,
})

async function tracesOfEdge() {
  const atWork = await edgeAtWork()
  const nats = new ScriptedNats()
  let isUp = true
  let controlNow: () => number = Date.now
  const traces = new FleetTraces(
    atWork.edge,
    sender,
    () => (isUp ? nats.handles : undefined),
    () => controlNow(),
  )
  const batches = () => nats.stored.map(({ message }) => message as TraceBatch)
  return {
    ...atWork,
    nats,
    traces,
    batches,
    setUp: (up: boolean) => (isUp = up),
    /** The clock of control minus that of this edge. */
    setSkew: (ms: number) => (controlNow = () => Date.now() + ms),
    texts: () => batches().flatMap(({ lines }) => lines.map(({ text }) => text)),
  }
}

test('a trace begins with an empty batch, has its lines in order, and ends with a reason', async () => {
  const { traces, session, nats, batches, texts } = await tracesOfEdge()
  traces.follow([wish(1)])
  const joe = await session('joe')
  const jane = await session('jane')
  for (const [n, client] of [joe, jane].entries()) {
    client.say(`x${n} NOOP\r\n`)
    await client.until(`x${n} OK`)
  }
  joe.say('y LOGOUT\r\n')
  await joe.closed()
  await untilTrue(() => texts().includes('session ended: logout'))
  traces.follow([])
  await untilTrue(() => batches().at(-1)?.ended !== undefined)
  assert.deepEqual(batches()[0]?.lines, [])
  assert.equal(batches().at(-1)?.ended, 'stopped')
  assert.deepEqual(
    batches().map(({ sequence }) => sequence),
    batches().map((_, index) => index + 1),
  )
  assert.deepEqual(texts().slice(1), [
    'x0 NOOP',
    'x0 OK done',
    'y LOGOUT',
    '* BYE Logging out',
    'y OK Completed',
    'session ended: logout',
  ])
  assert.ok(nats.stored.every(({ subject }) => subject === `imapfleet.trace.eu.eu-1.${id(1)}`))
  assert.equal(new Set(nats.stored.map((stored) => stored.id)).size, nats.stored.length)
})

test('a trace that is requested again continues, one that has expired does not begin, and an ended one may begin again', async () => {
  const { traces, edge, batches } = await tracesOfEdge()
  traces.follow([wish(1), wish(2, { expiresAt: Date.now() - 1 })])
  traces.follow([wish(1), wish(2, { expiresAt: 0 })])
  assert.deepEqual(edge.context.tracer.ids(), [id(1)])
  traces.follow([])
  traces.follow([wish(1)])
  assert.deepEqual(edge.context.tracer.ids(), [id(1)])
  await traces.send()
  assert.deepEqual(
    batches().map(({ sequence, ended }) => [sequence, ended]),
    [
      [1, undefined],
      [2, 'stopped'],
      [1, undefined],
    ],
  )
})

test('a trace lasts as long as control wants, whatever the clock of the edge says', async () => {
  const { traces, edge, setSkew, batches } = await tracesOfEdge()
  const [day, hour] = [86_400_000, 3_600_000]
  // The edge is a day ahead. Before it learns the time of control, the trace has expired by its own.
  const left = wish(1, { expiresAt: Date.now() - day + hour })
  traces.follow([left])
  assert.deepEqual(edge.context.tracer.ids(), [])
  setSkew(-day)
  traces.follow()
  assert.deepEqual(edge.context.tracer.ids(), [id(1)])
  // A trace that began by the clock of the edge, which is a day behind, ends by that of control.
  setSkew(0)
  traces.follow([wish(2, { expiresAt: Date.now() + day - hour })])
  assert.deepEqual(edge.context.tracer.ids(), [id(2)])
  setSkew(day)
  traces.follow()
  edge.context.tracer.sweep()
  assert.deepEqual(edge.context.tracer.ids(), [])
  await traces.send()
  assert.equal(batches().at(-1)?.ended, 'expired')
})

test('many lines are sent at once, and few lines after a moment; NUL and long text are made storable', async () => {
  const { traces, batches } = await tracesOfEdge()
  const order = wish(1)
  const line = (text: string) => traces.line(order, { at: 1, session: 's', from: 'C', text })
  for (let n = 0; n < 200; n++) line(`line ${n}`)
  await traces.send()
  assert.deepEqual(
    batches().map(({ lines }) => lines.length),
    [200],
  )
  line(`a\0b${'c'.repeat(10_000)}`)
  await traces.send()
  assert.equal(batches().length, 1)
  await untilTrue(() => batches().length === 2)
  const text = batches()[1]?.lines[0]?.text ?? ''
  assert.equal(text.length, 8192)
  assert.ok(text.startsWith('a\u2400bc'))
  for (let n = 0; n < 13; n++) line('d'.repeat(8000))
  await traces.send()
  assert.equal(batches()[2]?.lines.length, 13)
})

test('batches wait while NATS is down, and are sent in order when it is up; beyond 2000 the oldest are dropped', async () => {
  const { traces, batches, setUp } = await tracesOfEdge()
  setUp(false)
  const order = wish(1)
  for (let n = 0; n < 2003; n++) {
    traces.line(order, { at: 1, session: 's', from: 'C', text: String(n) })
    traces.flush()
  }
  await traces.send()
  assert.equal(batches().length, 0)
  setUp(true)
  await traces.send()
  assert.equal(batches().length, 2000)
  assert.deepEqual([batches()[0]?.sequence, batches().at(-1)?.sequence], [4, 2003])
})
