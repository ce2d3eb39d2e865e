/** Silence, on a real Postgres. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { Presence } from '@imapfleet/protocol'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits } from '../../platform/access.ts'
import type { Database } from '../../platform/db/database.ts'
import { noteHearing, readHearing } from './hearing.ts'
import { hearFor, passTime } from './hearing.test-support.ts'
import { recordPresence } from './ingest.ts'
import { selectEdges } from './queries.ts'

suite('silence of an edge', () => {
  let deps: TestDeps
  let db: Database
  before(async () => {
    deps = await testDeps()
    db = deps.db
  })
  after(async () => await db?.close())

  let sent = Date.now()
  const boot = randomUUID()
  const beat = async () => {
    sent += 1
    const rest = {
      version: '1',
      startedAt: 1,
      state: 'serving',
      config: { applied: 0 },
      revocations: 0,
    } as const
    const lists = { gauges: {}, degraded: [], listeners: [] }
    const presence: Presence = {
      v: 1,
      edge: 'eu-1',
      region: 'eu',
      boot,
      at: sent,
      heartbeatMs: 5_000,
      ...rest,
      ...lists,
    }
    await recordPresence(deps, [{ presence, ageMs: 0 }])
  }
  /** Whether it is silent, and the silence in whole seconds. */
  const silence = async () => {
    const [edge] = await selectEdges(db.orm, noLimits)
    return [edge?.silent, Math.round((edge?.silentMs ?? NaN) / 1000)]
  }

  beforeEach(async () => {
    await hearFor(db, 3_600)
    await beat()
  })

  test('it is silent after three missed heartbeats', async () => {
    assert.deepEqual(await silence(), [false, 0])
    await passTime(db, 14)
    assert.deepEqual(await silence(), [false, 14])
    await passTime(db, 2)
    assert.deepEqual(await silence(), [true, 16])
    await beat()
    assert.deepEqual(await silence(), [false, 0])
  })

  test('no silence grows while control is deaf, and afterwards it starts anew', async () => {
    await passTime(db, 5)
    await passTime(db, 600, { deaf: true })
    assert.deepEqual(await silence(), [false, 5])
    assert.equal((await readHearing(db.orm)).isDeaf, true)
    await noteHearing(db.orm)
    assert.deepEqual(await silence(), [false, 5])
    const { since, until, isDeaf } = await readHearing(db.orm)
    assert.deepEqual([until - since, isDeaf], [0, false])
    await passTime(db, 14)
    assert.deepEqual(await silence(), [false, 14])
    await passTime(db, 2)
    assert.deepEqual(await silence(), [true, 16])
  })

  test('an edge that was silent before control became deaf stays silent until it sends a heartbeat', async () => {
    await passTime(db, 60)
    await passTime(db, 600, { deaf: true })
    assert.deepEqual(await silence(), [true, 60])
    await noteHearing(db.orm)
    assert.deepEqual(await silence(), [true, 60])
    await beat()
    assert.deepEqual(await silence(), [false, 0])
  })

  test('it also stays silent if control becomes deaf again after a moment', async () => {
    await passTime(db, 60)
    for (const heardSeconds of [0, 8, 2, 5]) {
      await passTime(db, 600, { deaf: true })
      await noteHearing(db.orm)
      await passTime(db, heardSeconds)
      assert.deepEqual(await silence(), [true, 60])
    }
    await beat()
    assert.deepEqual(await silence(), [false, 0])
  })

  test('of several times between gaps the longest counts, and none of them is added to another', async () => {
    const deafAfter = async (heardSeconds: number) => {
      await passTime(db, heardSeconds)
      const found = await silence()
      await passTime(db, 600, { deaf: true })
      await noteHearing(db.orm)
      return found
    }
    assert.deepEqual(await deafAfter(4), [false, 4])
    assert.deepEqual(await deafAfter(9), [false, 9])
    assert.deepEqual(await deafAfter(6), [false, 9])
    assert.deepEqual(await deafAfter(1), [false, 9])
    // The edge was heard after the longest of them.
    await beat()
    assert.deepEqual(await deafAfter(7), [false, 7])
    assert.deepEqual(await deafAfter(16), [true, 16])
    assert.deepEqual(await deafAfter(1), [true, 16])
  })

  test('an edge that sent a heartbeat after the gap is not judged by the time before it', async () => {
    await passTime(db, 60)
    await passTime(db, 600, { deaf: true })
    await noteHearing(db.orm)
    await beat()
    await passTime(db, 14)
    assert.deepEqual(await silence(), [false, 14])
  })

  test('probes of several replicas, also late ones, extend the same time', async () => {
    const { since, until } = await readHearing(db.orm)
    await noteHearing(db.orm)
    await passTime(db, 2)
    await noteHearing(db.orm)
    const later = await readHearing(db.orm)
    assert.ok(later.until - later.since >= until - since + 2_000)
  })
})
