/** The page of the fleet, on a real Postgres. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits } from '../../platform/access.ts'
import { printFleetMetrics } from './service.ts'

suite('the page of the fleet for Prometheus', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
    for (const [id, claimed, issued] of [
      ['own', 7, 7],
      ['other', 8, null],
      ['new', 0, null],
      ['older', null, null],
    ] as const)
      await deps.db.sql`
        insert into edges (id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms,
          config_applied, revocations_applied, gauges, degraded, listeners, desired_claimed, desired_version)
        values (${id}, 'eu', gen_random_uuid(), '1', 'serving', now(), now(), now(), 5000, 0, 0, '{}', '[]', '[]',
          ${claimed}, ${issued})`
  })
  after(async () => await deps?.db.close())

  const lines = async (name: string) =>
    (await printFleetMetrics(deps, noLimits))
      .split('\n')
      .filter((line) => line.startsWith(`imapfleet_${name}`))

  test('an edge that runs a state of another database is told from those of this one, and from those without a state', async () => {
    const shown = (await lines('edge_foreign_state')).map((line) =>
      /edge="(\w+)".* (\d)$/.exec(line)?.slice(1),
    )
    assert.deepEqual(Object.fromEntries(shown.map((each) => each ?? [])), {
      ...{ new: '0', older: '0', other: '1', own: '0' },
    })
  })

  test('the restore of an older database is on the page from the moment at which control learned of it', async () => {
    assert.deepEqual(await lines('database_restored_seconds'), [])
    await deps.db.sql`update fleet set restored_at = to_timestamp(1800000000)`
    assert.deepEqual(await lines('database_restored_seconds'), [
      'imapfleet_database_restored_seconds 1800000000',
    ])
  })
})
