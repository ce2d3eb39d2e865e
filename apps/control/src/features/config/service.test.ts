/** The configuration of the fleet, on a real Postgres. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { rolloutRequestSchema } from '@imapfleet/api'
import type { JsonValue } from '@imapfleet/config'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits, type Actor } from '../../platform/access.ts'
import { readEdge } from '../edges/service.ts'
import { listLayers } from './queries.ts'
import {
  changeLayers,
  importConf,
  listConfigKeys,
  readConfig,
  readRevision,
  restoreRevision,
  undoRevision,
  writeRevision,
} from './service.ts'

const ann: Actor = { id: randomUUID(), name: 'ann', role: 'operator', scopes: [], limits: {} }

suite('configuration', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
  })
  after(async () => await deps?.db.close())

  const change = async (set: Record<string, JsonValue>, more: { base?: number; dryRun?: boolean } = {}) =>
    await writeRevision(deps, ann, {
      layer: { kind: 'global' },
      change: { set, unset: [] },
      note: '',
      dryRun: false,
      ...more,
    })
  const refusal = async (set: Record<string, JsonValue>) =>
    await change(set).then(
      () => assert.fail('it was accepted'),
      (error: { code: string; problems: { key: string; message: string }[] }) => error,
    )

  test('the revision of an answer belongs to the layers in it, also beside a writer', async () => {
    const { status } = await change({ 'pool.usesMax': 1000 })
    const first = status.revision.revision
    let isWriting = true
    const writer = (async () => {
      for (let next = first + 1; next <= first + 40; next++) await change({ 'pool.usesMax': 1000 + next })
      isWriting = false
    })()
    let seen = 0
    while (isWriting) {
      const { revision, layers } = await readConfig(deps, noLimits)
      const uses = (layers.global as { pool: { usesMax: number } }).pool.usesMax
      assert.equal(uses, revision === first ? 1000 : 1000 + revision)
      seen++
    }
    await writer
    assert.ok(seen > 10)
  })

  test('a change that is based on an older revision is refused and changes nothing', async () => {
    const { revision } = await readConfig(deps, noLimits)
    await assert.rejects(change({ 'pool.usesMax': 7 }, { base: revision - 1 }), { code: 'config_conflict' })
    assert.equal((await readConfig(deps, noLimits)).revision, revision)
  })

  test('of two changes that are based on the same revision, one is refused', async () => {
    const { revision: base } = await readConfig(deps, noLimits)
    const both = await Promise.allSettled([
      change({ 'pool.idleTimeoutMs': 61_000 }, { base }),
      change({ 'pool.idleTimeoutMs': 62_000 }, { base }),
    ])
    assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  })

  test('a dry run, and a change to the present value, write no revision', async () => {
    await change({ 'pool.usesMax': 5000 })
    const { revision } = await readConfig(deps, noLimits)
    const { created, status } = await change({ 'pool.usesMax': 5001 }, { dryRun: true })
    assert.deepEqual([created, status.revision.revision], [false, revision + 1])
    assert.equal((await change({ 'pool.usesMax': 5000 })).created, false)
    assert.equal((await readConfig(deps, noLimits)).revision, revision)
  })

  test('a name that JavaScript gives a meaning is refused, and not stored', async () => {
    for (const key of ['upstreams.__proto__.port', 'listeners.__proto__', '__proto__.pool', 'constructor.x'])
      assert.equal((await refusal({ [key]: 143 })).code, 'config_invalid', key)
    const nested = JSON.parse('{"__proto__": {"port": 143}}') as JsonValue
    assert.match((await refusal({ upstreams: nested })).problems[0]!.key, /upstreams\.__proto__/)
    const stored = JSON.stringify(await listLayers(deps.db.orm, noLimits))
    assert.doesNotMatch(stored, /__proto__|constructor/)
  })

  test('a file that edges write cannot be set by the fleet, and is not offered', async () => {
    const { problems } = await refusal({ 'trace.file': '/etc/cron.d/trace' })
    assert.match(problems[0]!.message, /only in the configuration file of the edge/)
    assert.ok(!listConfigKeys().some(({ key }) => key === 'trace.file'))
    const imported = importConf('server_hostname imap.example\nprotocol_log_filename /var/log/p\n')
    assert.deepEqual([imported.kept, imported.set['trace.file']], [['trace.file'], undefined])
  })

  test('a restored revision is a new one with the same document', async () => {
    const { status: old } = await change({ 'pool.usesMax': 6000 })
    await change({ 'pool.usesMax': 6001, 'log.level': 'debug' })
    const wanted = old.revision.revision
    const { status } = await restoreRevision(deps, ann, { revision: wanted, note: '', dryRun: false })
    assert.equal(status.revision.note, `restores revision ${wanted}`)
    const { layers } = await readConfig(deps, noLimits)
    const { pool, log } = layers.global as { pool: { usesMax: number }; log?: unknown }
    assert.deepEqual([pool.usesMax, log], [6000, undefined])
  })

  test('an undone revision takes back its own keys, the first of a layer too, and only once', async () => {
    const layer = { kind: 'region', name: 'undone' } as const
    const write = async (set: Record<string, JsonValue>) =>
      (await writeRevision(deps, ann, { layer, change: { set, unset: [] }, note: '', dryRun: false })).status
        .revision.revision
    const undo = async (revision: number) =>
      await undoRevision(deps, ann, { revision, note: '', dryRun: false })
    const present = async () => (await readConfig(deps, noLimits)).layers['region/undone']
    const first = await write({ 'upstreams.main.masterPassword': 'geheim' })
    const second = await write({ 'pool.usesMax': 7 })
    const third = await write({ 'log.level': 'debug' })
    const { status } = await undo(second)
    assert.deepEqual(
      [status.revision.note, status.revision.changes.map((made) => [made.key, made.after])],
      [`undoes revision ${second}`, [['pool.usesMax', null]]],
    )
    assert.equal((await undo(second)).created, false)
    await write({ 'log.level': 'info' })
    await assert.rejects(undo(third), { code: 'config_conflict', message: /changed log\.level too/ })
    await undo(first)
    assert.deepEqual(await present(), { log: { level: 'info' } })
    await assert.rejects(undo(999_999), { code: 'revision_unknown' })
  })

  const layerChange = (kind: 'global' | 'region' | 'edge', name: string, set: Record<string, JsonValue>) => ({
    layer: kind === 'global' ? ({ kind } as const) : { kind, name },
    change: { set, unset: [] },
  })
  const changeSeveral = async (
    layers: ReturnType<typeof layerChange>[],
    more: Partial<Parameters<typeof changeLayers>[2]> = {},
  ) => await changeLayers(deps, ann, { layers, note: 'several', dryRun: false, ...more })
  const everything = async () => ({
    layers: await listLayers(deps.db.orm, noLimits),
    revision: (await readConfig(deps, noLimits)).revision,
  })

  test('several layers change at once: a revision for each, all of one version', async () => {
    const { revision: earlier } = await readConfig(deps, noLimits)
    const { created, changes } = await changeSeveral([
      layerChange('global', '', { 'pool.usesMax': 700 }),
      layerChange('region', 'eu', { 'pool.usesMax': 701 }),
      layerChange('edge', 'eu-1', { 'pool.usesMax': 702 }),
    ])
    assert.deepEqual(
      [created, changes.newest, changes.revisions.map(({ revision }) => revision.revision)],
      [true, earlier + 3, [earlier + 1, earlier + 2, earlier + 3]],
    )
    const stored = (await listLayers(deps.db.orm, noLimits)).filter(({ revision }) => revision > earlier)
    assert.deepEqual(stored.map(({ kind }) => kind).toSorted(), ['edge', 'global', 'region'])
    assert.equal(new Set(stored.map(({ version }) => version)).size, 1)
    const { revision } = await readRevision(deps, noLimits, earlier + 2)
    assert.deepEqual([revision.note, revision.layer], ['several', { kind: 'region', name: 'eu' }])
  })

  test('if one layer is not valid, none changes, and the problem names the layer', async () => {
    const earlier = await everything()
    const layers = [
      layerChange('global', '', { 'pool.usesMax': 800 }),
      layerChange('region', 'eu', { 'pool.usesMax': 0 }),
    ]
    for (const dryRun of [true, false])
      await assert.rejects(changeSeveral(layers, { dryRun }), {
        code: 'config_invalid',
        message: 'region/eu pool.usesMax must be at least 1, not 0',
      })
    assert.deepEqual(await everything(), earlier)
  })

  test('several layers that are based on an older revision are refused, and none changes', async () => {
    const earlier = await everything()
    const layers = [
      layerChange('region', 'eu', { 'pool.usesMax': 810 }),
      layerChange('region', 'us', { 'pool.usesMax': 811 }),
    ]
    await assert.rejects(changeSeveral(layers, { base: earlier.revision - 1 }), { code: 'config_conflict' })
    await assert.rejects(changeSeveral(layers, { newestIn: [earlier.revision - 1] }), {
      code: 'precondition_failed',
    })
    assert.deepEqual(await everything(), earlier)
  })

  test('a dry run has the numbers that the revisions would get; equal layers get none', async () => {
    const { revision } = await everything()
    const layers = [
      layerChange('edge', 'us-1', { 'pool.usesMax': 820 }),
      layerChange('region', 'eu', { 'pool.usesMax': 701 }),
      layerChange('region', 'us', { 'pool.usesMax': 821 }),
    ]
    const numbers = (answer: Awaited<ReturnType<typeof changeSeveral>>) =>
      answer.changes.revisions.map((one) => [one.revision.revision, one.revision.layer])
    const planned = await changeSeveral(layers, { dryRun: true })
    assert.deepEqual([planned.created, planned.changes.newest], [false, revision])
    const made = await changeSeveral(layers)
    assert.deepEqual(numbers(planned), [
      [revision + 1, { kind: 'edge', name: 'us-1' }],
      [revision + 2, { kind: 'region', name: 'us' }],
    ])
    assert.deepEqual(numbers(made), numbers(planned))
    const again = await changeSeveral(layers)
    assert.deepEqual([again.created, again.changes], [false, { newest: revision + 2, revisions: [] }])
  })

  test('a rollout changes one layer: several are refused, also as a dry run, and unchanged ones do not count', async () => {
    const rollout = rolloutRequestSchema.parse({})
    const { revision } = await everything()
    const two = [
      layerChange('region', 'eu', { 'pool.usesMax': 830 }),
      layerChange('region', 'us', { 'pool.usesMax': 831 }),
    ]
    for (const dryRun of [true, false])
      await assert.rejects(changeSeveral(two, { rollout, dryRun }), {
        code: 'request_invalid',
        message: /one layer/,
      })
    assert.equal((await everything()).revision, revision)
    const one = [two[0]!, layerChange('region', 'us', { 'pool.usesMax': 821 })]
    const planned = await changeSeveral(one, { rollout, dryRun: true })
    assert.deepEqual(
      planned.changes.revisions.map(({ waves }) => waves),
      [[]],
    )
    const made = await changeSeveral(one, { rollout })
    assert.deepEqual(
      made.changes.revisions.map((its) => its.revision.state),
      ['rolling'],
    )
  })

  test('what an edge should run and what it runs are of one moment, also beside a writer', async () => {
    const { sql } = deps.db
    await sql`
      insert into edges (id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms,
        config_applied, revocations_applied, gauges, degraded, listeners)
      values ('moment', 'nowhere', gen_random_uuid(), '1', 'serving', now(), now(), now(), 5000, 0, 0, '{}', '[]', '[]')`
    const write = async (usesMax: number) =>
      await writeRevision(deps, ann, {
        layer: { kind: 'region', name: 'nowhere' },
        change: { set: { 'pool.usesMax': usesMax }, unset: [] },
        note: '',
        dryRun: false,
      })
    await write(1)
    const last = (await write(2)).status.revision.revision
    await sql`update edges set config_applied = ${last} where id = 'moment'`
    let isWriting = true
    const writer = (async () => {
      for (let to = 0; to < 150; to++)
        await sql.begin(async (tx) => {
          await tx`update layers set revision = ${last - (to % 2)} where name = 'nowhere'`
          await tx`update edges set config_applied = ${last - (to % 2)} where id = 'moment'`
        })
      isWriting = false
    })()
    let seen = 0
    for (; isWriting; seen++) {
      const { wanted, applied } = (await readEdge(deps, noLimits, 'moment')).config
      assert.equal(wanted, applied)
    }
    await writer
    assert.ok(seen > 10)
  })
})
