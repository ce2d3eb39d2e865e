/** What an alert shows of the time before it, on a real Postgres. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { AccessLimits } from '@imapfleet/api'
import type { JsonValue } from '@imapfleet/config'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits, type Actor } from '../../platform/access.ts'
import { writeAudit } from '../audit/service.ts'
import { writeRevision } from '../config/service.ts'
import { readAlert } from './service.ts'

const actor = (role: Actor['role'], limits: AccessLimits = noLimits): Actor => ({
  ...{ id: randomUUID(), name: 'ann', role, scopes: [], limits },
})
const [ann, vera, eve] = [actor('operator'), actor('viewer'), actor('operator', { regions: ['eu'] })]

suite('what was changed before an alert', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
    const { sql } = deps.db
    for (const id of ['eu-1', 'eu-2', 'us-1']) {
      const started = id === 'eu-1' ? "now() - interval '10 minutes'" : "now() - interval '3 hours'"
      await sql.unsafe(`
        insert into edges (id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms, config_applied,
          revocations_applied, gauges, degraded, listeners)
        values ('${id}', '${id.slice(0, 2)}', '${randomUUID()}', '0.1.0', 'serving', ${started}, now(), now(), 5000, 0, 0, '{}', '[]', '[]')`)
    }
    const revise = async (layer: string, minutes: number, set: Record<string, JsonValue>) => {
      const [kind = '', name = ''] = layer.split('/')
      const { status } = await writeRevision(deps, ann, {
        layer: kind === 'global' ? { kind } : { kind: kind === 'edge' ? 'edge' : 'region', name },
        ...{ change: { set, unset: [] }, note: '', dryRun: false },
      })
      const { revision } = status.revision
      await sql`update revisions set created_at = now() - make_interval(mins => ${minutes}) where revision = ${revision}`
    }
    await revise('region/eu', 90, { 'pool.usesMax': 1 })
    await revise('region/eu', 20, { 'pool.usesMax': 2 })
    await revise('region/us', 19, { 'pool.usesMax': 3 })
    await revise('global', 18, { 'pool.usesMax': 4 })
    await revise('edge/eu-2', 17, { 'pool.usesMax': 5 })
    await revise('edge/eu-1', 16, { 'upstreams.main.masterPassword': 'geheim' })
    const audit = async (
      minutes: number,
      action: string,
      target: string,
      more: Record<string, unknown> = {},
    ) => {
      await writeAudit(deps.db.orm, { actor: 'bob', action, target, after: more })
      await sql`
        update audit set at = now() - make_interval(mins => ${minutes}) where id = (select max(id) from audit)`
    }
    await sql`delete from audit`
    await audit(9, 'edges.drain', 'region/eu')
    await audit(8, 'order.give', 'all', { id: 'x', kind: 'pause-upstream', upstream: 'main' })
    await audit(7, 'order.give', 'edge/eu-1', { id: 'x', kind: 'kick-user', user: 'joe@example.org' })
    await audit(6, 'edges.drain', 'edge/us-1')
    await audit(5, 'edge.revoke', 'edge/eu-1')
    await sql`
      insert into alerts (id, rule, subject, region, edge, text, state, since, opened_at)
      values (1, 'upstream-down', 'eu-1/main', 'eu', 'eu-1', 'x', 'open', now() - interval '2 minutes', now()),
        (2, 'upstream-down', 'us-1/main', 'us', 'us-1', 'x', 'pending', now(), null),
        (3, 'reuse-fallen', 'eu', 'eu', null, 'x', 'open', now() - interval '2 minutes', now())`
    // After the alert began.
    await revise('region/eu', 0, { 'pool.usesMax': 6 })
    await sql`update alerts set opened_at = since where id = 1`
  })
  after(async () => await deps?.db.close())

  const told = async (who: Actor, id = 1) =>
    (await readAlert(deps, who, id)).preceding.map(({ text, undo }) =>
      undo === null ? text : `${text} | ${undo}`,
    )

  const revisions = [
    'eu-1 started, version 0.1.0',
    'revision 6 of edge/eu-1: upstreams.main.masterPassword "(redacted)" | imapfleet config undo 6',
    'revision 4 of global: pool.usesMax 4 | imapfleet config undo 4',
    'revision 2 of region/eu: pool.usesMax 1 → 2 | imapfleet config undo 2',
  ]
  const drain = 'drain of region/eu | imapfleet resume --region eu'
  const revoked = 'the credential of edge/eu-1 was revoked'

  test('what reached its edge within the hour before, newest first, and nothing else', async () => {
    const paused = 'order for all: pause upstream main | imapfleet upstream resume main --all'
    assert.deepEqual(await told(ann), [revoked, paused, drain, ...revisions])
  })

  test('orders elsewhere, however many, hide none that concern it', async () => {
    await deps.db.sql`
      insert into audit (at, actor, action, target, after)
      select now() - interval '3 minutes', 'bob', 'edges.drain', 'edge/us-2', '{}' from generate_series(1, 250)`
    assert.ok((await told(ann)).includes(drain))
  })

  test('a viewer is shown no orders and no drains', async () => {
    assert.deepEqual(await told(vera), revisions)
  })

  test('a token of a region is shown nothing of the whole fleet', async () => {
    assert.deepEqual(await told(eve), [
      revoked,
      drain,
      ...revisions.filter((text) => !text.includes('global')),
    ])
  })

  test('an alert of a region shows the changes of all of its edges', async () => {
    const all = (await told(ann, 3)).join('\n')
    assert.match(all, /edge\/eu-2/)
    assert.doesNotMatch(all, /region\/us|edge\/us-1/)
  })

  test('a rollout is shown to the edges that it has reached, until it is over', async () => {
    const { status } = await writeRevision(deps, ann, {
      ...{
        layer: { kind: 'global' },
        change: { set: { 'pool.usesMax': 9 }, unset: [] },
        note: '',
        dryRun: false,
      },
      rollout: {
        ...{ canaryEdges: ['us-1'], canaryPercent: 10, regions: [], soakSeconds: 60 },
        ...{ silenceSeconds: 60, errorShareMax: 0.1 },
      },
    })
    const { revision } = status.revision
    const { sql } = deps.db
    await sql`update rollouts set created_at = now() - interval '5 hours', wave_started_at = now() - interval '5 minutes'`
    assert.deepEqual(
      (await told(ann, 2)).filter((text) => text.includes('rollout')),
      [
        `rollout of revision ${revision} to global is running: pool.usesMax 4 → 9 | imapfleet rollouts abort ${revision}`,
      ],
    )
    assert.doesNotMatch((await told(ann)).join(), /rollout/)
  })

  test('the extent counts the edges of each region, its own first', async () => {
    assert.deepEqual((await readAlert(deps, ann, 1)).extent, [
      { region: 'eu', edges: 1, of: 2 },
      { region: 'us', edges: 0, of: 1 },
    ])
    assert.deepEqual((await readAlert(deps, eve, 1)).extent, [{ region: 'eu', edges: 1, of: 2 }])
    assert.deepEqual((await readAlert(deps, ann, 3)).extent, [])
  })
})
