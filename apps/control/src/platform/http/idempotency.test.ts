/** Writes with an Idempotency-Key, on a real Postgres. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { routes, type ProblemDetails } from '@imapfleet/api'
import { Hono } from 'hono'
import { z } from 'zod'
import { testApi, type TestApi } from '../../api.test-support.ts'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { createToken } from '../../features/access/service.ts'
import { ServiceError } from '../errors.ts'
import type { Env } from './handlers.ts'
import { onceOnly } from './idempotency.ts'

suite('writes with an idempotency key', () => {
  let api: TestApi
  let token: string
  const make = async (name: string) =>
    (await createToken(api.deps, 'root', { name, role: 'admin', scopes: [] })).token
  before(async () => {
    api = await testApi()
    token = await make('ann')
  })
  after(async () => await api?.close())

  const send = async (
    name: 'writeRevision' | 'createToken' | 'addRevocation',
    key: string,
    body: Record<string, unknown>,
    headers: Record<string, string> = {},
  ) => {
    const answer = await api.ask(name, {
      sample: { body },
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': key, ...headers },
    })
    const said = (await answer.json()) as ProblemDetails & { revision?: { revision: number }; token?: string }
    return { status: answer.status, said }
  }
  const change = (base?: number) => ({
    layer: { kind: 'global' },
    set: { 'pool.usesMax': 100 + (base ?? 0) },
    ...(base !== undefined && { base }),
  })
  const count = async () => (await api.deps.db.sql`select 1 from revisions`).length

  test('a momentary refusal frees the key: the same request succeeds once its reason is gone', async () => {
    assert.deepEqual((await send('writeRevision', 'early', change(1))).said.code, 'config_conflict')
    assert.equal((await send('writeRevision', 'first', change(0))).status, 201)
    assert.equal((await send('writeRevision', 'early', change(1))).status, 201)
    // And the outcome is kept, although the same request would be refused now.
    assert.equal((await send('writeRevision', 'early', change(1))).status, 201)
    const known = await count()
    const lost = await send(
      'writeRevision',
      'header',
      { ...change(), set: { 'pool.usesMax': 7 } },
      { 'if-match': '"1"' },
    )
    assert.deepEqual([lost.status, lost.said.code], [412, 'precondition_failed'])
    const read = { 'if-match': '"2"' }
    assert.equal(
      (await send('writeRevision', 'header', { ...change(), set: { 'pool.usesMax': 7 } }, read)).status,
      201,
    )
    assert.equal(await count(), known + 1)
  })

  test('a corrected request can use the key of a refused one, and another request cannot use the key of an outcome', async () => {
    assert.equal((await send('addRevocation', 'key', { kind: 'moon' })).status, 400)
    const body = { kind: 'user', subject: 'ann' }
    assert.equal((await send('addRevocation', 'key', body)).status, 201)
    const other = await send('addRevocation', 'key', { kind: 'user', subject: 'bob' })
    assert.deepEqual([other.status, other.said.code], [409, 'idempotency_conflict'])
    const precondition = await send('addRevocation', 'key', body, { 'if-match': '"1"' })
    assert.equal(precondition.said.code, 'idempotency_conflict')
  })

  test('concurrent requests with one key are carried out once; the others get its answer, or are told to wait', async () => {
    const known = await count()
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => send('writeRevision', 'once', change(known))),
    )
    assert.equal(await count(), known + 1)
    const made = answers.filter(({ status }) => status === 201)
    assert.ok(made.length > 0)
    for (const answer of answers)
      if (answer.status === 201) assert.deepEqual(answer, made[0])
      else assert.equal(answer.said.code, 'idempotency_unknown')
    assert.deepEqual(await send('writeRevision', 'once', change(known)), made[0])
  })

  test('a key belongs to a token', async () => {
    const known = await count()
    await send('writeRevision', 'mine', { ...change(), set: { 'pool.usesMax': 1 } })
    const headers = { authorization: `Bearer ${await make('bob')}` }
    const other = await send('writeRevision', 'mine', { ...change(), set: { 'pool.usesMax': 2 } }, headers)
    assert.equal(other.status, 201)
    assert.equal(await count(), known + 2)
  })

  test('a secret is never stored with a key: neither a token nor a credential, nor any answer that has one', async () => {
    const body = { name: 'ci', role: 'viewer' }
    const [first, second] = [
      await send('createToken', 'secret', body),
      await send('createToken', 'secret', body),
    ]
    assert.ok(first.said.token && second.said.token && first.said.token !== second.said.token)
    const stored = JSON.stringify(await api.deps.db.sql`select * from idempotency`)
    for (const { said } of [first, second]) assert.ok(!stored.includes(said.token!.slice(10)))
    for (const [name, route] of Object.entries(routes))
      if ('answer' in route && route.answer instanceof z.ZodObject) {
        const showsSecret = Object.keys(route.answer.shape).some((key) =>
          /^(token|credentials|secret|password|code|deviceCode)$/.test(key),
        )
        assert.equal('secret' in route, showsSecret, name)
      }
  })
})

suite('the outcome of a write', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
  })
  after(async () => await deps?.db.close())

  /** Sends one request twice. How often it was carried out, and the codes of both answers. */
  async function twice(write: (attempt: number) => Promise<Response>): Promise<[number, string[]]> {
    const once = onceOnly(deps)
    const actor = { id: randomUUID(), name: 'ann', role: 'admin', scopes: [], limits: {} } as const
    let attempts = 0
    const app = new Hono<Env>()
      .use(async (context, next) => {
        context.set('actor', actor)
        await next()
      })
      .post('/', async (context) => await once(context, async () => await write(++attempts)))
      .onError((error, context) => context.text(error instanceof ServiceError ? error.code : 'failed', 500))
    const send = async () => {
      const answer = await app.request('/', { method: 'POST', headers: { 'idempotency-key': 'key' } })
      return answer.ok ? String(answer.status) : await answer.text()
    }
    const codes = [await send(), await send()]
    return [attempts, codes]
  }
  const made = () => Promise.resolve(new Response('{}', { status: 201 }))

  test('is kept if it was a success', async () => {
    assert.deepEqual(await twice(made), [1, ['201', '201']])
  })

  test('is not kept if control refused it, or Postgres said that it rolled back', async () => {
    const refuse = () => Promise.reject(new ServiceError('edge_present', 'The edge is online.'))
    const fail = async () => {
      await deps.db.sql`select 1 / 0`
      return await made()
    }
    assert.deepEqual(await twice((attempt) => (attempt === 1 ? refuse() : made())), [
      2,
      ['edge_present', '201'],
    ])
    assert.deepEqual(await twice((attempt) => (attempt === 1 ? fail() : made())), [2, ['failed', '201']])
  })

  test('is unknown, and nothing is repeated, if Postgres was lost in the middle, or after a bug', async () => {
    const lose = async () => {
      await deps.db.sql.begin(async (tx) => await tx`select pg_terminate_backend(pg_backend_pid())`)
      return await made()
    }
    const unknown = [1, ['failed', 'idempotency_unknown']]
    assert.deepEqual(await twice(lose), unknown)
    assert.deepEqual(await twice(() => Promise.reject(new TypeError('a bug'))), unknown)
  })

  test('reaches the client even if it cannot be stored, and is not repeated', async () => {
    const write = async () => {
      await deps.db.sql`alter table idempotency rename to idempotency_gone`
      return await made()
    }
    const [attempts, [first]] = await twice(write)
    assert.deepEqual([attempts, first], [1, '201'])
    await deps.db.sql`alter table idempotency_gone rename to idempotency`
    assert.ok(deps.lines.some((line) => line.includes('could not be stored')))
  })
})
