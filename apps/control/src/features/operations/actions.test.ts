/** Revocations of a domain and drains in stages, on a real Postgres. Without NATS, edges apply nothing. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Pace } from '@imapfleet/api'
import { sql } from 'drizzle-orm'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits, type Actor } from '../../platform/access.ts'
import { withLease } from '../../platform/ticks/leases.ts'
import { newOperator } from '../access/actor.test-support.ts'
import { hearFor, hearNow } from '../edges/hearing.test-support.ts'
import { drainEdges } from '../edges/service.ts'
import { addRevocation, listRevocations } from '../revocations/service.ts'
import { advanceAllOperations } from './actions.ts'
import { readOperation } from './service.ts'

suite('revocations and drains in stages', () => {
  let deps: TestDeps
  let ann: Actor
  before(async () => {
    deps = await testDeps()
    ann = await newOperator(deps, 'ann')
    // Only time in which control heard counts for the soak.
    await hearFor(deps.db, 3_600)
    for (const [id, region] of [
      ['eu-1', 'eu'],
      ['us-1', 'us'],
      ['us-2', 'us'],
    ])
      await deps.db.orm.execute(sql`
        insert into edges (id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms,
          config_applied, revocations_applied, gauges, degraded, listeners)
        values (${id}, ${region}, gen_random_uuid(), '1', 'serving', now(), now(), now(), 3600000, 0, 0,
          '{}', '[]', '[]')`)
  })
  after(async () => await deps?.db.close())

  const steps = async (count: number) => {
    for (let step = 0; step < count; step++) {
      await hearNow(deps.db)
      assert.ok(await withLease(deps, 'operations', (lease) => advanceAllOperations(deps, lease)))
    }
  }
  const revoked = async () => {
    const { revocations } = await listRevocations(deps, noLimits, { limit: 50 })
    return revocations.map(({ subject, region }) => [subject, region]).reverse()
  }
  /** As if the edges of a region had applied everything until now. */
  const applied = async (region: string) =>
    await deps.db.orm.execute(sql`
      update edges set revocations_applied = (select max(sequence) from revocations) where region = ${region}`)
  const drained = async () =>
    (await deps.db.orm.execute<{ id: string }>(sql`select id from edges where drain order by id`)).map(
      ({ id }) => id,
    )

  test('a domain is revoked in the first region, and in the next when that has applied it', async () => {
    const { operation, edges } = await addRevocation(deps, ann, {
      ...{ kind: 'domain', subject: '@Example.org', note: 'breach' },
      pace: { kind: 'staged', regions: ['us'], soakSeconds: 1 },
    })
    assert.ok(operation)
    assert.deepEqual(
      edges.map(({ id, status }) => [id, status]),
      [
        ['us-1', 'pending'],
        ['us-2', 'pending'],
      ],
    )
    assert.deepEqual(await revoked(), [['example.org', 'us']])
    await steps(3)
    assert.deepEqual(await revoked(), [['example.org', 'us']])
    await applied('us')
    await steps(2)
    deps.setNow(deps.now() + 2_000)
    await steps(2)
    assert.deepEqual(await revoked(), [
      ['example.org', 'us'],
      ['example.org', 'eu'],
    ])
    await applied('eu')
    await steps(2)
    deps.setNow(deps.now() + 2_000)
    await steps(2)
    assert.equal((await readOperation(deps, operation.id)).state, 'completed')
    assert.equal((await revoked()).length, 2)
  })

  test('the revocation of a user, and one at once, are for all edges immediately', async () => {
    const one = await addRevocation(deps, ann, { kind: 'user', subject: 'ann@example.org', note: '' })
    const all = await addRevocation(deps, ann, {
      ...{ kind: 'domain', subject: 'example.net', note: '' },
      pace: { kind: 'at-once', reason: 'incident 17' },
    })
    for (const { operation, revocation, edges } of [one, all])
      assert.deepEqual([operation, revocation.region, edges.length], [undefined, null, 3])
  })

  test('regions are drained one after the other, and a resume ends the drain', async () => {
    const pace: Pace = { kind: 'staged', regions: [], soakSeconds: 1 }
    const { operation } = await drainEdges(deps, ann, { target: { kind: 'all' }, pace }, true)
    assert.ok(operation)
    await steps(2)
    assert.deepEqual(await drained(), ['eu-1'])
    await deps.db.orm.execute(sql`update edges set state = 'draining' where id = 'eu-1'`)
    await steps(2)
    deps.setNow(deps.now() + 2_000)
    await steps(2)
    assert.deepEqual(await drained(), ['eu-1', 'us-1', 'us-2'])
    await drainEdges(deps, ann, { target: { kind: 'edge', name: 'us-1' } }, false)
    const { state, reason } = await readOperation(deps, operation.id)
    assert.deepEqual([state, reason], ['aborted', 'ann resumed edges of it'])
    await steps(2)
    assert.deepEqual(await drained(), ['eu-1', 'us-2'])
  })

  test('edges of one region are drained at once', async () => {
    await drainEdges(deps, ann, { target: { kind: 'all' } }, false)
    const { operation } = await drainEdges(deps, ann, { target: { kind: 'region', name: 'us' } }, true)
    assert.deepEqual([operation, await drained()], [undefined, ['us-1', 'us-2']])
  })
})
