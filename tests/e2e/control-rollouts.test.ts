/** Rollouts: a revision continues while its edges are healthy, and is rolled back everywhere if they are not. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { RevisionStatus, RolloutView } from '@imapfleet/api'
import { ObedientEdge } from '../support/obedient-edge.ts'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

suite('rollouts', () => {
  let plane: Plane
  const edges: Record<string, ObedientEdge> = {}
  const each = () => Object.values(edges)

  async function join(region: string, id: string): Promise<ObedientEdge> {
    const edge = new ObedientEdge(await plane.edge(region, id))
    edges[id] = edge
    edge.beat()
    await until(`the entry of ${id}`, async () => (await edge.edge.desired()) !== undefined)
    return edge
  }

  before(async () => {
    plane = await Plane.start()
    for (const id of ['eu-1', 'eu-2', 'us-1']) await join(id.slice(0, 2), id)
  })
  after(() => plane?.stop())
  beforeEach(() => each().forEach((edge) => (edge.manner = 'apply')))

  let usesMax = 100
  const fast = { soakSeconds: 0, silenceSeconds: 30 }
  const begin = async (rollout: Record<string, unknown>, rest: Record<string, unknown> = {}) => {
    usesMax += 1
    const body = {
      layer: { kind: 'global' },
      set: { 'pool.usesMax': usesMax },
      rollout: { ...fast, ...rollout },
      ...rest,
    }
    const answer = await plane.api('/v1/config/revisions', { body })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return (answer.body as RevisionStatus).revision
  }
  const rolloutOf = async (revision: number) =>
    (await plane.api(`/v1/rollouts/${revision}`)).body as RolloutView
  const ended = (revision: number) =>
    until('the end of the rollout', async () => {
      const rollout = await rolloutOf(revision)
      return rollout.state !== 'running' && rollout.state !== 'paused' && rollout
    })
  const steer = async (revision: number, steering: string) =>
    await plane.api(`/v1/rollouts/${revision}/${steering}`, { method: 'POST' })
  const standing = (rollout: RolloutView) =>
    rollout.waves.map(({ name, state, edges: its }) => [
      name,
      state,
      ...its.map(({ id, status }) => `${id} ${status}`),
    ])

  test('it reaches the canaries, then region by region, each wave after the previous one, until all edges run it', async () => {
    each().forEach((edge) => (edge.manner = 'ignore'))
    const { revision, state } = await begin({ canaryEdges: ['eu-2'], regions: ['us'] })
    assert.equal(state, 'rolling')
    assert.deepEqual(standing(await rolloutOf(revision)), [
      ['canary', 'current', 'eu-2 pending'],
      ['us', 'waiting', 'us-1 waiting'],
      ['eu', 'waiting', 'eu-1 waiting'],
    ])
    // The other edges have not received it.
    assert.notEqual((await edges['us-1']!.edge.desired())?.config.revision, revision)
    for (const id of ['eu-2', 'us-1', 'eu-1']) {
      await until(
        `the turn of ${id}`,
        async () => (await edges[id]!.edge.desired())?.config.revision === revision,
      )
      edges[id]!.manner = 'apply'
      await edges[id]!.look()
    }
    const rollout = await ended(revision)
    assert.equal(rollout.state, 'completed')
    assert.deepEqual(standing(rollout), [
      ['canary', 'done', 'eu-2 applied'],
      ['us', 'done', 'us-1 applied'],
      ['eu', 'done', 'eu-1 applied'],
    ])
    assert.deepEqual(((await plane.api('/v1/config')).body as { layers: object }).layers, {
      global: { pool: { usesMax } },
    })
    const late = await join('us', 'us-2')
    assert.equal((await late.edge.desired())?.config.revision, revision)
    await late.look()
  })

  test('if one edge refuses it, it is rolled back on all edges, with the reason', async () => {
    edges['us-1']!.manner = 'refuse'
    const former = edges['eu-1']!.layer
    const { revision } = await begin({ regions: ['eu'] })
    const rollout = await ended(revision)
    assert.deepEqual([rollout.state, rollout.reason], ['rolled-back', 'us-1 refused it: no such file'])
    // Only then, because the refused revision is wanted until it is rolled back.
    await until(
      'what was before, for the one that refused',
      async () => (await edges['us-1']!.edge.desired())?.config.revision === rollout.undoneBy,
    )
    edges['us-1']!.manner = 'apply'
    await until('what was before, on all', async () => {
      await Promise.all(each().map((edge) => edge.look()))
      return each().every(({ applied }) => applied === rollout.undoneBy)
    })
    assert.deepEqual(edges['eu-1']!.layer, former)
    // It had reached this wave, and no edge of a later wave has run it.
    assert.ok(edges['eu-1']!.ran.includes(revision))
    assert.ok(!edges['us-1']!.ran.includes(revision))
    const { body } = await plane.api(`/v1/config/revisions/${revision}`)
    assert.equal((body as RevisionStatus).revision.state, 'withdrawn')
    const [audit] = await plane.sql`select * from audit where action = 'rollout.roll-back'`
    assert.equal(audit?.['after'].reason, rollout.reason)
  })

  test('it is rolled back if an edge does not apply it in time', async () => {
    edges['eu-1']!.manner = 'ignore'
    const { revision } = await begin({ canaryEdges: ['eu-1'], silenceSeconds: 1 })
    const rollout = await ended(revision)
    assert.deepEqual([rollout.state, rollout.reason], ['rolled-back', 'eu-1 did not apply it within 1 s'])
    assert.ok(!edges['us-1']!.ran.includes(revision))
    edges['eu-1']!.manner = 'apply'
    await edges['eu-1']!.look()
  })

  test('it is rolled back if more logins fail than before', async () => {
    const { edge } = edges['eu-1']!
    const counted = (ok: number, failed: number) => ({
      'logins_total{upstream="main",result="ok"}': ok,
      'logins_total{upstream="main",result="failed"}': failed,
    })
    edge.restart(Date.now() - 5_000)
    await edge.send(edge.report({ counters: counted(0, 0) }, Date.now() - 4_000))
    await edge.send(edge.report({ counters: counted(100, 1) }, Date.now() - 1_000))
    edges['eu-1']!.beat()
    const { revision } = await begin({ canaryEdges: ['eu-1'], soakSeconds: 5 })
    await until('the canary', () => edges['eu-1']!.applied === revision)
    await until('it settled', async () => {
      const [row] = await plane.sql`select settled_at from rollouts where revision = ${revision}`
      return row?.['settled_at'] !== null
    })
    // The first report after the wave settled also counts what failed before: it is only where the next one starts from.
    await edge.send(edge.report({ counters: counted(110, 81) }))
    await edge.send(edge.report({ counters: counted(120, 101) }))
    const rollout = await ended(revision)
    assert.equal(rollout.state, 'rolled-back')
    assert.match(rollout.reason ?? '', /^66\.7 % of 30 logins fail, up from 1\.0 %$/)
    assert.ok(!edges['us-1']!.ran.includes(revision))
  })

  test('it can be paused, resumed and aborted; meanwhile other layers can be written, and its own cannot', async () => {
    each().forEach((edge) => (edge.manner = 'ignore'))
    const { revision } = await begin({ canaryEdges: ['eu-1'] })
    assert.equal(((await steer(revision, 'pause')).body as RolloutView).state, 'paused')
    const write = async (layer: object, rest: object = {}) =>
      await plane.api('/v1/config/revisions', { body: { layer, set: { 'pool.usesMax': 9 }, ...rest } })
    const same = await write({ kind: 'global' })
    assert.deepEqual([same.status, (same.body as { code: string }).code], [409, 'rollout_active'])
    assert.match((same.body as { detail: string }).detail, new RegExp(`POST /v1/rollouts/${revision}/abort`))
    const second = await write({ kind: 'region', name: 'us' }, { rollout: fast })
    assert.deepEqual([second.status, (second.body as { code: string }).code], [409, 'rollout_active'])
    assert.equal((await write({ kind: 'region', name: 'us' })).status, 201)
    assert.deepEqual((await edges['us-1']!.edge.desired())?.config.layer, { pool: { usesMax: 9 } })
    assert.equal((await rolloutOf(revision)).state, 'paused')
    // Back, so that the next tests find the same layers.
    const unset = await plane.api('/v1/config/revisions', {
      body: { layer: { kind: 'region', name: 'us' }, unset: ['pool.usesMax'] },
    })
    assert.equal(unset.status, 201)
    edges['eu-1']!.manner = 'refuse'
    await edges['eu-1']!.look()
    await until('the refusal', async () => standing(await rolloutOf(revision))[0]?.includes('eu-1 rejected'))
    assert.equal((await rolloutOf(revision)).state, 'paused')

    const aborted = (await steer(revision, 'abort')).body as RolloutView
    assert.deepEqual([aborted.state, aborted.reason], ['aborted', 'aborted by tests'])
    assert.equal((await edges['eu-1']!.edge.desired())?.config.revision, aborted.undoneBy)
    const late = await steer(revision, 'resume')
    assert.deepEqual([late.status, (late.body as { code: string }).code], [409, 'rollout_over'])
    edges['eu-1']!.manner = 'apply'
    await Promise.all(each().map((edge) => edge.look()))
  })

  test('if control dies during a rollout, the next control continues it', async () => {
    edges['eu-1']!.manner = 'ignore'
    const { revision } = await begin({ canaryEdges: ['eu-1'] })
    await plane.control.process.kill()
    edges['eu-1']!.manner = 'apply'
    await edges['eu-1']!.look()
    await plane.control.process.start()
    // Repeated, as by real edges: control may not be subscribed yet at the first heartbeat.
    const beating = setInterval(() => edges['eu-1']!.beat(), 500)
    const { state } = await ended(revision).finally(() => clearInterval(beating))
    assert.equal(state, 'completed')
    await until('all edges', () => each().every(({ applied }) => applied === revision))
    assert.ok(each().every(({ ran }) => ran.filter((number) => number === revision).length === 1))
  })

  test('a wave does not wait for an edge that was silent when it started', async () => {
    const gone = await join('asia', 'asia-1')
    gone.edge.beat({ heartbeatMs: 50 })
    gone.manner = 'ignore'
    const isSilent = async () =>
      ((await plane.api('/v1/edges/asia-1')).body as { state: string }).state === 'silent'
    await until('its silence', isSilent)
    const { revision } = await begin({})
    const rollout = await ended(revision)
    assert.equal(rollout.state, 'completed')
    assert.deepEqual(standing(rollout)[0], ['asia', 'done', 'asia-1 skipped'])
    gone.manner = 'apply'
    await gone.look()
    assert.equal(gone.applied, revision)
  })

  test('an older revision can be restored, as a new revision with the same content', async () => {
    const first = await plane.api('/v1/config/revisions', {
      body: { layer: { kind: 'region', name: 'us' }, set: { 'log.level': 'debug' } },
    })
    const { revision } = (first.body as RevisionStatus).revision
    await plane.api('/v1/config/revisions', {
      body: { layer: { kind: 'region', name: 'us' }, set: { 'log.level': 'warn' } },
    })
    const restored = await plane.api(`/v1/config/revisions/${revision}/restore`, { body: {} })
    assert.equal(restored.status, 201)
    const made = (restored.body as RevisionStatus).revision
    assert.deepEqual(made.changes, [{ key: 'log.level', before: 'warn', after: 'debug', reload: 'live' }])
    assert.equal(made.note, `restores revision ${revision}`)
    assert.equal((await plane.api(`/v1/config/revisions/${revision}/restore`, { body: {} })).status, 200)
    assert.equal((await plane.api('/v1/config/revisions/9999/restore', { body: {} })).status, 404)
  })

  test('a rollout with an unknown canary is refused, and nothing is stored', async () => {
    const body = {
      layer: { kind: 'global' },
      set: { 'pool.usesMax': 7 },
      rollout: { canaryEdges: ['nobody'] },
    }
    const answer = await plane.api('/v1/config/revisions', { body })
    assert.deepEqual([answer.status, (answer.body as { code: string }).code], [404, 'edge_unknown'])
    assert.deepEqual((await plane.sql`select 1 from rollouts where state = 'running'`).length, 0)
  })
})
