/** The streams, on a real nats-server. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import {
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  type JetStreamClient,
  type JetStreamManager,
} from '@nats-io/jetstream'
import { layGround, natsServer, temporaryDirectory, type Nats } from '@imapfleet/local/in-tests'
import { connectOptions, readAccess } from '@imapfleet/nats'
import { consumers, streams, subjects } from '@imapfleet/protocol'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { ensureStreams, reviveIngest } from './streams.ts'

suite('the consumer of ingest', () => {
  const limits = {
    replicas: 1,
    reportsBytesMax: 10_000_000,
    tracesBytesMax: 10_000_000,
    tracesKeptMs: 60_000,
  }
  const subject = subjects.report({ region: 'eu', edge: 'eu-1' })
  let server: Nats
  let nats: NatsConnection
  let manager: JetStreamManager
  let js: JetStreamClient
  before(async () => {
    server = await natsServer({ ground: layGround(temporaryDirectory('nats-streams')) })
    await server.process?.start()
    const read = readAccess([server.url], { tokenFile: server.tokenFile }, (key) => key)
    assert.ok(read.ok)
    nats = await connect({
      ...connectOptions(read.access, 'tests'),
      reconnectTimeWait: 50,
      waitOnFirstConnect: true,
    })
    manager = await jetstreamManager(nats)
    js = jetstream(nats)
  })
  after(async () => {
    await nats?.close()
    await server?.process?.stop()
  })
  beforeEach(async () => {
    await ensureStreams(manager, js, limits)
    await manager.streams.delete(streams.reports)
    await ensureStreams(manager, js, limits)
  })

  const publish = async (count: number) => {
    for (let sent = 0; sent < count; sent++) await js.publish(subject, `${sent}`)
  }
  /** The sequences of the next messages. Acknowledges those up to `acknowledged`. */
  const take = async (count: number, acknowledged = 0) => {
    const consumer = await js.consumers.get(streams.reports, consumers.ingest)
    const taken: number[] = []
    for await (const message of await consumer.fetch({ max_messages: count, expires: 3_000 })) {
      taken.push(message.seq)
      if (message.seq <= acknowledged) await message.ackAck()
    }
    return taken
  }
  const createdAt = async () => (await manager.consumers.info(streams.reports, consumers.ingest)).created

  test('stays if it only waits for acknowledgements', async () => {
    await publish(5)
    assert.deepEqual(await take(4, 2), [1, 2, 3, 4])
    const created = await createdAt()
    for (let call = 0; call < 3; call++) assert.equal(await reviveIngest(manager, 3), undefined)
    assert.equal(await createdAt(), created)
    assert.deepEqual(await take(1), [5])
  })

  test('stays if the stream is empty', async () => {
    await publish(2)
    await take(2, 2)
    assert.equal(await reviveIngest(manager, 1), undefined)
  })

  test('is made anew if reports that were acknowledged are still in the stream, and delivers all of them again', async () => {
    const { config } = await manager.streams.info(streams.reports)
    const { config: ingest } = await manager.consumers.info(streams.reports, consumers.ingest)
    // It keeps what is acknowledged, as a nats-server does that was killed.
    await manager.streams.delete(streams.reports)
    await manager.streams.add({ ...config, retention: RetentionPolicy.Limits })
    await manager.consumers.add(streams.reports, ingest)
    await publish(6)
    assert.deepEqual(await take(5, 3), [1, 2, 3, 4, 5])
    const created = await createdAt()
    // Only what stays is stuck.
    assert.equal(await reviveIngest(manager, undefined), 1)
    assert.equal(await createdAt(), created)
    assert.equal(await reviveIngest(manager, 1), undefined)
    assert.notEqual(await createdAt(), created)
    assert.deepEqual(await take(10), [1, 2, 3, 4, 5, 6])
  })

  test('is made anew if it waits for the acknowledgement of a report that is no longer there', async () => {
    await publish(4)
    assert.deepEqual(await take(3), [1, 2, 3])
    // Removes the oldest, as a start after a kill does, and does not tell the consumer.
    const { config } = await manager.streams.info(streams.reports)
    await manager.streams.update(streams.reports, { ...config, max_msgs_per_subject: 3 })
    const created = await createdAt()
    assert.equal(await reviveIngest(manager, undefined), 2)
    // Another report is the first one: it may go on.
    assert.equal(await reviveIngest(manager, 1), 2)
    assert.equal(await createdAt(), created)
    assert.equal(await reviveIngest(manager, 2), undefined)
    assert.notEqual(await createdAt(), created)
    assert.deepEqual(await take(10), [2, 3, 4])
  })

  test('delivers what was not acknowledged after nats-server was killed', async () => {
    await publish(200)
    await take(150, 100)
    await server.process?.kill()
    await server.process?.start()
    while (!(await manager.streams.info(streams.reports).catch(() => undefined)));
    let suspect: number | undefined
    for (let call = 0; call < 3; call++) suspect = await reviveIngest(manager, suspect)
    const waiting = async () => (await manager.consumers.info(streams.reports, consumers.ingest)).num_pending
    while ((await waiting()) > 0) await take(50).catch(() => [])
    const { state } = await manager.streams.info(streams.reports)
    const { num_ack_pending: pending } = await manager.consumers.info(streams.reports, consumers.ingest)
    assert.ok(state.messages >= 100)
    assert.equal(pending, state.messages)
  })
})
