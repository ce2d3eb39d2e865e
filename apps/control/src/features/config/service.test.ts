/** The configuration of the fleet, on a real Postgres. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { JsonValue } from '@imapfleet/config'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits, type Actor } from '../../platform/access.ts'
import { listLayers } from './queries.ts'
import { importConf, listConfigKeys, readConfig, restoreRevision, writeRevision } from './service.ts'

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
})
