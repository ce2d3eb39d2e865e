/** What a request reads of a large fleet, on a real Postgres. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits } from '../../platform/access.ts'
import { enrolledEdges } from '../enrolments/service.ts'
import { selectAddressedEdges } from './queries.ts'
import { edgesOfTarget, listSomeEdges } from './service.ts'

suite('a request reads only the edges that it is for', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
    await deps.db.sql`
      insert into edges (id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms, config_applied,
        revocations_applied, gauges, degraded, listeners)
      select region || '-' || number, region, gen_random_uuid(), '1', 'serving', now(), now(), now(), 5000, 0, 0, '{}', '[]', '[]'
      from unnest('{eu,us}'::text[]) as region, generate_series(1, 50) as number`
    await deps.db.sql`
      insert into enrolments (key, edge, region, created_by, created_at)
      select id, id, region, 'admin', now() from edges`
  })
  after(async () => await deps?.db.close())

  test('an order to one edge reads its row, and one to a region the rows of the region', async () => {
    const { orm } = deps.db
    const ids = async (...of: Parameters<typeof selectAddressedEdges>) =>
      (await selectAddressedEdges(...of)).map(({ id }) => id)
    assert.deepEqual(await ids(orm, noLimits, { kind: 'edge', name: 'eu-7' }), ['eu-7'])
    assert.equal((await ids(orm, noLimits, { kind: 'region', name: 'us' })).length, 50)
    assert.equal((await ids(orm, noLimits, { kind: 'all' })).length, 100)
    // A region and an edge of the same name are not confused.
    assert.deepEqual(await ids(orm, noLimits, { kind: 'region', name: 'eu-7' }), [])
    await assert.rejects(edgesOfTarget(deps, noLimits, { kind: 'edge', name: 'us' }), {
      code: 'edge_unknown',
    })
  })

  test('a page of edges reads the credentials of its edges', async () => {
    const page = await listSomeEdges(deps, noLimits, { limit: 3 })
    assert.deepEqual(
      page.edges.map(({ id, credential }) => [id, credential]),
      [
        ['eu-1', 'valid'],
        ['eu-10', 'valid'],
        ['eu-11', 'valid'],
      ],
    )
    assert.deepEqual([...(await enrolledEdges(deps.db.orm, ['eu-1', 'us-2', 'asia-1'])).keys()].toSorted(), [
      'eu-1',
      'us-2',
    ])
  })
})
