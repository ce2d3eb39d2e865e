import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeMetrics, Metrics } from '@imapfleet/observe'
import {
  encode,
  traceBatchSchema,
  traceBytesMax,
  traceTextMax,
  type TraceBatch,
  type DesiredTrace,
} from '@imapfleet/protocol'
import { edgeAtWork } from '../edge/edge.test-support.ts'
import { untilTrue } from '../pool/pool.test-support.ts'
import { ScriptedNats, sender } from './fleet.test-support.ts'
import { FleetTraces } from './traces.ts'

const id = (n: number) => `6f2c7a34-0a3e-4f4b-9a63-0f6f0c0f3c1${n}`
const wanted = (n: number, more: Partial<DesiredTrace> = {}): DesiredTrace => ({
  ...{ id: id(n), user: 'joe', expiresAt: Date.now() + 600_000, bytesMax: 1_000_000, bodies: false },
  ...more,
})

async function tracesOfEdge() {
  const atWork = await edgeAtWork()
  const nats = new ScriptedNats()
  let isUp = true
  let controlNow: () => number = Date.now
  const { trace_lines_lost_total: lost } = new Metrics(edgeMetrics).counters
  const refusals: string[] = []
  const traces = new FleetTraces({
    edge: atWork.edge,
    sender,
    fleet: () => (isUp ? nats.handles : undefined),
    controlNow: () => controlNow(),
    lost,
    refused: (why) => refusals.push(why),
  })
  const batches = () => nats.stored.map(({ message }) => message as TraceBatch)
  return {
    ...atWork,
    nats,
    traces,
    batches,
    lost,
    refusals,
    setUp: (up: boolean) => (isUp = up),
    /** The clock of control minus that of this edge. */
    setSkew: (ms: number) => (controlNow = () => Date.now() + ms),
    texts: () => batches().flatMap(({ lines }) => lines.map(({ text }) => text)),
  }
}

test('a trace begins with an empty batch, has its lines in order, and ends with a reason', async () => {
  const { traces, session, nats, batches, texts } = await tracesOfEdge()
  traces.follow([wanted(1)])
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
  assert.ok(nats.stored.every(({ subject }) => subject === 'imapfleet.trace.eu.eu-1.lines'))
  assert.ok(batches().every(({ trace }) => trace === id(1)))
  assert.equal(new Set(nats.stored.map((stored) => stored.id)).size, nats.stored.length)
})

test('a trace that is requested again continues, one that has expired does not begin, and an ended one may begin again', async () => {
  const { traces, edge, batches } = await tracesOfEdge()
  traces.follow([wanted(1), wanted(2, { expiresAt: Date.now() - 1 })])
  traces.follow([wanted(1), wanted(2, { expiresAt: 0 })])
  assert.deepEqual(edge.context.tracer.ids(), [id(1)])
  traces.follow([])
  traces.follow([wanted(1)])
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

test('the duration of a trace is determined by the clock of control, whatever the clock of the edge', async () => {
  const { traces, edge, setSkew, batches } = await tracesOfEdge()
  const [day, hour] = [86_400_000, 3_600_000]
  // The edge is a day ahead. Before it learns the time of control, the trace has expired by the clock of the edge.
  const left = wanted(1, { expiresAt: Date.now() - day + hour })
  traces.follow([left])
  assert.deepEqual(edge.context.tracer.ids(), [])
  setSkew(-day)
  traces.follow()
  assert.deepEqual(edge.context.tracer.ids(), [id(1)])
  // The edge is a day behind. A trace that began by the clock of the edge ends by the clock of control.
  setSkew(0)
  traces.follow([wanted(2, { expiresAt: Date.now() + day - hour })])
  assert.deepEqual(edge.context.tracer.ids(), [id(2)])
  setSkew(day)
  traces.follow()
  edge.context.tracer.sweep()
  assert.deepEqual(edge.context.tracer.ids(), [])
  await traces.send()
  assert.equal(batches().at(-1)?.ended, 'expired')
})

test('many lines are sent immediately, and few lines after a short time, and NUL and long text are made storable', async () => {
  const { traces, batches } = await tracesOfEdge()
  const order = wanted(1)
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
  assert.equal(text.length, traceTextMax)
  assert.ok(text.startsWith('a\u2400bc'))
  for (let n = 0; n < 13; n++) line('d'.repeat(4000))
  await traces.send()
  assert.deepEqual(
    batches()
      .slice(2)
      .map(({ lines }) => lines.length),
    [6, 6],
  )
})

test('no batch is larger than JetStream accepts, whatever the lines and the user', async () => {
  const { traces, batches } = await tracesOfEdge()
  const user = '\u0001'.repeat(1024)
  const worst = ['\u0001', '"', '\u{1F600}', '\ud800', 'x', '\u20ac']
  for (const character of worst)
    for (const length of [1, 300, 5_000])
      for (let n = 0; n < 20; n++)
        traces.line(wanted(1, { user }), {
          at: 1,
          session: 's'.repeat(64),
          from: 'S',
          text: character.repeat(length),
        })
  traces.flush()
  await traces.send()
  assert.equal(
    batches().reduce((sum, { lines }) => sum + lines.length, 0),
    worst.length * 60,
  )
  for (const batch of batches()) {
    assert.ok(encode(batch).length <= traceBytesMax, `${encode(batch).length}`)
    assert.ok(traceBatchSchema.safeParse(batch).success)
  }
})

test('refused lines wait, are sent when NATS accepts them, and are counted if they are dropped', async () => {
  const { traces, batches, nats, refusals, lost } = await tracesOfEdge()
  const add = (text: string) => {
    traces.line(wanted(1), { at: 1, session: 's', from: 'C', text })
    traces.flush()
  }
  nats.refuses = Object.assign(new Error('no responders'), { name: 'JetStreamNotEnabled' })
  for (let n = 0; n < 2002; n++) add(String(n))
  await traces.send()
  assert.deepEqual([batches().length, traces.refusal, lost.value], [0, 'no-stream', 2])
  assert.ok(refusals.length > 0 && refusals.every((why) => why === 'no-stream'))
  nats.refuses = undefined
  await traces.send()
  assert.deepEqual([batches().length, traces.refusal, lost.value], [2000, undefined, 2])
})

test('batches wait while NATS is down, and are sent in order when it is up; beyond 2000 the oldest are dropped', async () => {
  const { traces, batches, setUp } = await tracesOfEdge()
  setUp(false)
  const order = wanted(1)
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
