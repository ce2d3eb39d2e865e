/** Rollouts, on a real Postgres. Edges are their heartbeats; time passes by moving the stored times back. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { rolloutRequestSchema, type LayerName, type RolloutRequest } from '@imapfleet/api'
import type { Presence } from '@imapfleet/protocol'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits, type Actor } from '../../platform/access.ts'
import { openDatabase } from '../../platform/db/database.ts'
import { takeLease, withLease, LeaseLost } from '../../platform/ticks/leases.ts'
import { newOperator } from '../access/actor.test-support.ts'
import { revokeToken } from '../access/service.ts'
import { listLayers } from '../config/queries.ts'
import { writeRevision } from '../config/service.ts'
import { layersByName, resolve } from '../desired/service.ts'
import { noteHearing } from '../edges/hearing.ts'
import { hearFor, hearNow, passTime } from '../edges/hearing.test-support.ts'
import { recordPresence } from '../edges/ingest.ts'
import { markEdgeForgotten } from '../edges/queries.ts'
import { rollingRevision, skipEdge } from './queries.ts'
import { advanceRollouts, listRollouts, readRollout, readRolloutHealth, steerRollout } from './service.ts'

suite('rollouts', () => {
  let deps: TestDeps
  let ann: Actor
  beforeEach(async () => {
    deps = await testDeps()
    ann = await newOperator(deps, 'ann')
    await hearFor(deps.db, 3_600)
    isDeaf = false
    for (const id of ['eu-1', 'eu-2', 'us-1']) await beat(id)
  })
  afterEach(async () => await deps?.db.close())

  const boots = new Map<string, string>()
  let sent = 0
  async function beat(edge: string, rest: Partial<Presence> = {}): Promise<void> {
    sent += 1
    if (!boots.has(edge)) boots.set(edge, randomUUID())
    const presence = {
      v: 1,
      edge,
      region: edge.split('-')[0]!,
      boot: boots.get(edge)!,
      at: deps.now() + sent,
      sequence: sent,
      version: '1',
      startedAt: deps.now(),
      heartbeatMs: 5_000,
      state: 'serving',
      desired: { version: 0 },
      config: { applied: 0, versions: { global: 0, region: 0, edge: 0 } },
      revocations: 0,
      gauges: {},
      degraded: [],
      listeners: [],
      ...rest,
    } as const satisfies Presence
    await recordPresence(deps, [{ presence, ageMs: 0 }])
  }
  const wantedOf = async (edge: string) =>
    resolve(
      { edge, region: edge.split('-')[0]! },
      layersByName(await listLayers(deps.db.orm, noLimits)),
      await rollingRevision(deps.db.orm),
    )
  /** The edge applies what is wanted of it now, and says so. */
  async function apply(...edges: string[]): Promise<void> {
    for (const edge of edges) {
      const { revision, versions } = await wantedOf(edge)
      await beat(edge, { config: { applied: revision, versions } })
    }
  }
  async function refuse(edge: string): Promise<void> {
    const { revision, versions } = await wantedOf(edge)
    const rejected = { revision, versions, reason: 'no such file' }
    await beat(edge, { config: { applied: 0, versions: { global: 0, region: 0, edge: 0 }, rejected } })
  }

  let usesMax = 10
  async function write(layer: LayerName, rollout?: RolloutRequest): Promise<number> {
    usesMax += 1
    const { status } = await writeRevision(deps, ann, {
      layer,
      change: { set: { 'pool.usesMax': usesMax }, unset: [] },
      note: '',
      dryRun: false,
      rollout: rollout && rolloutRequestSchema.parse(rollout),
    })
    return status.revision.revision
  }
  const start = async (rollout: RolloutRequest = {}, layer: LayerName = { kind: 'global' }) =>
    await write(layer, { soakSeconds: 30, silenceSeconds: 60, regions: ['eu'], ...rollout })

  let isDeaf = false
  /** The timer runs once. */
  async function advance(): Promise<void> {
    if (!isDeaf) await hearNow(deps.db)
    const isRun = await withLease(deps, 'rollouts', async (lease) => await advanceRollouts(deps, lease))
    assert.equal(isRun, true)
  }
  async function pass(seconds: number, how: { deaf?: boolean } = {}): Promise<void> {
    const { sql } = deps.db
    const ago = sql`${seconds}::float8 * interval '1 second'`
    await sql`
      update rollouts set wave_started_at = wave_started_at - ${ago}, settled_at = settled_at - ${ago},
        checked_at = checked_at - ${ago}, created_at = created_at - ${ago}`
    await passTime(deps.db, seconds, how)
    isDeaf = how.deaf ?? false
  }
  async function hearAgain(): Promise<void> {
    await noteHearing(deps.db.orm)
    isDeaf = false
  }
  const stateOf = async (revision: number) => {
    const { state, reason, waves } = await readRollout(deps, noLimits, revision)
    return [state, reason, ...waves.map((wave) => `${wave.name} ${wave.state}`)]
  }
  const steer = async (revision: number, steering: 'pause' | 'resume' | 'abort') =>
    await steerRollout(deps, ann, revision, steering)
  const auditOf = async (action: string) =>
    await deps.db.sql`select actor from audit where action = ${action}`

  test('a wave starts after all edges of the one before have applied the revision and the soak is over', async () => {
    const revision = await start()
    await advance()
    await apply('eu-1')
    await advance()
    await pass(31)
    await beat('us-1')
    await apply('eu-1')
    await advance()
    assert.deepEqual(await stateOf(revision), ['running', null, 'eu current', 'us waiting'])
    assert.notEqual((await wantedOf('us-1')).revision, revision)

    await apply('eu-1', 'eu-2')
    await advance()
    await pass(29)
    await apply('eu-1', 'eu-2', 'us-1')
    await advance()
    assert.deepEqual(await stateOf(revision), ['running', null, 'eu current', 'us waiting'])
    await pass(1)
    await advance()
    assert.deepEqual(await stateOf(revision), ['running', null, 'eu done', 'us current'])

    await apply('us-1')
    await advance()
    await pass(30)
    await apply('eu-1', 'eu-2', 'us-1')
    await advance()
    assert.deepEqual(await stateOf(revision), ['completed', null, 'eu done', 'us done'])
    assert.equal((await auditOf('rollout.complete')).length, 1)
    await advance()
    assert.equal((await auditOf('rollout.complete')).length, 1)
  })

  test('if an edge rejects it, every edge is told to run what was before', async () => {
    await write({ kind: 'global' })
    const former = await wantedOf('eu-1')
    const revision = await start()
    await apply('eu-1')
    await refuse('eu-2')
    await advance()
    const [state, reason] = await stateOf(revision)
    assert.deepEqual([state, reason], ['rolled-back', 'eu-2 refused it: no such file'])
    const wanted = await wantedOf('eu-1')
    assert.deepEqual(wanted.layer, former.layer)
    assert.equal(wanted.revision, (await readRollout(deps, noLimits, revision)).undoneBy)
    assert.equal((await auditOf('rollout.roll-back'))[0]?.['actor'], 'imapfleet-control')
  })

  test('an edge that does not apply it within the limit causes a rollback', async () => {
    const revision = await start()
    await pass(59)
    for (const id of ['eu-1', 'eu-2']) await beat(id)
    await advance()
    assert.equal((await stateOf(revision))[0], 'running')
    await pass(2)
    for (const id of ['eu-1', 'eu-2']) await beat(id)
    await advance()
    assert.deepEqual((await stateOf(revision)).slice(0, 2), [
      'rolled-back',
      'eu-1 did not apply it within 60 s',
    ])
  })

  test('an edge that becomes silent while others are heard causes a rollback', async () => {
    const revision = await start()
    await apply('eu-1', 'eu-2')
    await advance()
    await pass(61)
    await apply('eu-1')
    await advance()
    assert.deepEqual((await stateOf(revision)).slice(0, 2), ['rolled-back', 'eu-2 has been silent for 60 s'])
  })

  test('while control is deaf nothing is decided, and afterwards the edges have the whole limit again', async () => {
    const revision = await start()
    await apply('eu-1')
    await pass(600, { deaf: true })
    await advance()
    assert.equal((await stateOf(revision))[0], 'running')
    await hearAgain()
    await advance()
    await pass(59)
    await advance()
    assert.deepEqual(await stateOf(revision), ['running', null, 'eu current', 'us waiting'])
    await apply('eu-1', 'eu-2', 'us-1')
    await advance()
    // Control became deaf during the soak: its time counts only from the end of the gap.
    await pass(600, { deaf: true })
    await advance()
    await hearAgain()
    await advance()
    assert.deepEqual(await stateOf(revision), ['running', null, 'eu current', 'us waiting'])
    await pass(30)
    for (const id of ['eu-1', 'eu-2', 'us-1']) await apply(id)
    await advance()
    assert.deepEqual(await stateOf(revision), ['running', null, 'eu done', 'us current'])
  })

  test('while control is deaf no step is taken, even if the last heartbeats allow it', async () => {
    const revision = await start()
    await apply('eu-1')
    await refuse('eu-2')
    await pass(10, { deaf: true })
    await advance()
    assert.equal((await stateOf(revision))[0], 'running')
    await hearAgain()
    await advance()
    assert.equal((await stateOf(revision))[0], 'rolled-back')
  })

  test('it says what it waits for and how long, unless it is paused, over, or control is deaf', async () => {
    const waitingFor = async (revision: number) => (await readRollout(deps, noLimits, revision)).waiting
    const revision = await start()
    assert.deepEqual(await waitingFor(revision), { for: 'apply', secondsLeft: 60 })
    await apply('eu-1', 'eu-2')
    await advance()
    await pass(10)
    assert.deepEqual(await waitingFor(revision), { for: 'soak', secondsLeft: 20 })
    await pass(10, { deaf: true })
    assert.equal(await waitingFor(revision), null)
    await hearAgain()
    await steer(revision, 'pause')
    assert.equal(await waitingFor(revision), null)
    await steer(revision, 'abort')
    assert.equal(await waitingFor(revision), null)
  })

  test('its figures are those of the edges that it has reached, and of the others', async () => {
    const revision = await start()
    const { reached, rest, since } = await readRolloutHealth(deps, noLimits, revision)
    assert.deepEqual([reached.edges, rest.edges], [2, 1])
    assert.deepEqual(reached.now, { logins: 0, failedLogins: 0, dials: 0, failedDials: 0 })
    await apply('eu-1', 'eu-2')
    await pass(5)
    await advance()
    const later = await readRolloutHealth(deps, noLimits, revision)
    assert.ok(later.since > since, 'from when the wave has settled')
    assert.ok(later.until >= later.since)
    await assert.rejects(readRolloutHealth(deps, noLimits, 999), { code: 'rollout_unknown' })
  })

  test('a paused rollout takes no step, and its limits start again when it is resumed', async () => {
    const revision = await start()
    assert.equal((await steer(revision, 'pause')).state, 'paused')
    await pass(3_600)
    for (const id of ['eu-1', 'eu-2', 'us-1']) await beat(id)
    await advance()
    assert.equal((await stateOf(revision))[0], 'paused')
    assert.equal((await steer(revision, 'resume')).state, 'running')
    await advance()
    assert.equal((await stateOf(revision))[0], 'running')

    // The soak starts again too.
    await apply('eu-1', 'eu-2')
    await advance()
    await steer(revision, 'pause')
    await pass(40)
    await apply('eu-1', 'eu-2', 'us-1')
    await steer(revision, 'resume')
    await advance()
    await advance()
    assert.deepEqual(await stateOf(revision), ['running', null, 'eu current', 'us waiting'])
  })

  test('after its token was revoked it is paused before the next wave, until another operator resumes it', async () => {
    const revision = await start()
    await apply('eu-1', 'eu-2')
    await advance()
    await revokeToken(deps, ann, ann.id)
    await pass(31)
    await beat('us-1')
    await apply('eu-1', 'eu-2')
    await advance()
    const [state, reason, ...waves] = await stateOf(revision)
    assert.deepEqual([state, ...waves], ['paused', 'eu current', 'us waiting'])
    assert.match(reason ?? '', /^the token ann was revoked at 20/)
    assert.equal((await auditOf('rollout.pause'))[0]?.actor, 'imapfleet-control')
    ann = await newOperator(deps, 'bob')
    await steer(revision, 'resume')
    await advance()
    await pass(31)
    await beat('us-1')
    await apply('eu-1', 'eu-2')
    await advance()
    assert.deepEqual(await stateOf(revision), ['running', null, 'eu done', 'us current'])
  })

  test('an abort restores what was before on every edge at once, and ends the rollout', async () => {
    const revision = await start()
    await apply('eu-1', 'eu-2')
    const aborted = await steer(revision, 'abort')
    assert.deepEqual([aborted.state, aborted.reason], ['aborted', 'aborted by ann'])
    assert.deepEqual((await wantedOf('eu-1')).layer, {})
    for (const steering of ['pause', 'resume', 'abort'] as const)
      await assert.rejects(steer(revision, steering), { code: 'rollout_over' })
    await assert.rejects(steer(999, 'abort'), { code: 'rollout_unknown' })
    await advance()
    assert.equal((await stateOf(revision))[0], 'aborted')
  })

  test('an abort between the look of a replica and its write is not overwritten', async () => {
    const revision = await start()
    await apply('eu-1', 'eu-2')
    await advance()
    await pass(30)
    await apply('eu-1', 'eu-2', 'us-1')
    await beforeWrite(
      () => advance(),
      () => steer(revision, 'abort'),
    )
    assert.equal((await stateOf(revision))[0], 'aborted')
    assert.deepEqual((await wantedOf('us-1')).layer, {})
  })

  test('a pause and a resume between the look of a replica and its write start the limits again', async () => {
    const revision = await start()
    await pass(61)
    for (const id of ['eu-1', 'eu-2', 'us-1']) await beat(id)
    await beforeWrite(
      () => advance(),
      () => steer(revision, 'pause'),
      () => steer(revision, 'resume'),
    )
    assert.equal((await stateOf(revision))[0], 'running')
  })

  /** Runs `work` until it waits to write to the fleet, then the others in turn, and then the rest of `work`. */
  async function beforeWrite(
    work: () => Promise<unknown>,
    ...others: (() => Promise<unknown>)[]
  ): Promise<void> {
    const { sql, address } = deps.db
    const holder = openDatabase(address)
    const started: Promise<unknown>[] = []
    await holder.sql.begin(async (tx) => {
      await tx`select 1 from fleet for update`
      // Postgres gives the lock to those who wait in the order of their requests.
      for (const each of [...others, work]) {
        started.push(each())
        const waiting = async () =>
          await sql`
          select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
        while ((await waiting()).length < started.length);
      }
    })
    await Promise.all(started)
    await holder.close()
  }

  test('a replica whose lease has expired writes nothing', async () => {
    const revision = await start()
    const lease = await takeLease(deps.db, 'rollouts', 'web-1/7')
    assert.ok(lease)
    await apply('eu-1', 'eu-2')
    await deps.db.sql`update leases set until = clock_timestamp() - interval '1 second'`
    await assert.rejects(advanceRollouts(deps, lease), LeaseLost)
    const settled = async () =>
      (await deps.db.sql`select settled_at from rollouts where revision = ${revision}`)[0]?.['settled_at']
    assert.equal(await settled(), null)
    await advance()
    assert.notEqual(await settled(), null)
  })

  test('of two replicas that look at the same time, one takes the step', async () => {
    const revision = await start({ soakSeconds: 0 })
    await apply('eu-1', 'eu-2')
    await advance()
    const lease = await takeLease(deps.db, 'rollouts', 'web-1/7')
    assert.ok(lease)
    await Promise.all([advanceRollouts(deps, lease), advanceRollouts(deps, lease)])
    assert.deepEqual(await stateOf(revision), ['running', null, 'eu done', 'us current'])
  })

  test('a wave does not wait for edges that were silent when it started, or were forgotten since', async () => {
    await pass(16)
    for (const id of ['eu-1', 'us-1']) await beat(id)
    const revision = await start({ soakSeconds: 0 })
    await apply('eu-1')
    await advance()
    await advance()
    assert.deepEqual((await stateOf(revision)).slice(2), ['eu done', 'us current'])
    await pass(16)
    await apply('eu-1')
    assert.equal(await markEdgeForgotten(deps.db.orm, 'us-1'), true)
    await skipEdge(deps.db.orm, 'us-1')
    await beat('us-1')
    await advance()
    await advance()
    assert.equal((await stateOf(revision))[0], 'completed')
  })

  suite('other changes during a rollout', () => {
    test('another layer can be written, and does not count as the revision', async () => {
      const revision = await start()
      await write({ kind: 'region', name: 'us' })
      const other = await write({ kind: 'edge', name: 'eu-1' })
      // It runs a revision with a higher number, but not the rolling one.
      const { versions } = await wantedOf('eu-1')
      await beat('eu-1', { config: { applied: other, versions: { ...versions, global: 0 } } })
      await apply('eu-2')
      await advance()
      const [row] = await deps.db.sql`select settled_at from rollouts where revision = ${revision}`
      assert.equal(row?.['settled_at'], null)
      await apply('eu-1')
      await advance()
      await steer(revision, 'abort')
      assert.deepEqual((await wantedOf('eu-1')).layer, { pool: { usesMax: usesMax } })
    })

    test('the same layer and a second rollout are refused, with what to do', async () => {
      const revision = await start()
      const refused = async (layer: LayerName, rollout?: RolloutRequest) => {
        const error: unknown = await write(layer, rollout).catch((reason: unknown) => reason)
        assert.ok(error instanceof Error && 'code' in error)
        assert.equal(error.code, 'rollout_active')
        return error.message
      }
      assert.match(
        await refused({ kind: 'global' }),
        new RegExp(
          `revision ${revision} of global changes this layer: .*POST /v1/rollouts/${revision}/abort`,
        ),
      )
      assert.match(await refused({ kind: 'region', name: 'us' }, {}), /Only one rollout can run at a time/)
      await steer(revision, 'abort')
      await write({ kind: 'global' })
      await start()
    })

    test('another layer is refused while it would hide the progress on an edge that reports only numbers', async () => {
      await beat('us-1', { desired: undefined, config: { applied: 0 } })
      await start()
      await write({ kind: 'region', name: 'eu' })
      await assert.rejects(write({ kind: 'region', name: 'us' }), {
        code: 'rollout_active',
        message:
          /could no longer be observed on us-1, whose release does not report the version of each layer/,
      })
    })
  })

  test('rollouts are listed with their newest state, a page at a time', async () => {
    const first = await start()
    await steer(first, 'abort')
    const second = await start()
    const page = await listRollouts(deps, noLimits, { limit: 1 })
    assert.deepEqual([page.rollouts.map(({ revision }) => revision), page.next], [[second], second])
    const rest = await listRollouts(deps, noLimits, { limit: 1, before: second })
    assert.deepEqual(
      [rest.rollouts.map(({ revision, state }) => [revision, state]), rest.next],
      [[[first, 'aborted']], null],
    )
  })
})
