/** Operations in stages, on a real Postgres. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { StageEdge } from '@imapfleet/api'
import { sql } from 'drizzle-orm'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import type { Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { takeLease, withLease } from '../../platform/ticks/leases.ts'
import { newOperator } from '../access/actor.test-support.ts'
import { revokeToken } from '../access/service.ts'
import { noteHearing } from '../edges/hearing.ts'
import { hearFor, hearNow, passTime } from '../edges/hearing.test-support.ts'
import type { EdgeRow } from '../edges/queries.ts'
import {
  advanceOperations,
  beginOperation,
  isStaged,
  readOperation,
  steerOperation,
  type StageActions,
} from './service.ts'

const at = (region: string) => ({ id: `${region}-1`, region }) as EdgeRow

suite('operations in stages', () => {
  let deps: TestDeps
  let ann: Actor
  before(async () => {
    deps = await testDeps()
    ann = await newOperator(deps, 'ann')
    await hearFor(deps.db, 3_600)
    for (const region of ['ap', 'eu', 'us'])
      await deps.db.orm.execute(sql`
        insert into edges (id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms,
          config_applied, revocations_applied, gauges, degraded, listeners)
        values (${`${region}-1`}, ${region}, gen_random_uuid(), '1', 'serving', now(), now(), now(), 5000, 0, 0,
          '{}', '[]', '[]')`)
  })
  after(async () => await deps?.db.close())

  /** Regions in which work was done, in order. */
  let worked: string[]
  let outcome: (id: string) => StageEdge
  let trouble: string | undefined
  let whileWorking: () => Promise<unknown>
  let whileJudging: () => Promise<unknown>
  beforeEach(() => {
    worked = []
    outcome = (id) => ({ id, status: 'done', reason: null })
    trouble = undefined
    whileWorking = async () => undefined
    whileJudging = async () => undefined
  })
  const actions: StageActions = {
    work: {
      order: async (_deps, _lease, { region, edges }) => {
        worked.push(region)
        await whileWorking()
        return edges.map(({ id }) => outcome(id))
      },
      revocation: () => assert.fail('no revocation'),
      drain: () => assert.fail('no drain'),
    },
    judge: async () => {
      await whileJudging()
      return trouble
    },
  }

  const begin = async (title = 'pause upstream main') =>
    await beginOperation(deps.db.orm, ann, new Date(deps.now()), {
      title,
      work: { kind: 'order', order: 'c0ffee00-0000-4000-8000-000000000000', timeoutMs: 1000 },
      target: { kind: 'all' },
      edges: ['ap', 'eu', 'us'].map(at),
      pace: { kind: 'staged', regions: ['eu'], soakSeconds: 5 },
    })
  let isDeaf = false
  const steps = async (count: number) => {
    if (!isDeaf) await hearNow(deps.db)
    for (let step = 0; step < count; step++)
      assert.ok(await withLease(deps, 'operations', (lease) => advanceOperations(deps, lease, actions)))
  }
  const pass = (seconds: number) => deps.setNow(deps.now() + seconds * 1000)

  test('a region follows only after the one before it was healthy for the soak time', async () => {
    const { id } = await begin()
    await steps(5)
    assert.deepEqual(worked, ['eu'])
    pass(4)
    await steps(3)
    assert.deepEqual(worked, ['eu'])
    for (const expected of [
      ['eu', 'ap'],
      ['eu', 'ap', 'us'],
    ]) {
      pass(6)
      await steps(4)
      assert.deepEqual(worked, expected)
    }
    assert.equal((await readOperation(deps, id)).state, 'running')
    pass(6)
    await steps(2)
    const { state, stages, finishedAt } = await readOperation(deps, id)
    assert.equal(state, 'completed')
    assert.ok(finishedAt)
    assert.deepEqual(
      stages.map((stage) => [stage.region, stage.state, stage.edges[0]!.status]),
      [
        ['eu', 'done', 'done'],
        ['ap', 'done', 'done'],
        ['us', 'done', 'done'],
      ],
    )
  })

  test('a failed edge stops it; it continues only when an operator says so', async () => {
    outcome = (id) => ({ id, status: id === 'eu-1' ? 'failed' : 'done', reason: 'no such upstream' })
    const { id } = await begin()
    await steps(3)
    const stopped = await readOperation(deps, id)
    assert.deepEqual([stopped.state, stopped.reason], ['stopped', 'eu-1 failed: no such upstream'])
    pass(100)
    await steps(3)
    assert.deepEqual(worked, ['eu'])
    assert.equal((await steerOperation(deps, ann, id, 'continue')).state, 'running')
    await steps(1)
    assert.deepEqual(worked, ['eu', 'ap'])
    assert.equal((await steerOperation(deps, ann, id, 'abort')).state, 'aborted')
    pass(100)
    await steps(3)
    assert.deepEqual(worked, ['eu', 'ap'])
    await assert.rejects(steerOperation(deps, ann, id, 'continue'), { code: 'operation_over' })
  })

  test('edges that do worse after a stage stop it', async () => {
    trouble = '40.0 % of 100 logins fail, up from 1.0 %'
    const { id } = await begin()
    await steps(2)
    pass(6)
    await steps(2)
    const { state, reason } = await readOperation(deps, id)
    assert.deepEqual([state, reason, worked], ['stopped', trouble, ['eu']])
    await steerOperation(deps, ann, id, 'abort')
  })

  test('an abort while a stage is worked on is not lost', async () => {
    const { id } = await begin()
    whileWorking = async () => await steerOperation(deps, ann, id, 'abort')
    await steps(1)
    assert.equal((await readOperation(deps, id)).state, 'aborted')
    whileWorking = async () => undefined
    pass(100)
    await steps(3)
    assert.deepEqual([(await readOperation(deps, id)).state, worked], ['aborted', ['eu']])
  })

  test('an abort while the health is judged is not lost', async () => {
    const { id } = await begin()
    await steps(2)
    pass(6)
    whileJudging = async () => await steerOperation(deps, ann, id, 'abort')
    await steps(3)
    assert.deepEqual([(await readOperation(deps, id)).state, worked], ['aborted', ['eu']])
  })

  test('while control is deaf no step is taken, and afterwards the soak starts again', async () => {
    // As the clock of the database.
    deps.setNow(Date.now())
    const { id } = await begin()
    await steps(2)
    isDeaf = true
    await passTime(deps.db, 60, { deaf: true })
    pass(60)
    await steps(3)
    assert.deepEqual(worked, ['eu'])
    deps.setNow(Date.now())
    await noteHearing(deps.db.orm)
    isDeaf = false
    await steps(3)
    assert.deepEqual(worked, ['eu'])
    pass(6)
    await steps(3)
    assert.deepEqual(worked, ['eu', 'ap'])
    await steerOperation(deps, ann, id, 'abort')
  })

  test('two replicas that take the same step advance by one stage', async () => {
    const { id } = await begin()
    await steps(2)
    pass(6)
    await withLease(deps, 'operations', async (lease) => {
      // As if the lease had passed from one to the other between the two.
      await Promise.all([advanceOperations(deps, lease, actions), advanceOperations(deps, lease, actions)])
    })
    const { stages } = await readOperation(deps, id)
    assert.deepEqual(
      stages.map(({ state }) => state),
      ['done', 'current', 'waiting'],
    )
    await steerOperation(deps, ann, id, 'abort')
  })

  test('a replica that has lost its lease takes no step', async () => {
    const { id } = await begin()
    const lease = await takeLease(deps.db, 'operations', 'test')
    assert.ok(lease)
    await lease.release({ succeeded: true })
    await assert.rejects(advanceOperations(deps, lease, actions), { name: 'LeaseLost' })
    assert.deepEqual(worked, [])
    await steerOperation(deps, ann, id, 'abort')
  })

  test('one runs at a time: a second one is refused, and the answer names what runs, its creator, its progress and how to abort it', async () => {
    const { id } = await begin()
    await steps(2)
    const refused = await begin().then(
      () => assert.fail('it began'),
      (error: { code: string; message: string }) => error,
    )
    assert.equal(refused.code, 'operation_active')
    assert.match(
      refused.message,
      new RegExp(
        `"pause upstream main" by ann is running \\(region eu, 1 of 3, since 20.*Z\\): .*abort it \\(POST /v1/operations/${id}/abort\\).*--at-once`,
      ),
    )
    await steerOperation(deps, ann, id, 'abort')
    const next = await begin()
    await steerOperation(deps, ann, next.id, 'abort')
  })

  test('of two that begin at the same moment, one begins', async () => {
    const drain = async (tx: Queries) =>
      await beginOperation(tx, ann, new Date(deps.now()), {
        ...{ title: 'drain edges', work: { kind: 'drain' }, target: { kind: 'all' }, pace: undefined },
        edges: ['ap', 'eu'].map(at),
      })
    const [written, commit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const first = deps.db.orm.transaction(async (tx) => {
      const row = await drain(tx)
      written.resolve()
      await commit.promise
      return row
    })
    await written.promise
    let isOver = false
    const second = deps.db.orm.transaction(drain).finally(() => (isOver = true))
    const isWaiting = async () =>
      (await deps.db.sql`select from pg_locks where locktype = 'advisory' and not granted`).length > 0
    while (!isOver && !(await isWaiting()));
    commit.resolve()
    await assert.rejects(second, { code: 'operation_active' })
    await steerOperation(deps, ann, (await first).id, 'abort')
  })

  test('a stopped one lets others begin, and is not continued beside them', async () => {
    trouble = '40.0 % of 100 logins fail, up from 1.0 %'
    const { id } = await begin()
    await steps(2)
    pass(6)
    await steps(2)
    assert.equal((await readOperation(deps, id)).state, 'stopped')
    const other = await begin()
    await assert.rejects(steerOperation(deps, ann, id, 'continue'), { code: 'operation_active' })
    await steerOperation(deps, ann, other.id, 'abort')
    assert.equal((await steerOperation(deps, ann, id, 'continue')).state, 'running')
    await steerOperation(deps, ann, id, 'abort')
  })

  test('after its token was revoked no further stage starts, until another operator continues it', async () => {
    const { id } = await begin()
    await steps(2)
    await revokeToken(deps, ann, ann.id)
    pass(6)
    await steps(4)
    const { state, reason } = await readOperation(deps, id)
    assert.equal(state, 'stopped')
    assert.match(reason ?? '', /^the token ann was revoked at 20/)
    assert.deepEqual(worked, ['eu'])
    const told = await deps.db
      .sql`select actor, after ->> 'reason' as reason from audit where action = 'operation.stop'`
    assert.deepEqual(told.at(-1), { actor: 'imapfleet-control', reason })
    ann = await newOperator(deps, 'bob')
    // The stage that was not begun is not skipped.
    await steerOperation(deps, ann, id, 'continue')
    await steps(2)
    assert.deepEqual(worked, ['eu', 'ap'])
    await steerOperation(deps, ann, id, 'abort')
  })

  test('only what affects many users in several regions is staged, and never at once with a reason', () => {
    const two = ['eu', 'us'].map(at)
    assert.ok(isStaged(ann, true, two, undefined))
    assert.ok(!isStaged(ann, true, two, { kind: 'at-once', reason: 'incident 17' }))
    assert.ok(!isStaged(ann, true, [at('eu')], undefined))
    assert.ok(!isStaged(ann, false, two, undefined))
  })
})
