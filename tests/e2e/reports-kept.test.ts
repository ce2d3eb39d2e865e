/** An edge and a nats-server that loses reports it has acknowledged: the edge sends them again. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { edgeProxy, type EdgeProcess } from '@imapfleet/local'
import { edgeStatsSchema, streams, subjects } from '@imapfleet/protocol'
import { Plane } from '../support/plane.ts'
import { connectNats } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

suite('reports', () => {
  const address = { region: 'eu', edge: 'eu-1' }
  /** Reports of the edge in the stream. Large enough for a pause of control of some seconds. */
  const share = 30
  let plane: Plane
  let edge: EdgeProcess
  let admin: NatsConnection
  let manager: JetStreamManager
  before(async () => {
    plane = await Plane.start({ perEdge: true, durable: true })
    admin = await connectNats(plane.nats, { credentialsFile: plane.nats.keys?.credentialsFile })
    manager = await jetstreamManager(admin)
    const { config } = await manager.streams.info(streams.reports)
    await manager.streams.update(streams.reports, { ...config, max_msgs_per_subject: share })
    const credentialsFile = await plane.enroll(address.region, address.edge)
    const { ground, nats } = plane
    const fleet = { heartbeatMs: 500, reportIntervalMs: 200, reconcileMs: 1_000 }
    edge = await edgeProxy({
      ...{ ground, nats, credentialsFile, id: address.edge, region: address.region },
      ...{ upstream: { host: '127.0.0.1', port: 1 }, config: { fleet } },
    })
    await edge.process.start()
  })
  after(async () => {
    await edge?.process.stop()
    await admin?.close()
    await plane?.stop()
  })

  const stored = async () =>
    (
      await plane.sql<
        { sequence: string }[]
      >`select sequence from reports where edge = 'eu-1' order by sequence`
    ).map(({ sequence }) => Number(sequence))
  const ofStream = async () => {
    const { state } = await manager.streams.info(streams.reports, {
      subjects_filter: subjects.report(address),
    })
    return { first: state.first_seq, count: state.subjects?.[subjects.report(address)] ?? 0 }
  }
  const stats = async () =>
    edgeStatsSchema.parse(await (await fetch(`http://127.0.0.1:${edge.httpPort}/stats`)).json())

  test('if a nats-server with a full share is killed and has lost reports of the edge, every report is stored', async () => {
    await until('the first reports', async () => (await stored()).length >= 10)
    await plane.control.process.stop()
    await until('a full share', async () => (await ofStream()).count === share)
    const problem = 'NATS refuses its reports: the stream holds as many of this edge as it may'
    await until('the problem of the edge', async () => (await stats()).problems?.includes(problem))
    await plane.nats.process?.kill()
    await plane.nats.process?.start()
    const { first } = await until('the stream', async () => await ofStream().catch(() => undefined))
    // nats-server 2.9 does this itself, if it has not yet written which reports were acknowledged.
    const lost = 5
    for (let seq = first; seq < first + lost; seq++) await manager.streams.deleteMessage(streams.reports, seq)
    await plane.control.process.start()
    const newest = await until(
      'reports behind those',
      async () => {
        const all = await stored()
        return (all.at(-1) ?? 0) > share + 10 ? all.at(-1) : undefined
      },
      60_000,
    )
    await until(
      'every report',
      async () => (await stored()).filter((sequence) => sequence <= newest).length === newest,
      150_000,
    )
    const { counters, problems } = await stats()
    assert.ok((counters['reports_resent_total'] ?? 0) >= lost)
    assert.equal(counters['reports_dropped_total'] ?? 0, 0)
    assert.ok(!problems?.includes(problem))
  })
})
