/** What an edge can do on NATS with its real credential, tested with a plain client: what an edge needs, and nothing else. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { errors, type NatsConnection } from '@nats-io/transport-node'
import { type EdgeView } from '@imapfleet/api'
import {
  buckets,
  consumers,
  desiredEntry,
  desiredKey,
  encode,
  evidenceOfEdgeMax,
  evidenceRead,
  streams,
  subjects,
  wireVersion,
} from '@imapfleet/protocol'
import { Plane } from '../support/plane.ts'
import { connectNats, type SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

const trace = '6f1d9c52-6a0e-4c53-9d7a-0f6f3a1f2b11'
const order = '0d6c1a4e-5b2a-4b7e-8f11-2f1f0c9d7e55'
const us = { region: 'us', edge: 'us-1' }
const neighbour = { region: 'eu', edge: 'eu-2' }

/** The subjects that NATS has refused to this connection so far. */
function refusalsOf(nats: NatsConnection): string[] {
  const refused: string[] = []
  void (async () => {
    for await (const status of nats.status())
      if (status.type === 'error' && status.error instanceof errors.PermissionViolationError)
        refused.push(status.error.subject)
  })()
  return refused
}

suite('one edge on NATS', () => {
  let plane: Plane
  let edge: SimulatedEdge
  let other: SimulatedEdge
  let refused: string[]
  /** With control's own credential. */
  let admin: NatsConnection
  let manager: JetStreamManager
  /** When the streams existed. */
  let startedAt: number
  before(async () => {
    plane = await Plane.start({ perEdge: true })
    ;[edge, other] = [await plane.edge('eu', 'eu-1'), await plane.edge('us', 'us-1')]
    refused = refusalsOf(edge.nats)
    const { keys } = plane.nats
    assert.ok(keys)
    admin = await connectNats(plane.nats, { credentialsFile: keys.credentialsFile })
    manager = await jetstreamManager(admin)
    for (const each of [edge, other]) each.beat({ heartbeatMs: 60_000 })
    await until('both edges', async () => (await edgesNow()).length === 2)
    startedAt = Date.now()
  })
  after(async () => {
    await admin?.close()
    await plane?.stop()
  })
  const edgesNow = async () => ((await plane.api('/v1/edges')).body as { edges: EdgeView[] }).edges

  test('it can do everything that an edge needs', async () => {
    await edge.send(edge.report({ counters: { 'logins_total{result="ok"}': 1 } }))
    await until(
      'its report',
      async () => (await plane.sql`select 1 from reports where edge = 'eu-1'`).length === 1,
    )
    await edge.trace(trace, 'ann', [{ at: Date.now(), session: 's', from: 'C', text: 'A1 NOOP' }])
    await until('its desired state', async () => await edge.desired())
    for (const subject of subjects.ordersFor(edge.address))
      edge.nats.subscribe(subject, {
        callback: (_error, message) =>
          edge.answer(message.json<{ id: string }>().id, { result: { version: '1' } }),
      })
    await edge.nats.flush()
    for (const target of [{ kind: 'all' }, { kind: 'region', name: 'eu' }, { kind: 'edge', name: 'eu-1' }]) {
      const { body } = await plane.api('/v1/orders', {
        body: { target, action: { kind: 'version' }, timeoutMs: 500 },
      })
      const { edges } = body as { edges: { id: string; status: string }[] }
      assert.equal(edges.find(({ id }) => id === 'eu-1')?.status, 'answered', target.kind)
    }
    assert.deepEqual(refused, [])
  })

  test('it can send nothing as another edge or as control, and request nothing from JetStream but its own entry', async () => {
    const reports = streams.reports
    const forbidden = [
      ...[us, neighbour, { region: 'us', edge: 'eu-1' }].flatMap((address) => [
        subjects.presence(address),
        subjects.report(address),
        subjects.trace(address),
        subjects.answer(address, order),
        subjects.evidence(address),
        `${subjects.inbox(address)}.x`,
        desiredEntry(address).read,
        `$KV.${buckets.desired}.${desiredKey(address)}`,
      ]),
      `$KV.${buckets.desired}.${desiredKey(edge.address)}`,
      // Subjects without a separate bound: an edge could name any number of traces.
      `imapfleet.trace.eu.eu-1.${trace}`,
      subjects.order({ kind: 'all' }),
      subjects.order({ kind: 'region', region: 'eu' }),
      subjects.order({ kind: 'edge', ...edge.address }),
      subjects.desiredChanged,
      subjects.storedEvidence(edge.address),
      subjects.storedEvidence(us),
      ...[reports, streams.traces, streams.evidence, `KV_${buckets.desired}`].flatMap((stream) =>
        ['INFO', 'DELETE', 'PURGE', 'UPDATE', 'MSG.GET', 'MSG.DELETE', 'SNAPSHOT'].map(
          (verb) => `$JS.API.STREAM.${verb}.${stream}`,
        ),
      ),
      '$JS.API.INFO',
      '$JS.API.STREAM.LIST',
      '$JS.API.STREAM.CREATE.X',
      `$JS.API.DIRECT.GET.KV_${buckets.desired}`,
      `$JS.API.CONSUMER.CREATE.${reports}`,
      `$JS.API.CONSUMER.DELETE.${reports}.${consumers.ingest}`,
      `$JS.API.CONSUMER.MSG.NEXT.${reports}.${consumers.ingest}`,
      `$JS.ACK.${reports}.${consumers.ingest}.1.1.1.1.0`,
      '$SYS.REQ.CLAIMS.UPDATE',
      '$SYS.REQ.SERVER.PING',
      '_INBOX.x',
      'anything',
    ]
    refused.length = 0
    for (const subject of forbidden) edge.nats.publish(subject, '{}')
    await until('every refusal', () => refused.length >= forbidden.length)
    assert.deepEqual(refused, forbidden)
  })

  test('it can receive nothing but its own orders, changes and replies', async () => {
    const forbidden = [
      subjects.order({ kind: 'region', region: 'us' }),
      subjects.order({ kind: 'edge', ...us }),
      subjects.order({ kind: 'edge', ...neighbour }),
      subjects.storedReports(us),
      subjects.storedReports(neighbour),
      subjects.ordersOfAll,
      subjects.presenceOfAll,
      subjects.reportsOfAll,
      subjects.tracesOfAll,
      subjects.answersOfAll,
      subjects.evidenceOfAll,
      `${subjects.inbox(us)}.>`,
      `${subjects.inbox(neighbour)}.>`,
      subjects.inbox({ region: '*', edge: '*' }),
      '_INBOX.>',
      '_R_.>',
      '>',
      '*.>',
      '$KV.>',
      '$JS.>',
      '$SYS.>',
    ]
    refused.length = 0
    for (const subject of forbidden) edge.nats.subscribe(subject, { callback: () => undefined })
    await until('every refusal', () => refused.length >= forbidden.length)
    assert.deepEqual(refused, forbidden)
  })

  test('it cannot use reply subjects to make JetStream or control do what it may not do', async () => {
    await other.trace(trace, 'ann', [{ at: Date.now(), session: 's', from: 'C', text: 'A2 NOOP' }])
    const kept = (await manager.streams.info(streams.traces)).state.messages
    assert.ok(kept > 0)
    const report = edge.report({})
    // JetStream's own answers can be valid requests: an ack is a request to purge, an empty error one to delete.
    for (const stream of [streams.traces, streams.reports, streams.evidence, `KV_${buckets.desired}`]) {
      edge.nats.publish(subjects.report(edge.address), encode(report), {
        reply: `$JS.API.STREAM.PURGE.${stream}`,
      })
      edge.nats.publish(desiredEntry(edge.address).read, 'x', { reply: `$JS.API.STREAM.DELETE.${stream}` })
      edge.nats.publish(evidenceRead, '{}', { reply: `$JS.API.STREAM.DELETE.${stream}` })
    }
    for (const reply of [
      subjects.presence(us),
      subjects.report(us),
      `$KV.${buckets.desired}.${desiredKey(us)}`,
    ])
      edge.nats.publish(subjects.report(edge.address), encode(report), { reply })
    await edge.nats.flush()
    // Everything has been processed when a later report is stored.
    await edge.send(edge.report({ counters: { 'logins_total{result="ok"}': 7 } }))
    assert.equal((await manager.streams.info(streams.traces)).state.messages, kept)
    await manager.streams.info(streams.reports)
    assert.equal((await other.desired())?.v, wireVersion)
  })

  test('it receives evidence of all edges with its sequence, and can read the stream', async () => {
    const heard: [string, number, string][] = []
    edge.nats.subscribe(subjects.storedEvidenceOfAll, {
      callback: (_error, { subject, headers, data }) =>
        void heard.push([subject, Number(headers?.get('Nats-Sequence')), new TextDecoder().decode(data)]),
    })
    await edge.nats.flush()
    const js = jetstream(other.nats)
    const { seq } = await js.publish(subjects.evidence(us), 'one')
    await until('the message', () => heard.length > 0)
    assert.deepEqual(heard, [[subjects.storedEvidence(us), seq, 'one']])
    for (const which of [{ seq }, { last_by_subj: subjects.evidenceOfAll }]) {
      const read = await edge.nats.request(evidenceRead, JSON.stringify(which))
      assert.deepEqual([read.headers?.get('Nats-Sequence'), read.string()], [String(seq), 'one'])
    }
    const none = await edge.nats.request(evidenceRead, JSON.stringify({ seq: seq + 1 }))
    assert.equal(none.headers?.code, 404)
  })

  test('it cannot make JetStream send its own words to other edges or to control, as orders or in the name of others', async () => {
    const heard: { by: string; subject: string; stream: string | undefined }[] = []
    const hear = (by: string, nats: NatsConnection, subject: string) =>
      nats.subscribe(subject, {
        callback: (_error, message) =>
          void heard.push({ by, subject: message.subject, stream: message.headers?.last('Nats-Stream') }),
      })
    const toEdges = [subjects.order({ kind: 'all' }), subjects.desiredChanged]
    for (const subject of toEdges) hear('edge', other.nats, subject)
    for (const subject of [subjects.presence(us), subjects.answer(us, order)]) hear('control', admin, subject)
    await Promise.all([other.nats.flush(), admin.flush()])
    const { seq } = await jetstream(edge.nats).publish(
      subjects.evidence(edge.address),
      encode({ v: wireVersion, version: 9 }),
    )
    const lastOfStreams = async () =>
      await Promise.all(
        [streams.reports, streams.traces, streams.evidence].map(
          async (name) => (await manager.streams.info(name)).state.last_seq,
        ),
      )
    const kept = await lastOfStreams()
    const toControl = [
      subjects.presence(us),
      subjects.answer(us, order),
      subjects.report(us),
      subjects.trace(us),
      subjects.evidence(us),
    ]
    for (const reply of [...toControl, ...toEdges])
      edge.nats.publish(evidenceRead, JSON.stringify({ seq }), { reply })
    await until('what JetStream sent to an edge', () => heard.length >= toEdges.length)
    await Promise.all([edge.nats.flush(), other.nats.flush(), admin.flush()])
    // Edges ignore it: messages of control have no headers, and messages of JetStream always have some.
    assert.deepEqual(
      heard,
      toEdges.map((subject) => ({ by: 'edge', subject, stream: streams.evidence })),
    )
    assert.deepEqual(await lastOfStreams(), kept)
  })

  test('evidence of an edge beyond its limit is refused, and that of other edges is not', async () => {
    for (let count = 0; count <= evidenceOfEdgeMax; count++)
      edge.nats.publish(subjects.evidence(edge.address), 'x')
    await edge.nats.flush()
    await assert.rejects(jetstream(edge.nats).publish(subjects.evidence(edge.address), 'x'), /per subject/)
    await jetstream(other.nats).publish(subjects.evidence(us), 'two')
    const { state } = await manager.streams.info(streams.evidence)
    assert.equal(state.messages, evidenceOfEdgeMax + 2)
  })

  test('a message that names another edge than its subject is rejected', async () => {
    const known = (await edgesNow()).find(({ id }) => id === 'us-1')
    const forged = { ...us, state: 'stopping', boot: edge.boot } as const
    edge.beat({ heartbeatMs: 60_000, ...forged })
    await edge.send({ ...edge.report({}), ...us, counters: { 'logins_total{result="forged"}': 1 } })
    edge.beat({ heartbeatMs: 60_000, degraded: ['after it'] })
    await until('the heartbeat after it', async () =>
      (await edgesNow()).find(({ id, degraded }) => id === 'eu-1' && degraded.includes('after it')),
    )
    const { boot, sequence, ...last } = edge.report({ counters: { 'logins_total{result="ok"}': 9 } })
    await edge.send({ boot, sequence, ...last })
    await until(
      'the report after it',
      async () =>
        (await plane.sql`select 1 from reports where boot = ${boot} and sequence = ${sequence}`).length === 1,
    )
    assert.deepEqual(
      (await edgesNow()).find(({ id }) => id === 'us-1'),
      known,
    )
    assert.equal((await plane.sql`select 1 from reports where edge = 'us-1'`).length, 0)
  })

  test('the same requests work in the account of control, which is why edges are not in it', async () => {
    admin.publish(desiredEntry(edge.address).read, 'x', { reply: `$JS.API.STREAM.DELETE.${streams.traces}` })
    await admin.flush()
    const made = await until('a new stream', async () => {
      const now = await manager.streams.info(streams.traces)
      return now.state.messages === 0 && now
    })
    assert.ok(Date.parse(made.created) > startedAt)
  })
})
