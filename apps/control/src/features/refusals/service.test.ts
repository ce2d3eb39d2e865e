import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import type { Refusal } from '../../platform/nats/intake.ts'
import { forgetOldRefusals, problemsByEdge, writeRefusals } from './service.ts'

suite('refusals', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
    await deps.db.sql`
      insert into edges (id, region, boot, version, state, started_at, last_seen_at, sent_at, heartbeat_ms,
        config_applied, revocations_applied, gauges, degraded, listeners)
      values ('eu-1', 'eu', gen_random_uuid(), '1', 'serving', now(), now(), now(), 5000, 0, 0, '{}', '[]', '[]')`
  })
  after(async () => await deps?.db.close())

  const refusal = (said: Partial<Refusal>): Refusal => ({
    edge: 'eu-1',
    sentAs: 'heartbeat',
    kind: 'too-many',
    reason: 'more than one edge may send',
    count: 1,
    ...said,
  })
  const problems = async () =>
    new Map(
      [...(await problemsByEdge(deps.db.orm))].map(([edge, found]) => [edge, found.map(({ text }) => text)]),
    )
  const counted = async () =>
    (await deps.db.sql<{ count: string }[]>`select count from refusals`).map(({ count }) => Number(count))

  test('an operator sees what is refused of which edge, with the number of all replicas', async () => {
    await writeRefusals(deps, [refusal({ count: 20_000 }), refusal({ count: 7_000 })])
    await writeRefusals(deps, [refusal({ count: 750 })])
    const [sentence, ...others] = (await problems()).get('eu-1') ?? []
    assert.match(
      sentence ?? '',
      /^control refuses its heartbeats: more than one edge may send; 27,750 times from 20[^.]*Z to 20[^.]*Z; this problem ends 2 minutes after the last refusal$/,
    )
    assert.deepEqual(others, [])
    assert.deepEqual(await counted(), [27_750])
  })

  test('senders that are not registered are one series, and no row', async () => {
    await writeRefusals(deps, [
      refusal({ edge: 'invented-1' }),
      refusal({ edge: 'invented-2' }),
      refusal({ kind: 'malformed' }),
    ])
    assert.deepEqual([...(await problems()).keys()], ['eu-1'])
    const { counters } = deps.metrics.snapshot()
    assert.equal(counters['control_refused_total{edge="",sent_as="heartbeat",reason="too-many"}'], 2)
    assert.equal(counters['control_refused_total{edge="eu-1",sent_as="heartbeat",reason="malformed"}'], 1)
    assert.equal(
      Object.keys(counters).some((key) => key.includes('invented')),
      false,
    )
  })

  test('what NATS refuses of an edge says so, and an edge of an earlier version is a warning', async () => {
    await deps.db.sql`delete from refusals`
    await writeRefusals(deps, [
      refusal({
        sentAs: 'trace',
        kind: 'share-full',
        reason: 'the stream holds as many of this edge as it may',
      }),
      refusal({ sentAs: 'trace', kind: 'outdated', reason: 'it is older than control: upgrade the edge' }),
    ])
    const found = (await problemsByEdge(deps.db.orm)).get('eu-1') ?? []
    assert.deepEqual(
      found.map(({ severity }) => severity),
      ['warning', 'bad'],
    )
    assert.match(
      found[0]?.text ?? '',
      /^NATS refuses its trace lines: it is older than control: upgrade the edge$/,
    )
    assert.match(
      found[1]?.text ?? '',
      /^NATS refuses its trace lines: the stream holds .*; once, at 20.*Z; this problem ends 2 minutes after the last refusal$/,
    )
  })

  test('metrics of a newer edge are no problem', async () => {
    await deps.db.sql`delete from refusals`
    await writeRefusals(deps, [refusal({ kind: 'series-unknown' })])
    assert.equal((await problems()).size, 0)
  })

  test('a problem ends two minutes after the last refusal, and the next one counts anew', async () => {
    await deps.db.sql`delete from refusals`
    await writeRefusals(deps, [refusal({ count: 500 })])
    await deps.db.sql`
      update refusals set last_at = last_at - interval '1 minute', first_at = first_at - interval '1 hour'`
    assert.equal((await problems()).size, 1)
    await writeRefusals(deps, [refusal({ count: 2 })])
    assert.deepEqual(await counted(), [502])
    await deps.db.sql`update refusals set last_at = last_at - interval '121 seconds'`
    assert.equal((await problems()).size, 0)
    await writeRefusals(deps, [refusal({})])
    assert.deepEqual(await counted(), [1])
    assert.match((await problems()).get('eu-1')?.[0] ?? '', /; once, at 20[^.]*Z; this problem ends/)
    await deps.db.sql`update refusals set last_at = last_at - interval '121 seconds'`
    await forgetOldRefusals(deps)
    const [row] = await deps.db.sql`select count(*)::int as count from refusals`
    assert.equal(row?.count, 0)
  })
})
