/** Traces and who may see them, on a real Postgres. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { withLease } from '../../platform/ticks/leases.ts'
import { noLimits, type Actor } from '../../platform/access.ts'
import { authenticateToken, createToken, revokeToken } from '../access/service.ts'
import { listAudit } from '../audit/service.ts'
import { followTrace, readTraceLines } from './follow.ts'
import { beginTrace, endForfeitedTraces, endTrace, listTraces, readTrace } from './service.ts'

const root: Actor = {
  id: '00000000-0000-4000-8000-000000000000',
  name: 'root',
  role: 'admin',
  scopes: [],
  limits: {},
}
const input = { user: 'bob', seconds: 600, bytesMax: 65_536, bodies: false }

suite('traces', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
  })
  after(async () => await deps?.db.close())

  const actorNamed = async (name: string, expiresInSeconds?: number): Promise<Actor> => {
    const { token } = await createToken(deps, 'root', {
      ...{ name, role: 'operator', scopes: ['trace-bodies'], expiresInSeconds },
    })
    return await authenticateToken(deps, token, '192.0.2.1')
  }
  /** One millisecond after the one before. */
  const begin = async (actor: Actor, its = input) => {
    deps.setNow(deps.now() + 1)
    return await beginTrace(deps, actor, its)
  }
  const isRunning = async (id: string) => (await readTrace(deps, noLimits, id)).endedAt === null

  const endForfeited = async () =>
    assert.ok(await withLease(deps, 'forfeited-traces', (lease) => endForfeitedTraces(deps, lease)))

  test('a trace ends when the token of its creator loses the right to see it, and the audit log says why', async () => {
    const [revoked, unscoped, demoted, limited, other] = await Promise.all(
      ['revoked', 'unscoped', 'demoted', 'limited', 'other'].map((name) => actorNamed(name)),
    )
    const traces = {
      revoked: await begin(revoked!, { ...input, bodies: true }),
      revokedToo: await begin(revoked!, input),
      unscoped: await begin(unscoped!, { ...input, bodies: true }),
      unscopedWithout: await begin(unscoped!, input),
      demoted: await begin(demoted!, input),
      limited: await begin(limited!, input),
      limitedToIt: await begin(limited!, { ...input, user: 'ann@example.org' }),
      other: await begin(other!, { ...input, bodies: true }),
    }
    await endForfeited()
    for (const { id } of Object.values(traces)) assert.ok(await isRunning(id))

    await revokeToken(deps, root, revoked!.id)
    await deps.db.sql`update tokens set scopes = '[]' where id = ${unscoped!.id}`
    await deps.db.sql`update tokens set role = 'viewer' where id = ${demoted!.id}`
    await deps.db.sql`update tokens set limits = '{"domains":["example.org"]}' where id = ${limited!.id}`
    const version = async () =>
      (await deps.db.sql`select desired_version as at from fleet`)[0]?.['at'] as number
    const was = await version()
    await endForfeited()
    const running = await Promise.all(
      Object.entries(traces).map(async ([name, { id }]) => ((await isRunning(id)) ? [name] : [])),
    )
    assert.deepEqual(running.flat(), ['unscopedWithout', 'limitedToIt', 'other'])
    const is = await version()
    assert.ok(is > was, 'edges are told')
    await endForfeited()
    assert.equal(await version(), is)

    const { entries } = await listAudit(deps, { limit: 10, action: 'trace.end' })
    assert.deepEqual(
      entries.map(({ actor, before: trace, after: facts }) => [
        actor,
        (trace as { id: string }).id,
        (facts as { reason: string }).reason,
      ]),
      [
        ['limited', 'The trace is outside the limits of limited.'],
        ['demoted', 'demoted no longer has the role operator.'],
        ['unscoped', 'unscoped no longer has the scope trace-bodies.'],
        ['revokedToo', 'This token was revoked: ask for a new one.'],
        ['revoked', 'This token was revoked: ask for a new one.'],
      ].map(([name, reason]) => ['imapfleet-control', traces[name as keyof typeof traces].id, reason]),
    )
  })

  test('a trace does not outlast the token that started it, even if control is down when the token expires', async () => {
    const actor = await actorNamed('temp', 60)
    const { expiresAt } = await begin(actor, input)
    assert.equal(expiresAt, actor.expiresAt?.toISOString())
    const short = await begin(actor, { ...input, seconds: 10 })
    assert.equal(Date.parse(short.expiresAt), deps.now() + 10_000)
  })

  test('traces of an earlier version, which did not store the token, run until they end by themselves', async () => {
    const trace = await begin(await actorNamed('earlier'), input)
    await deps.db.sql`update traces set token = null where id = ${trace.id}`
    await endForfeited()
    assert.ok(await isRunning(trace.id))
  })

  test('only with the scope can message bodies be traced, followed and read', async () => {
    await assert.rejects(begin(root, { ...input, bodies: true }), { code: 'forbidden' })
    const { id } = await begin(await actorNamed('reader'), { ...input, bodies: true })
    const { signal } = new AbortController()
    await assert.rejects(followTrace(deps, root, id, signal), { code: 'forbidden' })
    await assert.rejects(readTraceLines(deps, root, id, signal), { code: 'forbidden' })
  })

  test('a trace that has ended stays unchanged', async () => {
    const trace = await begin(await actorNamed('ender'), input)
    const { endedAt } = await endTrace(deps, root, trace.id)
    deps.setNow(deps.now() + 1_000)
    assert.equal((await endTrace(deps, root, trace.id)).endedAt, endedAt)
    assert.equal((await listTraces(deps, noLimits, { limit: 1 })).traces[0]?.id, trace.id)
    await assert.rejects(readTrace(deps, noLimits, root.id), { code: 'trace_unknown' })
  })

  test('the five hundredth trace is the last one, also for concurrent requests', async () => {
    await deps.db.sql`update traces set ended_at = now()`
    await deps.db.sql`insert into traces (id, "user", bytes_max, bodies, created_by, created_at, expires_at)
      select gen_random_uuid(), 'u' || n, 1024, false, 'x', now(), now() + interval '1 hour' from generate_series(1, 498) n`
    const actor = await actorNamed('many')
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => begin(actor)))
    assert.deepEqual(results.map(({ status }) => status).sort(), [
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
    ])
  })
})
