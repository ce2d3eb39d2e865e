/**
 * A control that is newer than its edges: an edge that writes messages as the first version of this wire protocol did takes part
 * in everything, and one of an older wire version is shown with what it needs, and holds nothing up. What an edge does with
 * messages of another version is in edge-orders.test.ts.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { edgeSchema, type EdgeView, type OrderView } from '@imapfleet/api'
import { repository } from '@imapfleet/local'
import { decode, encode, orderSchema, reportId, subjects, type Report } from '@imapfleet/protocol'
import { jetstream } from '@nats-io/jetstream'
import { Plane } from '../support/plane.ts'
import type { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

const heartbeatMs = 400

type Recorded = Record<'presence' | 'report' | 'orderAnswer', Record<string, unknown>>

suite('edges of older versions', () => {
  let plane: Plane
  let recorded: Recorded
  before(async () => {
    plane = await Plane.start()
    const file = join(repository, 'packages/protocol/recorded/first.json')
    recorded = JSON.parse(await readFile(file, 'utf8')) as Recorded
  })
  after(async () => await plane?.stop())

  const read = async (id: string): Promise<EdgeView> =>
    edgeSchema.parse((await plane.api(`/v1/edges/${id}`)).body)
  const give = async (target: object) =>
    (
      await plane.api('/v1/orders', {
        body: { target, action: { kind: 'kick-user', user: 'joe' }, timeoutMs: 15_000 },
      })
    ).body as OrderView
  /** The recorded message as this edge writes it now. */
  const now = (edge: SimulatedEdge, kind: keyof Recorded) => ({
    ...recorded[kind],
    ...edge.address,
    boot: edge.boot,
    at: Date.now(),
    ...('startedAt' in recorded[kind] && { startedAt: edge.startedAt }),
  })
  /** Answers each order with the recorded answer. */
  const obey = (edge: SimulatedEdge) => {
    for (const subject of subjects.ordersFor(edge.address))
      edge.nats.subscribe(subject, {
        callback: (_error, { data }) => {
          const order = decode(orderSchema, data)
          assert.ok(order.ok)
          const answer = { ...now(edge, 'orderAnswer'), order: order.value.id }
          edge.nats.publish(subjects.answer(edge.address, order.value.id), encode(answer))
        },
      })
  }
  const beating = (beat: () => void) => {
    beat()
    const timer = setInterval(beat, heartbeatMs)
    return () => clearInterval(timer)
  }

  test('an edge that writes as the first version did is served in full', async (t) => {
    const edge = await plane.edge('eu', 'first')
    obey(edge)
    t.after(beating(() => edge.nats.publish(subjects.presence(edge.address), encode(now(edge, 'presence')))))
    await until('the edge', async () => (await plane.api('/v1/edges/first')).status === 200)
    const { state, version, connections, listeners } = await read('first')
    assert.deepEqual(
      [state, version, connections.cached, listeners],
      ['serving', '0.1.0', 3, ['127.0.0.1:143']],
    )

    const [answered] = (await give({ kind: 'edge', name: 'first' })).edges
    assert.deepEqual([answered?.status, answered?.result], ['answered', { sessions: 1 }])

    // It reads the whole desired state, with the fields that it does not know.
    const desired = await until('its desired state', async () => await edge.desired())
    assert.equal(desired.drain, false)

    const js = jetstream(edge.nats)
    const base = now(edge, 'report') as unknown as Report
    for (const sequence of [1, 2]) {
      const at = base.at - (2 - sequence) * 30_000
      const counters = { 'logins_total{upstream="main",result="ok"}': sequence * 10 }
      const report = { ...base, at, startedAt: base.at - 60_000, sequence, counters }
      await js.publish(subjects.report(edge.address), encode(report), { msgID: reportId(report) })
    }
    await until('its reports in the database', async () => {
      const [row] = await plane.sql`select count(*)::int as reports from reports where edge = 'first'`
      return row?.['reports'] === 2
    })
  })

  test('an edge of an older wire version is shown with what it needs, holds up no order, and serves once it is upgraded', async (t) => {
    const [old, other] = await Promise.all([plane.edge('us', 'old'), plane.edge('us', 'other')])
    obey(other)
    t.after(beating(() => other.beat()))
    const stop = beating(() =>
      old.nats.publish(subjects.presence(old.address), encode({ ...now(old, 'presence'), v: 0 })),
    )
    t.after(stop)
    await until('both edges', async () => {
      const answers = await Promise.all(['old', 'other'].map((id) => plane.api(`/v1/edges/${id}`)))
      return answers.every(({ status }) => status === 200)
    })
    const { state, wireVersion, problems } = await read('old')
    assert.deepEqual([state, wireVersion], ['incompatible', 0])
    assert.deepEqual(
      problems.map(({ text }) => text),
      ['speaks wire version 0, and control speaks 1: upgrade the edge'],
    )
    const { edges } = await give({ kind: 'region', name: 'us' })
    assert.deepEqual(
      edges.map(({ id, status, reason }) => [id, status, reason]),
      [
        ['old', 'silent', 'it speaks wire version 0'],
        ['other', 'answered', null],
      ],
    )

    stop()
    old.restart()
    t.after(beating(() => old.beat()))
    await until('the upgraded edge', async () => (await read('old')).state === 'serving')
    assert.deepEqual((await read('old')).problems, [])
  })
})
