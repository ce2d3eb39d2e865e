/** An empty database and edges of another one, on a real Postgres. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { insertRevision } from '../config/queries.ts'
import { adoptEdges } from './adoption.ts'
import { reasonToHold } from './hold.ts'
import { fleetProblems, changeFleet, distributeDesired } from './service.ts'

suite('an empty database', () => {
  let deps: TestDeps
  beforeEach(async () => (deps = await testDeps()))
  afterEach(async () => await deps?.db.close())

  const claimed = Date.now() * 1000
  const beat = async (id: string, version: number | null, issued: number | null = null) =>
    await deps.db.sql`
      insert into edges (id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms,
        config_applied, revocations_applied, gauges, degraded, listeners, desired_claimed, desired_version)
      values (${id}, 'eu', gen_random_uuid(), '1', 'serving', now(), now(), now(), 5000, 0, 0, '{}', '[]', '[]',
        ${version}, ${issued})`
  const reason = async () => await reasonToHold(deps.db.orm)

  test('publishes its state to new edges, and to edges of a release without versions', async () => {
    await beat('new', 0)
    await beat('older', null)
    await beat('own', claimed, claimed)
    assert.equal(await reason(), undefined)
  })

  test('publishes nothing while an edge runs the state of another one, and says which edge, and what to do', async () => {
    await beat('eu-1', claimed)
    assert.match((await reason()) ?? '', /no revision, and eu-1 run .*DATABASE_URL.*imapfleet edges adopt/)
    assert.match(
      (await fleetProblems(deps.db.orm, deps.now())).join(),
      /^The desired state is not published: /,
    )
    for (const _ of [1, 2, 3]) await distributeDesired(deps)
    assert.equal(deps.lines.filter((line) => line.includes('the desired state is not published')).length, 1)
  })

  test('publishes its state after an admin has confirmed it, which is audited once', async () => {
    await beat('eu-1', claimed)
    const root = { id: '', name: 'root', role: 'admin', scopes: [], limits: {} } as const
    assert.deepEqual(await adoptEdges(deps, root), { adopted: ['eu-1'] })
    await adoptEdges(deps, root)
    assert.equal(await reason(), undefined)
    assert.equal((await deps.db.sql`select from audit where action = 'edges.adopt'`).length, 1)
  })

  test('publishes its state once it has a revision, or the edge is forgotten', async () => {
    await beat('eu-1', claimed)
    await deps.db.sql`update edges set forgotten_at = now()`
    assert.equal(await reason(), undefined)
    await deps.db.sql`update edges set forgotten_at = null`
    assert.notEqual(await reason(), undefined)
    const revision = {
      revision: 1,
      layerKind: 'global',
      layerName: '',
      document: {},
      changes: [],
      note: '',
    } as const
    await changeFleet(
      deps.db,
      async (queries) => await insertRevision(queries, { ...revision, changes: [], createdBy: 'ann' }),
    )
    assert.equal(await reason(), undefined)
  })
})
