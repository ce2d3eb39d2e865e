/** When the timer reads the whole bucket, on a real nats-server and Postgres. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, suite, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { layGround, natsServer, temporaryDirectory, type Nats } from '@imapfleet/local/in-tests'
import { readAccess } from '@imapfleet/nats'
import { decode, desiredBucket, desiredKey, desiredSchema, encode, type Desired } from '@imapfleet/protocol'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { Bus } from '../../platform/nats/bus.ts'
import { insertRevision } from '../config/queries.ts'
import { insertRevocation } from '../revocations/queries.ts'
import { insertTrace } from '../traces/queries.ts'
import { changeFleet, reconcile } from './service.ts'

const limits = { replicas: 1, reportsBytesMax: 10_000_000, tracesBytesMax: 10_000_000, tracesKeptMs: 60_000 }
const lease = { check: async () => {} }
const minuteMs = 60_000

suite('the timer that compares the bucket with Postgres', () => {
  let server: Nats
  let bus: Bus
  let deps: TestDeps
  before(async () => {
    server = await natsServer({ ground: layGround(temporaryDirectory('nats-desired')) })
    await server.process?.start()
  })
  after(async () => await server?.process?.stop())
  beforeEach(async () => {
    const made = await testDeps()
    const read = readAccess([server.url], { tokenFile: server.tokenFile }, (key) => key)
    assert.ok(read.ok)
    bus = new Bus({ access: read.access, limits }, made.log)
    deps = { ...made, bus }
    bus.open()
    await bus.whenUp(AbortSignal.timeout(20_000))
    await deps.db.sql`
      insert into edges (id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms,
        config_applied, revocations_applied, gauges, degraded, listeners, desired_claimed)
      select id, 'eu', gen_random_uuid(), '1', 'serving', now(), now(), now(), 5000, 0, 0, '{}', '[]', '[]', 0
      from unnest(array['eu-1', 'eu-2']) as id`
    await changeFleet(deps.db, async (queries) => await insertRevision(queries, revision))
    await settled()
  })
  afterEach(async () => {
    await bus.link().manager.streams.delete(desiredBucket.stream)
    await bus.close()
    await deps.db.close()
  })

  const run = async () => await reconcile(deps, lease)
  /** The bucket was found equal, and this is known. */
  const settled = async () => {
    await run()
    await run()
  }
  const key = (edge: string) => desiredKey({ region: 'eu', edge })
  const entry = async (edge: string): Promise<Desired | undefined> => {
    const found = await bus.link().desired.get(key(edge))
    const decoded = found?.operation === 'PUT' ? decode(desiredSchema, found.value) : undefined
    return decoded?.ok ? decoded.value : undefined
  }
  let changes = 100
  /** Only a run that reads all entries notices it. */
  const changeByHand = async (value: number) =>
    await deps.db.sql`update layers set document = ${deps.db.sql.json({ pool: { usesMax: value } })}`
  /** Whether a run reads all entries. */
  const readsAll = async () => {
    await changeByHand(++changes)
    await run()
    const read = await entry('eu-1')
    return isDeepStrictEqual(read?.config.layer, { pool: { usesMax: changes } })
  }

  test('it does not read all entries while nothing has changed, except every ten minutes', async () => {
    const start = deps.now()
    assert.equal(await readsAll(), false)
    deps.setNow(start + 9 * minuteMs)
    assert.equal(await readsAll(), false)
    deps.setNow(start + 10 * minuteMs)
    assert.equal(await readsAll(), true)
    await settled()
    assert.equal(await readsAll(), false)
    deps.setNow(start - 10 * minuteMs)
    assert.equal(await readsAll(), true)
  })

  test('an entry that was overwritten or deleted by another program is written again', async () => {
    const right = await entry('eu-1')
    await bus.link().desired.put(key('eu-1'), encode({ ...right!, drain: true }))
    await run()
    assert.deepEqual(await entry('eu-1'), right)
    await settled()
    await bus.link().desired.put(key('eu-1'), 'nothing')
    await run()
    assert.deepEqual(await entry('eu-1'), right)
    await settled()
    await bus.link().desired.delete(key('eu-2'))
    await run()
    assert.deepEqual((await entry('eu-2'))?.config, right?.config)
  })

  test('after the bucket was emptied or deleted, all entries are written again', async () => {
    const right = await entry('eu-1')
    const { streams } = bus.link().manager
    for (const damage of ['purge', 'delete'] as const) {
      await streams[damage](desiredBucket.stream)
      await run()
      assert.deepEqual([await entry('eu-1'), await entry('eu-2')], [right, right])
      await settled()
    }
  })

  test('a bucket that was made anew with as many entries as before is read', async () => {
    const right = await entry('eu-1')
    await bus.link().manager.streams.delete(desiredBucket.stream)
    await bus.repair()
    for (const edge of ['eu-1', 'eu-2'])
      await bus.link().desired.put(key(edge), encode({ ...right!, drain: true }))
    await run()
    assert.deepEqual([await entry('eu-1'), await entry('eu-2')], [right, right])
  })

  const dependencies: [string, () => Promise<unknown>][] = [
    ['a change of the fleet', async () => await changeFleet(deps.db, async () => undefined)],
    [
      'an edge that is new',
      async () => {
        const { sql } = deps.db
        await sql`create table copied as select * from edges where id = 'eu-1'`
        await sql`update copied set id = 'eu-3'`
        await sql`insert into edges select * from copied`
      },
    ],
    [
      'an edge in another region',
      async () => await deps.db.sql`update edges set region = 'us' where id = 'eu-2'`,
    ],
    [
      'another version of an edge',
      async () => await deps.db.sql`update edges set desired_claimed = 7 where id = 'eu-2'`,
    ],
    [
      'applied revocations',
      async () => await deps.db.sql`update edges set revocations_applied = 7 where id = 'eu-2'`,
    ],
    ['a lost connection to Postgres', async () => await loseConnection()],
    [
      'versions that were forgotten',
      async () => await deps.db.sql`update fleet set versions_since = versions_since + 1`,
    ],
    [
      'the restore of an older database',
      async () => {
        await deps.db.sql`update fleet set desired_version = desired_version - 5`
        await deps.db.sql`delete from desired_versions where version > (select desired_version from fleet)`
      },
    ],
  ]
  for (const [name, happen] of dependencies)
    test(`${name} makes it read all entries`, async () => {
      assert.equal(await readsAll(), false)
      await happen()
      assert.equal(await readsAll(), true)
    })

  test('so do traces and revocations that end by time', async () => {
    await changeFleet(deps.db, async (queries, version) => {
      const at = new Date(Date.now() - 29 * 1440 * minuteMs)
      await insertRevocation(queries, { ...revocation, sequence: version, at })
      await insertTrace(queries, trace)
    })
    await settled()
    assert.equal((await entry('eu-1'))?.traces.length, 1)
    await deps.db.sql`update traces set expires_at = now()`
    await run()
    assert.deepEqual((await entry('eu-1'))?.traces, [])
    await settled()
    assert.equal((await entry('eu-1'))?.revocations.length, 1)
    await deps.db.sql`update revocations set at = at - interval '2 days'`
    await run()
    assert.deepEqual((await entry('eu-1'))?.revocations, [])
  })

  test('so does a new connection to NATS', async () => {
    assert.equal(await readsAll(), false)
    const up = bus.nextUp(AbortSignal.timeout(30_000))
    await server.process?.kill()
    await server.process?.start()
    await up
    assert.equal(await readsAll(), true)
  })

  test('a run that wrote entries is followed by one that reads them', async () => {
    await changeByHand(++changes)
    await changeFleet(deps.db, async () => undefined)
    await run()
    assert.equal(await readsAll(), true)
  })

  async function loseConnection() {
    const losses = deps.db.losses()
    await deps.db.sql`select pg_terminate_backend(pg_backend_pid())`.catch(() => undefined)
    while (deps.db.losses() === losses) await new Promise((resolve) => setImmediate(resolve))
  }
})

const revision = {
  ...{ revision: 1, layerKind: 'global' as const, layerName: '', document: { pool: { usesMax: 100 } } },
  ...{ changes: [], note: '', createdBy: 'ann' },
}
const revocation = { kind: 'user' as const, subject: 'joe', note: '', createdBy: 'ann' }
const trace = {
  ...{ id: '6f2c7a34-0a3e-4f4b-9a63-0f6f0c0f3c11', user: 'joe', bytesMax: 1_000, bodies: false },
  ...{ createdBy: 'ann', createdAt: new Date(), expiresAt: new Date(Date.now() + 3_600_000) },
}
