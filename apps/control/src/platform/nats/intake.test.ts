import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlMetrics, Log, Metrics } from '@imapfleet/observe'
import { encode, measurementBytesMax, presenceSchema, subjects } from '@imapfleet/protocol'
import { Intake } from './intake.ts'
import { recognise } from './recognise.ts'

function start() {
  const lines: string[] = []
  let now = 0
  const metrics = new Metrics(controlMetrics)
  const log = new Log({ level: 'info', format: 'text' }, (line) => lines.push(line))
  return {
    intake: new Intake(log, metrics, () => now),
    metrics,
    lines,
    wait: (ms: number) => (now += ms),
  }
}

const subject = subjects.presence({ region: 'eu', edge: 'eu-1' })
const other = subjects.presence({ region: 'eu', edge: 'eu-2' })
const empty = { subject, data: new Uint8Array(2) }

test('an edge that floods is refused after its burst, gets its rate, and takes nothing from the others', () => {
  const { intake, wait } = start()
  const admitted = (count: number) => {
    let [own, theirs] = [0, 0]
    for (let sent = 0; sent < count; sent++) {
      if (!intake.refuses('heartbeat', empty)) own++
      if (sent % 5_600 === 0 && !intake.refuses('heartbeat', { ...empty, subject: other })) theirs++
    }
    return { own, theirs }
  }
  const first = admitted(28_000)
  assert.ok(first.own > 500 && first.own < 1_100, `${first.own}`)
  assert.equal(first.theirs, 5)
  wait(1_000)
  const second = admitted(28_000)
  assert.ok(second.own > 200 && second.own < 300, `${second.own}`)
  assert.equal(second.theirs, 5)
  wait(60_000)
  assert.equal(intake.refuses('heartbeat', empty), undefined)
})

test('large messages use the budget faster than small ones, and one beyond the limit is refused', () => {
  const { intake } = start()
  const large = { subject, data: new Uint8Array(measurementBytesMax) }
  let admitted = 0
  while (intake.refuses('heartbeat', large) === undefined) admitted++
  assert.equal(admitted, 3)
  const huge = { subject: other, data: new Uint8Array(measurementBytesMax + 1) }
  assert.equal(intake.refuses('heartbeat', huge), 'too-large')
})

test('the budget of a sender counts all its subjects of a kind: other orders give no new one', () => {
  const { intake } = start()
  const data = new Uint8Array(1_000_000)
  let admitted = 0
  for (let order = 0; order < 100; order++)
    if (
      !intake.refuses('answer', {
        subject: subjects.answer({ region: 'eu', edge: 'eu-1' }, `${order}`),
        data,
      })
    )
      admitted++
  assert.equal(admitted, 16)
})

test('a report does not use the budget of heartbeats', () => {
  const { intake } = start()
  while (!intake.refuses('heartbeat', empty));
  assert.equal(
    intake.refuses('report', { ...empty, subject: subjects.report({ region: 'eu', edge: 'eu-1' }) }),
    undefined,
  )
})

test('what is refused is counted by edge and kind, and each is logged once in ten minutes', () => {
  const { intake, lines, wait } = start()
  const beat = (message: object) =>
    intake.accepted(
      'heartbeat',
      subject,
      recognise(presenceSchema, { subject, data: encode(message) }, subjects.presence),
    )
  const good = {
    v: 1,
    edge: 'eu-1',
    region: 'eu',
    boot: '0191d5a0-0000-7000-8000-000000000001',
    at: 1,
    version: '1',
    startedAt: 1,
    state: 'serving',
    config: { applied: 0 },
    revocations: 0,
    gauges: {},
    degraded: [],
    listeners: [],
  }
  assert.equal(beat(good)?.edge, 'eu-1')
  for (let sent = 0; sent < 1_000; sent++) assert.equal(beat({}), undefined)
  assert.equal(beat({ ...good, edge: 'us-1', region: 'us' }), undefined)
  assert.ok(beat({ ...good, gauges: { edge_up: 0, 'upstream_healthy{upstream="a b"}': 1 } }))
  const taken = intake.take().map(({ edge, sentAs, kind, count }) => [edge, sentAs, kind, count])
  assert.deepEqual(taken, [
    ['eu-1', 'heartbeat', 'malformed', 1_000],
    ['eu-1', 'heartbeat', 'foreign', 1],
    ['eu-1', 'heartbeat', 'series-unknown', 1],
    ['eu-1', 'heartbeat', 'series-invalid', 1],
  ])
  assert.deepEqual(intake.take(), [])
  assert.equal(lines.length, 3)
  assert.match(lines[0]!, /edge=eu-1 sent_as=heartbeat kind=malformed/)
  wait(600_000)
  beat({})
  assert.equal(lines.length, 4)
})

test('invented senders cost bounded memory and a bounded number of log lines', () => {
  const { intake, lines } = start()
  for (let sender = 0; sender < 120_000; sender++)
    intake.note('heartbeat', subjects.presence({ region: 'eu', edge: `x${sender}` }), 'malformed', 'not JSON')
  assert.equal(intake.take().length, 2_000)
  assert.equal(lines.length, 200)
})
