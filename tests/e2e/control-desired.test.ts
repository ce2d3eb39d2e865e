/** Desired state: Postgres has the original, the bucket a copy. Whatever happens to the copy, each edge gets its newest state. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { type RevisionStatus, type TraceView } from '@imapfleet/api'
import type { Msg } from '@nats-io/transport-node'
import { buckets, desiredKey, encode, subjects, type DesiredChanged } from '@imapfleet/protocol'
import { Plane } from '../support/plane.ts'
import { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

suite('desired state', () => {
  let plane: Plane
  let eu: SimulatedEdge
  let us: SimulatedEdge
  before(async () => {
    plane = await Plane.start()
    eu = await plane.edge('eu', 'eu-1')
    us = await plane.edge('us', 'us-1')
    eu.beat({ heartbeatMs: 60_000 })
    us.beat({ heartbeatMs: 60_000 })
    await until(
      'both entries',
      async () => (await eu.desired()) !== undefined && (await us.desired()) !== undefined,
    )
  })
  after(() => plane?.stop())

  const revise = async (change: Record<string, unknown>) => {
    const { status, body } = await plane.api('/v1/config/revisions', { body: change })
    return { status, ...(body as RevisionStatus) }
  }
  const region = (name: string) => ({ kind: 'region', name })

  test('a revision reaches only the edges that it applies to, and they are notified', async () => {
    const untouched = await us.desired()
    const told = new Promise<DesiredChanged>((resolve) => {
      const callback = (_: unknown, message: Msg) => resolve(message.json<DesiredChanged>())
      eu.nats.subscribe(subjects.desiredChanged, { max: 1, callback })
    })
    const { status, revision, edges } = await revise({
      layer: region('eu'),
      set: { 'pool.idleTimeoutMs': 60_000 },
    })
    assert.equal(status, 201)
    assert.deepEqual(edges, [{ id: 'eu-1', region: 'eu', status: 'pending', reason: null }])
    // The others do not read their entries, so that the work does not grow with the fleet.
    assert.deepEqual((await told).edges, ['eu-1'])
    const entry = await eu.desired()
    assert.deepEqual(
      [entry?.config.revision, entry?.config.layer],
      [revision.revision, { pool: { idleTimeoutMs: 60_000 } }],
    )
    assert.equal(entry?.config.versions?.region, entry?.version)
    assert.deepEqual(await us.desired(), untouched)

    eu.beat({ heartbeatMs: 60_000, config: { applied: revision.revision } })
    await until('the acknowledgement', async () => {
      const { body } = await plane.api(`/v1/config/revisions/${revision.revision}`)
      return (body as RevisionStatus).edges[0]?.status === 'applied'
    })
  })

  test('the status shows an edge that refused a revision, with its reason', async () => {
    const { revision } = await revise({
      layer: { kind: 'edge', name: 'eu-1' },
      set: { 'log.level': 'debug' },
    })
    const rejected = { revision: revision.revision, reason: 'no such upstream' }
    eu.beat({ heartbeatMs: 60_000, config: { applied: revision.revision - 1, rejected } })
    await until('the refusal', async () => {
      const { body } = await plane.api(`/v1/config/revisions/${revision.revision}`)
      const [edge] = (body as RevisionStatus).edges
      return edge?.status === 'rejected' && edge.reason === 'no such upstream'
    })
  })

  test('of two changes based on the same revision, one is made and the other is refused', async () => {
    const { body } = await plane.api('/v1/config')
    const base = (body as { revision: number }).revision
    const both = await Promise.all(
      [10, 20].map((usesMax) =>
        plane.api('/v1/config/revisions', {
          body: { layer: { kind: 'global' }, base, set: { 'pool.usesMax': usesMax } },
        }),
      ),
    )
    assert.deepEqual(
      both.map(({ status }) => status).toSorted((a, b) => a - b),
      [201, 409],
    )
    const lost = both.find(({ status }) => status === 409)?.body as { code: string; detail: string }
    assert.equal(lost.code, 'config_conflict')
    assert.match(lost.detail, new RegExp(`based on revision ${base}, but the newest is ${base + 1}`))
  })

  test('a dry run shows the change without making it, and an empty change makes no revision', async () => {
    const change = { layer: region('us'), set: { 'pool.usesMax': 33 } }
    const dry = await revise({ ...change, dryRun: true })
    assert.equal(dry.status, 200)
    assert.deepEqual(dry.revision.changes, [{ key: 'pool.usesMax', before: null, after: 33, reload: 'live' }])
    assert.notEqual((await us.desired())?.config.layer['pool'], { usesMax: 33 })
    const made = await revise(change)
    assert.equal(made.status, 201)
    assert.equal(made.revision.revision, dry.revision.revision)
    const again = await revise(change)
    assert.deepEqual([again.status, again.revision.changes], [200, []])
    assert.equal(again.revision.revision, made.revision.revision)
  })

  test('a secret goes to the edges and nowhere else', async () => {
    const secret = 'correct-horse-battery'
    const { revision } = await revise({
      layer: region('us'),
      set: { 'upstreams.main.masterPassword': secret },
    })
    assert.match(JSON.stringify(await us.desired()), new RegExp(secret))
    const paths = [
      '/v1/config',
      '/v1/config/resolved?edge=us-1',
      '/v1/config/revisions',
      `/v1/config/revisions/${revision.revision}`,
    ]
    for (const path of paths)
      assert.doesNotMatch(JSON.stringify((await plane.api(path)).body), new RegExp(secret), path)
    const audit = await plane.sql`select * from audit`
    assert.doesNotMatch(JSON.stringify(audit), new RegExp(secret))
    assert.ok(
      audit.some(
        (row) =>
          row['action'] === 'config.revise' && row['target'] === 'region/us' && row['actor'] === 'tests',
      ),
    )
  })

  test('a change that is made while NATS is down reaches the edges when it is up', async () => {
    await plane.nats.process?.kill()
    const { status, revision } = await revise({
      layer: { kind: 'global' },
      set: { 'pool.lifetimeMaxMs': 90_000 },
    })
    assert.equal(status, 201)
    await plane.nats.process?.start()
    await until('the change', async () => (await eu.desired())?.config.revision === revision.revision)
  })

  test('a lost bucket is written again', async () => {
    const was = await eu.desired()
    const manager = await jetstreamManager(eu.nats)
    await manager.streams.delete(`KV_${buckets.desired}`)
    await until('the entry', async () => (await eu.desired().catch(() => undefined)) !== undefined, 30_000)
    assert.deepEqual(await eu.desired(), was)
  })

  test('an entry newer than anything in Postgres is replaced by a still newer version', async () => {
    const entry = await eu.desired()
    const bucket = await new Kvm(eu.nats).open(buckets.desired)
    const foreign = { ...entry, version: entry!.version + 1000, config: { revision: 1, layer: {} } }
    await bucket.put(desiredKey(eu.address), encode(foreign))
    const repaired = await until(
      'the truth',
      async () => {
        const now = await eu.desired()
        return now?.config.revision === entry?.config.revision && now
      },
      30_000,
    )
    assert.ok(repaired.version > foreign.version)
    assert.deepEqual(repaired.config, entry?.config)
  })

  test('a trace is in every entry until it ends', async () => {
    const { status, body } = await plane.api('/v1/traces', { body: { user: 'ann', seconds: 60 } })
    assert.equal(status, 201)
    const { id } = body as TraceView
    for (const edge of [eu, us])
      assert.deepEqual(
        (await edge.desired())?.traces.map((trace) => trace.user),
        ['ann'],
      )
    await plane.api(`/v1/traces/${id}`, { method: 'DELETE' })
    for (const edge of [eu, us]) assert.deepEqual((await edge.desired())?.traces, [])
  })

  test('each edge of a large fleet has its own entry, and a lost or damaged one is written again', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `sa-${index + 1}`)
    const many = ids.map((id) => new SimulatedEdge(eu.nats, 'sa', id))
    for (const edge of many) edge.beat({ heartbeatMs: 60_000 })
    await until('all entries', async () => {
      const entries = await Promise.all(many.map((edge) => edge.desired()))
      return entries.every((entry) => entry !== undefined)
    })
    const bucket = await new Kvm(eu.nats).open(buckets.desired)
    const [lost, spoilt, ...others] = many
    await bucket.delete(desiredKey(lost!.address))
    await bucket.put(desiredKey(spoilt!.address), 'not ours')
    const of = { kind: 'edge', name: 'sa-7' }
    const { revision } = await revise({ layer: region('sa'), set: { 'pool.usesMax': 55 } })
    const own = await revise({ layer: of, set: { 'pool.usesMax': 56 } })
    for (const edge of [lost!, spoilt!, ...others]) {
      const isOne = edge.address.edge === of.name
      const entry = await edge.desired()
      assert.equal(entry?.config.revision, (isOne ? own.revision : revision).revision, edge.address.edge)
      assert.deepEqual(entry?.config.layer['pool'], { usesMax: isOne ? 56 : 55, lifetimeMaxMs: 90_000 })
    }
  })

  test('an edge that moves to another region gets the state of that region', async () => {
    const { revision } = await revise({ layer: region('asia'), set: { 'pool.usesMax': 44 } })
    const moved = await plane.edge('asia', 'us-1')
    moved.beat({ heartbeatMs: 60_000 })
    const entry = await until('its entry', () => moved.desired())
    assert.equal(entry.config.revision, revision.revision)
    assert.deepEqual(entry.config.layer['pool'], { usesMax: 44, lifetimeMaxMs: 90_000 })
  })
})
