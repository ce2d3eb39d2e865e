/** From NATS into Postgres: no report is lost or stored twice, and foreign messages change nothing. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { consumers, encode, reportsOfEdgeMax, streams, subjects, type Report } from '@imapfleet/protocol'
import { Plane } from '../support/plane.ts'
import type { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

suite('ingest', () => {
  let plane: Plane
  before(async () => (plane = await Plane.start({ durable: true })))
  after(() => plane?.stop())

  const rowsOf = async ({ boot }: SimulatedEdge) =>
    (
      await plane.sql<
        { sequence: string }[]
      >`select sequence from reports where boot = ${boot} order by sequence`
    ).map(({ sequence }) => Number(sequence))
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

  test('if control, NATS and Postgres are killed in turn, every report is stored once', async () => {
    const edge = await plane.edge('eu', 'eu-1')
    // More than these fill its share of the stream while ingest is down, and a nats-server that is killed then loses reports. This
    // edge sends none of them again, unlike a real one (reports-kept.test.ts).
    const unstoredMax = reportsOfEdgeMax / 2
    const intervalMs = 40
    let sending = true
    let sent = 0
    let stored = 0
    const stream = (async () => {
      while (sending) {
        if (sent - stored >= unstoredMax) {
          await pause(intervalMs)
          continue
        }
        sent += 1
        const report = edge.report({ counters: { client_connections_total: sent } })
        await edge.send(report)
        // An edge that got no acknowledgement repeats it, even long after JetStream has forgotten the first one.
        if (sent % 10 === 0)
          await jetstream(edge.nats)
            .publish(subjects.report(edge.address), encode(report))
            .catch(() => {})
        await pause(intervalMs)
      }
    })()
    const countStored = async () => (stored = (await rowsOf(edge)).length)
    const storedMore = async (what: string) => {
      const known = await countStored()
      await until(`reports after ${what}`, async () => (await countStored()) > known + 20, 120_000)
    }

    await storedMore('the start')
    await plane.control.process.kill()
    await plane.control.process.start()
    await storedMore('control was killed')
    await plane.nats.process?.kill()
    await plane.nats.process?.start()
    await storedMore('NATS was killed')
    await plane.postgres.process?.kill()
    await plane.startPostgres()
    await storedMore('Postgres was killed')
    await Promise.all([
      plane.nats.process?.kill(),
      plane.control.process.kill(),
      plane.postgres.process?.kill(),
    ])
    await Promise.all([plane.nats.process?.start(), plane.startPostgres()])
    await plane.control.process.start()
    await storedMore('all three were killed')

    sending = false
    await stream
    // Reports that the killed control had received are delivered again after the acknowledgement wait.
    await until('the last reports', async () => (await rowsOf(edge)).length === sent, 120_000)
    assert.deepEqual(await rowsOf(edge), upTo(sent))
  })

  test('an invalid message is rejected for good, and valid ones next to it are stored', async () => {
    const edge = await plane.edge('eu', 'eu-2')
    const honest = await plane.edge('us', 'us-1')
    const js = jetstream(edge.nats)
    const own = subjects.report(edge.address)
    const foreign = edge.report({ counters: { client_connections_total: 1 } })
    const withNul: Report = edge.report({ counters: { 'logins_total{upstream="\u0000",result="ok"}': 1 } })
    const bodies = [
      'no JSON',
      JSON.stringify({ v: 1 }),
      JSON.stringify({ ...foreign, v: 2 }),
      JSON.stringify({ ...foreign, counters: { client_connections_total: -1 } }),
      JSON.stringify({ ...foreign, at: 8.64e15 }),
      // The name of another edge, sent on its own subject.
      JSON.stringify({ ...foreign, edge: 'us-1', region: 'us' }),
      JSON.stringify({ ...foreign, counters: { client_connections_total: 1e308 } }),
      new Uint8Array([0xff, 0xfe, 0x00]),
    ]
    for (const body of bodies) await js.publish(own, body)
    // Only the series that cannot be stored is left out.
    await edge.send(withNul)
    const good = honest.report({ counters: { client_connections_total: 1 } })
    await honest.send(good)

    await until('the honest report', async () => (await rowsOf(honest)).length === 1)
    const manager = await jetstreamManager(edge.nats)
    await until(
      'an empty stream',
      async () => (await manager.streams.info(streams.reports)).state.messages === 0,
      120_000,
    )
    assert.deepEqual(await rowsOf(edge), [withNul.sequence])
    assert.deepEqual(await rowsOf(honest), [1])
    const figures = await (await fetch(`${plane.control.api}/metrics`)).text()
    assert.match(
      figures,
      new RegExp(`^imapfleet_control_invalid_messages_total\\{sent_as="report"\\} ${bodies.length}$`, 'm'),
    )
  })

  test('a heartbeat registers an edge, after three missed ones it is silent, and after another one it is back', async () => {
    const edge = await plane.edge('eu', 'eu-3')
    const stateOf = async () => {
      const { status, body } = await plane.api('/v1/edges/eu-3')
      return status === 404 ? undefined : (body as { state: string }).state
    }
    assert.equal(await stateOf(), undefined)
    // Repeated until it succeeds, because a busy machine may be slower than three heartbeats.
    const beatUntil = (state: 'serving' | 'draining') =>
      until(`it ${state}`, async () => {
        edge.beat({ heartbeatMs: 300, state })
        return (await stateOf()) === state
      })
    await beatUntil('serving')
    await until('its silence', async () => (await stateOf()) === 'silent')
    await beatUntil('draining')
  })

  test('invalid heartbeats, and those of another sender, change nothing', async () => {
    const edge = await plane.edge('eu', 'eu-4')
    edge.beat()
    await until('the edge', async () => (await plane.api('/v1/edges/eu-4')).status === 200)
    const other = await plane.edge('eu', 'eu-5')
    other.nats.publish(subjects.presence(edge.address), 'no JSON')
    other.nats.publish(subjects.presence(other.address), encode({ v: 1, edge: 'eu-4' }))
    other.beat({ edge: 'eu-4', state: 'stopping' })
    other.beat({ version: 'with \u0000' })
    other.beat({ version: 'honest' })
    const listed = await until('the honest heartbeat', async () => {
      const { status, body } = await plane.api('/v1/edges/eu-5')
      return status === 200 && (body as { version: string })
    })
    assert.equal(listed.version, 'honest')
    assert.equal(((await plane.api('/v1/edges/eu-4')).body as { state: string }).state, 'serving')
  })

  test('no report is lost when NATS has kept some that were acknowledged, and others are not acknowledged yet', async () => {
    const edge = await plane.edge('eu', 'eu-6')
    const manager = await jetstreamManager(edge.nats)
    const { config } = await manager.streams.info(streams.reports)
    const { config: ingest } = await manager.consumers.info(streams.reports, consumers.ingest)
    await plane.control.process.stop()
    // It keeps what is acknowledged, as a nats-server does that was killed.
    await manager.streams.delete(streams.reports)
    await manager.streams.add({ ...config, retention: RetentionPolicy.Limits })
    await manager.consumers.add(streams.reports, ingest)
    for (const sequence of upTo(10))
      await edge.send(edge.report({ counters: { client_connections_total: sequence } }))
    const consumer = await jetstream(edge.nats).consumers.get(streams.reports, consumers.ingest)
    for await (const message of await consumer.fetch({ max_messages: 8, expires: 1_000 }))
      if (message.seq <= 5) message.ack()
    await edge.nats.flush()
    await plane.control.process.start()
    // Also the first five, which the test has acknowledged and control has not stored.
    await until('all reports', async () => (await rowsOf(edge)).length === 10, 120_000)
    assert.deepEqual(await rowsOf(edge), upTo(10))
  })
})
