/** Drains, on a real Postgres. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits } from '../../platform/access.ts'
import { listAudit } from '../audit/service.ts'
import { drainEdges } from './service.ts'

suite('a drain', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
    await deps.db.sql`
      insert into edges (id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms,
        config_applied, revocations_applied, gauges, degraded, listeners)
      select 'eu-' || lpad(number::text, 3, '0'), 'eu', gen_random_uuid(), '1', 'serving', now(), now(), now(), 5000,
        0, 0, '{}', '[]', '[]'
      from generate_series(1, 150) as number`
  })
  after(() => deps?.db.close())

  test('of a large fleet is audited with the number of its edges, and the first of them', async () => {
    const actor = { id: '', name: 'ann', role: 'operator', scopes: [], limits: noLimits } as const
    const all = { target: { kind: 'all' }, pace: { kind: 'at-once', reason: 'a test' } } as const
    const { edges } = await drainEdges(deps, actor, all, true)
    assert.equal(edges.length, 150)
    await drainEdges(deps, actor, { target: { kind: 'all' } }, false)
    const { entries } = await listAudit(deps, { limit: 10 })
    assert.deepEqual(
      entries.map(({ action }) => action),
      ['edges.resume', 'edges.drain'],
    )
    for (const { after: facts } of entries) {
      const { edgeCount, edges: named } = facts as unknown as { edgeCount: number; edges: string[] }
      assert.deepEqual([edgeCount, named.length, named[0]], [150, 20, 'eu-001'])
    }
  })
})
