/** When a change of many entries reads the bucket first, on a real nats-server. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, suite, test } from 'node:test'
import { layGround, natsServer, temporaryDirectory, type Nats } from '@imapfleet/local/in-tests'
import { readAccess } from '@imapfleet/nats'
import { Log } from '@imapfleet/observe'
import { decode, desiredBucket, desiredKey, desiredSchema, encode, wireVersion } from '@imapfleet/protocol'
import { Bus } from '../../platform/nats/bus.ts'
import { putDesired, type DesiredEntry } from './bucket.ts'
import { eachEntry } from './entries.ts'

const limits = { replicas: 1, reportsBytesMax: 10_000_000, tracesBytesMax: 10_000_000, tracesKeptMs: 60_000 }
const edges = Array.from({ length: 30 }, (_, index) => `eu-${index + 1}`)
const key = (edge: string) => desiredKey({ region: 'eu', edge })

suite('the entries that control remembers', () => {
  let server: Nats
  let buses: Bus[]
  let version = 0
  before(async () => {
    server = await natsServer({ ground: layGround(temporaryDirectory('nats-entries')) })
    await server.process?.start()
  })
  after(async () => await server?.process?.stop())
  beforeEach(async () => {
    buses = [await openBus(), await openBus()]
    await put(buses[0]!)
    await put(buses[0]!)
  })
  afterEach(async () => {
    await buses[0]!.link().manager.streams.delete(desiredBucket.stream)
    for (const bus of buses) await bus.close()
  })

  async function openBus(): Promise<Bus> {
    const read = readAccess([server.url], { tokenFile: server.tokenFile }, (path) => path)
    assert.ok(read.ok)
    const bus = new Bus({ access: read.access, limits }, new Log({ level: 'warn', format: 'text' }, () => {}))
    bus.open()
    await bus.whenUp(AbortSignal.timeout(20_000))
    return bus
  }

  /** Writes a new version of the entries. `isRead`: a stream of entries was opened for it. */
  async function put(
    bus: Bus,
    usesMax = ++version,
    ids: readonly string[] = edges,
  ): Promise<{ isRead: boolean; written: number }> {
    const history = {
      own: async (versions: readonly number[]) => await Promise.resolve(new Set(versions)),
      since: 0,
    }
    let isRead = false
    const { nats } = buses[1]?.link() ?? bus.link()
    const subscription = nats.subscribe(`$JS.API.CONSUMER.*.${desiredBucket.stream}.>`, {
      callback: (_, { subject }) => void (isRead ||= subject.includes('.CREATE.')),
    })
    await nats.flush()
    const wanted = ids.map((edge): DesiredEntry => ({
      address: { region: 'eu', edge },
      desired: {
        ...{ v: wireVersion, version: ++version, traces: [], revocations: [], drain: false },
        config: { revision: 1, layer: { pool: { usesMax } }, versions: { global: 1, region: 0, edge: 0 } },
      },
      versionMin: 1,
    }))
    const { written, failure } = await putDesired(bus, wanted, history, { recovered: 0, total: ids.length })
    assert.equal(failure, undefined)
    await nats.flush()
    subscription.unsubscribe()
    return { isRead, written: written.length }
  }

  const usesOf = async (edge: string) => {
    const entry = await buses[0]!.link().desired.get(key(edge))
    const decoded = entry && decode(desiredSchema, entry.value)
    return decoded?.ok ? decoded.value.config.layer['pool'] : undefined
  }

  test('a change reads none, as long as only this process writes', async () => {
    assert.deepEqual(await put(buses[0]!), { isRead: false, written: 30 })
    assert.deepEqual(await put(buses[0]!, 7), { isRead: false, written: 30 })
    assert.deepEqual(await put(buses[0]!, 7), { isRead: false, written: 0 })
    assert.deepEqual(await usesOf('eu-30'), { usesMax: 7 })
    const more = [...edges, 'eu-31']
    assert.deepEqual(await put(buses[0]!, 7, more), { isRead: false, written: 1 })
    assert.deepEqual(await put(buses[0]!, 7, more), { isRead: false, written: 0 })
  })

  test('what another replica has written is read', async () => {
    assert.deepEqual(await put(buses[1]!, 8), { isRead: true, written: 30 })
    assert.deepEqual(await put(buses[0]!, 8), { isRead: true, written: 0 })
    assert.deepEqual(await put(buses[0]!, 9), { isRead: false, written: 30 })
  })

  test('so is what was overwritten, deleted or purged by another program, which is repaired', async () => {
    await put(buses[0]!, 8)
    const { desired, manager } = buses[1]!.link()
    await desired.put(key('eu-3'), 'nothing')
    assert.deepEqual(await put(buses[0]!, 8), { isRead: true, written: 1 })
    assert.deepEqual(await put(buses[0]!, 8), { isRead: false, written: 0 })
    await desired.delete(key('eu-4'))
    assert.deepEqual(await put(buses[0]!, 8), { isRead: true, written: 1 })
    await manager.streams.purge(desiredBucket.stream, { filter: desiredBucket.subject + key('eu-5') })
    assert.deepEqual(await put(buses[0]!, 8), { isRead: true, written: 1 })
    assert.deepEqual(await usesOf('eu-5'), { usesMax: 8 })
    await manager.streams.purge(desiredBucket.stream)
    assert.deepEqual(await put(buses[0]!, 8), { isRead: true, written: 30 })
  })

  test('two changes at the same time, in one process and in two, end with equal entries', async () => {
    await Promise.all([put(buses[0]!, 10), put(buses[0]!, 11), put(buses[1]!, 12)])
    assert.equal((await put(buses[0]!, 13)).written, 30)
    assert.deepEqual(await put(buses[0]!, 13), { isRead: false, written: 0 })
    for (const edge of edges) assert.deepEqual(await usesOf(edge), { usesMax: 13 })
  })

  test('entries that are written while they are read are read at their new places', async () => {
    const { desired, manager } = buses[1]!.link()
    const keys = Array.from({ length: 1_100 }, (_, index) => key(`many-${index}`))
    const write = async () => await Promise.all(keys.map(async (each) => await desired.put(each, '')))
    await write()
    const places = new Map<string, number>()
    let rounds = 0
    for await (const entry of eachEntry(buses[0]!)) {
      places.set(entry.key, entry.place)
      if (places.size % 500 === 1 && rounds++ < 3) await write()
    }
    const { state } = await manager.streams.info(desiredBucket.stream)
    assert.ok(rounds >= 3)
    assert.equal(places.size, edges.length + keys.length)
    assert.deepEqual(
      keys.map((each) => places.get(each)!).toSorted((a, b) => a - b),
      keys.map((_, index) => state.last_seq - keys.length + index + 1),
    )
  })

  test('a reading ends while another process writes all the time', async () => {
    const { desired } = buses[1]!.link()
    let isOver = false
    const writing = (async () => {
      for (let count = 0; !isOver; count++) await desired.put(key(edges[count % edges.length]!), '')
    })()
    const read = new Set<string>()
    try {
      for await (const entry of eachEntry(buses[0]!)) read.add(entry.key)
    } finally {
      isOver = true
      await writing
    }
    assert.equal(read.size, edges.length)
  })

  test('many large entries do not cost control its connection to NATS', async () => {
    const { desired } = buses[1]!.link()
    const { connects } = buses[0]!
    const names = Array.from({ length: 200 }, (_, index) => key(`large-${index}`))
    const large = new Uint8Array(1_000_000).fill(0x20)
    for (const name of names) await desired.put(name, large)
    let count = 0
    for await (const entry of eachEntry(buses[0]!)) {
      // As long as it takes to parse thousands of revocations.
      if (entry.bytes > 1_000) for (const until = performance.now() + 10; performance.now() < until;);
      count++
    }
    assert.equal(count, edges.length + names.length)
    assert.equal(buses[0]!.connects, connects)
  })

  test('a bucket that was made anew, with as many entries at the same places, is read', async () => {
    const { manager } = buses[0]!.link()
    const { last_seq } = (await manager.streams.info(desiredBucket.stream)).state
    await manager.streams.delete(desiredBucket.stream)
    await buses[0]!.repair()
    const { desired } = buses[0]!.link()
    for (let place = 0; place < last_seq; place++)
      await desired.put(key(edges[place % edges.length]!), encode({ place }))
    assert.deepEqual(await put(buses[0]!, 14), { isRead: true, written: 30 })
    assert.deepEqual(await usesOf('eu-1'), { usesMax: 14 })
  })
})
