/** The API to those who may not, who ask for nonsense, or who come while something is away. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { node, repository } from '@imapfleet/local'
import {
  problemDetailsSchema,
  type AuditEntry,
  type ProblemDetails,
  type TokenMade,
  type TokenView,
  type TraceView,
} from '@imapfleet/protocol'
import { runCommand } from '../support/command.ts'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

suite('the control API', () => {
  let plane: Plane
  before(async () => (plane = await Plane.start()))
  after(() => plane?.stop())

  const refused = async (path: string, options: RequestInit = {}) => {
    const answer = await fetch(`${plane.control.api}${path}`, options)
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, path)
    const problem = problemDetailsSchema.parse(await answer.json())
    assert.equal(problem.status, answer.status)
    assert.doesNotMatch(JSON.stringify(problem), /at .*\.ts:|node_modules/)
    return [answer.status, problem.code]
  }
  const asAdmin = () => ({ authorization: `Bearer ${plane.token}`, 'content-type': 'application/json' })

  test('without a token, with a wrong one or with one of a lower role nothing is told and nothing done', async () => {
    assert.deepEqual(await refused('/v1/edges'), [401, 'token_missing'])
    const wrong = [`Bearer imapfleet_${'x'.repeat(43)}`, 'Bearer', 'Basic YTpi', `Bearer ${'x'.repeat(4000)}`]
    for (const authorization of wrong)
      assert.deepEqual(await refused('/v1/edges', { headers: { authorization } }), [401, 'token_invalid'])

    const viewer = await plane.control.createToken('a-viewer', 'viewer')
    assert.equal((await plane.api('/v1/edges', { token: viewer })).status, 200)
    const change = { layer: { kind: 'global' }, set: { 'pool.usesMax': 3 } }
    const write = await plane.api('/v1/config/revisions', { token: viewer, body: change })
    assert.deepEqual([write.status, (write.body as { code: string }).code], [403, 'forbidden'])
    assert.equal((await plane.api('/v1/traces', { token: viewer, body: { user: 'ann' } })).status, 403)
    assert.deepEqual((await plane.api('/v1/config')).body, { revision: 0, layers: {} })
  })

  test('message bodies are for tokens that have the scope', async () => {
    const body = { user: 'ann', bodies: true }
    assert.equal((await plane.api('/v1/traces', { body })).status, 403)
    const main = `${repository}/apps/control/src/main.ts`
    const args = [
      main,
      'token',
      'create',
      '--name',
      'reader',
      '--role',
      'operator',
      '--scope',
      'trace-bodies',
    ]
    const made = await runCommand(node, args, { env: { DATABASE_URL: plane.postgres.url } })
    const trace = await plane.api('/v1/traces', { token: made.stdout.trim(), body })
    assert.deepEqual([trace.status, (trace.body as TraceView).bodies], [201, true])
    const [row] = await plane.sql`select * from audit where action = 'trace.start'`
    assert.deepEqual([row?.['actor'], row?.['target'], row?.['after'].bodies], ['reader', 'ann', true])
  })

  test('a token is shown once, used until it is revoked or expires, and all of that is on record', async () => {
    const made = await plane.api('/v1/tokens', {
      body: { name: 'dora', role: 'operator', expiresInSeconds: 3600 },
    })
    assert.equal(made.status, 201)
    const { token, id } = made.body as TokenMade
    assert.equal((await plane.api('/v1/edges', { token })).status, 200)
    assert.equal((await plane.api('/v1/tokens', { token })).status, 403)
    const listed = (await plane.api('/v1/tokens')).body as { tokens: TokenView[] }
    const shown = listed.tokens.find((each) => each.id === id)
    assert.deepEqual([shown?.name, shown?.role, shown?.revokedAt], ['dora', 'operator', null])
    assert.ok(shown?.expiresAt && shown.lastUsedAt)
    assert.doesNotMatch(JSON.stringify(listed), new RegExp(token.slice(10)))

    assert.equal((await plane.api(`/v1/tokens/${id}`, { method: 'DELETE' })).status, 200)
    const late = await plane.api('/v1/edges', { token })
    assert.deepEqual(
      [late.status, (late.body as ProblemDetails).detail],
      [401, 'This token was revoked: ask for a new one.'],
    )

    const next = (await plane.api('/v1/tokens', { body: { name: 'bob', role: 'viewer' } })).body as TokenMade
    await plane.sql`update tokens set expires_at = now() where id = ${next.id}`
    const expired = await plane.api('/v1/edges', { token: next.token })
    assert.match((expired.body as ProblemDetails).detail ?? '', /^This token expired at /)

    const audit = (await plane.api('/v1/audit?limit=500')).body as { entries: AuditEntry[] }
    assert.deepEqual(
      audit.entries.filter(({ target }) => target === 'dora').map(({ action, actor }) => [action, actor]),
      [
        ['token.revoke', 'tests'],
        ['token.create', 'tests'],
      ],
    )
  })

  test('the audit log is read page by page, without gap or overlap', async () => {
    for (const name of ['p1', 'p2', 'p3']) await plane.api('/v1/tokens', { body: { name, role: 'viewer' } })
    const whole = (await plane.api('/v1/audit?limit=500')).body as { entries: AuditEntry[]; next: null }
    assert.equal(whole.next, null)
    const pages: AuditEntry[] = []
    let onward = ''
    for (let page = 0; page < 100; page++) {
      const { entries, next } = (await plane.api(`/v1/audit?limit=2${onward}`)).body as {
        entries: AuditEntry[]
        next: number | null
      }
      pages.push(...entries)
      if (next === null) break
      onward = `&before=${next}`
    }
    assert.deepEqual(pages, whole.entries)
  })

  test('tokens are not kept as they are', async () => {
    const rows = JSON.stringify(await plane.sql`select * from tokens`)
    assert.ok(!rows.includes(plane.token) && !rows.includes(plane.token.slice(-20)))
  })

  test('nonsense is refused with a code and a sentence', async () => {
    const post = (body: string, type = 'application/json') =>
      refused('/v1/config/revisions', {
        method: 'POST',
        body,
        headers: { ...asAdmin(), 'content-type': type },
      })
    assert.deepEqual(await post('{"layer":'), [400, 'request_invalid'])
    assert.deepEqual(await post('{}'), [400, 'request_invalid'])
    assert.deepEqual(await post('[]'), [400, 'request_invalid'])
    assert.deepEqual(await post('a=b', 'application/x-www-form-urlencoded'), [400, 'request_invalid'])
    assert.deepEqual(await post(JSON.stringify({ note: 'x'.repeat(2_000_000) })), [413, 'request_too_large'])
    assert.deepEqual(await post('{"layer":{"kind":"global"},"set":{"pool.usesMax":0}}'), [
      400,
      'config_invalid',
    ])
    assert.deepEqual(await post('{"layer":{"kind":"global"},"set":{"__proto__.x":1}}'), [
      400,
      'config_invalid',
    ])

    const headers = asAdmin()
    assert.deepEqual(await refused('/v1/nothing', { headers }), [404, 'route_unknown'])
    assert.deepEqual(await refused('/nothing'), [404, 'route_unknown'])
    assert.deepEqual(await refused('/v1/edges/nobody', { headers }), [404, 'edge_unknown'])
    assert.deepEqual(await refused('/v1/config/resolved?edge=nobody', { headers }), [404, 'edge_unknown'])
    assert.deepEqual(await refused('/v1/config/revisions/99', { headers }), [404, 'revision_unknown'])
    assert.deepEqual(await refused('/v1/config/revisions/-1', { headers }), [400, 'request_invalid'])
    assert.deepEqual(await refused('/v1/config/revisions/99999999999', { headers }), [400, 'request_invalid'])
    assert.deepEqual(await refused('/v1/traces/not-an-id', { headers }), [400, 'request_invalid'])
    assert.deepEqual(await refused('/v1/traces/6b3d3a3e-9d3c-4c6e-8f43-0d0b7f3b8d11/live', { headers }), [
      404,
      'trace_unknown',
    ])
    const nul = { method: 'POST', headers, body: JSON.stringify({ user: 'a\u0000b' }) }
    assert.deepEqual(await refused('/v1/traces', nul), [400, 'request_invalid'])
  })

  test('with Postgres away it says so, and works again when it is back', async () => {
    await plane.postgres.process?.kill()
    const ready = await fetch(`${plane.control.api}/readyz`)
    assert.equal(ready.status, 503)
    const health = (await ready.json()) as { ready: boolean; postgres: string; nats: string }
    assert.deepEqual([health.ready, health.nats], [false, 'ok'])
    assert.notEqual(health.postgres, 'ok')
    assert.equal((await fetch(`${plane.control.api}/healthz`)).status, 200)
    assert.deepEqual(await refused('/v1/edges', { headers: asAdmin() }), [503, 'database_unavailable'])
    await plane.startPostgres()
    await until('control to be ready', async () => (await fetch(`${plane.control.api}/readyz`)).ok)
    assert.equal((await plane.api('/v1/edges')).status, 200)
  })

  test('it starts while NATS and Postgres are away, and is ready when they have come', async () => {
    await plane.control.process.stop()
    await Promise.all([plane.postgres.process?.kill(), plane.nats.process?.kill()])
    const started = plane.control.process.start()
    const health = await until('an answer', async () => {
      const ready = await fetch(`${plane.control.api}/readyz`)
      return ready.status === 503 && ((await ready.json()) as { postgres: string; nats: string })
    })
    assert.ok(health.postgres !== 'ok' && health.nats !== 'ok')
    await Promise.all([plane.startPostgres(), plane.nats.process?.start()])
    await started
    assert.equal((await plane.api('/v1/edges')).status, 200)
  })
})

suite('wrong tokens', () => {
  let plane: Plane
  before(async () => (plane = await Plane.start()))
  after(() => plane?.stop())

  test('too many from one address make it wait, whatever it sends then', async () => {
    const guess = async () =>
      (await plane.api('/v1/edges', { token: `imapfleet_${randomBytes(32).toString('base64url')}` })).status
    const answers = await Promise.all(Array.from({ length: 30 }, guess))
    assert.deepEqual([...new Set(answers)], [401])
    assert.equal(await guess(), 429)
    const right = await fetch(`${plane.control.api}/v1/edges`, {
      headers: { authorization: `Bearer ${plane.token}` },
    })
    assert.deepEqual([right.status, right.headers.get('retry-after')], [429, '60'])
    await plane.sql`update login_failures set since = since - interval '1 minute'`
    assert.equal((await plane.api('/v1/edges')).status, 200)
  })
})

suite('the command line of control', () => {
  const main = `${repository}/apps/control/src/main.ts`
  const run = async (args: string[], env: Record<string, string | undefined> = {}) =>
    await runCommand(node, [main, ...args], { env: { DATABASE_URL: undefined, ...env } })
  const oneLine = (text: string) => text.trim().split('\n').length === 1

  test('what can not work is said in one line, with an exit status', async () => {
    const nowhere = { DATABASE_URL: 'postgres://x@127.0.0.1:1/x' }
    const cases: [string[], Record<string, string>, RegExp][] = [
      [['all'], {}, /DATABASE_URL is not set/],
      [['all'], { DATABASE_URL: 'mysql://x' }, /DATABASE_URL must be like postgres:/],
      [['all'], { ...nowhere, NATS_URL: 'localhost' }, /NATS_URL must be like nats:/],
      [['api'], { ...nowhere, NATS_TOKEN_FILE: '/nowhere' }, /NATS_TOKEN_FILE: cannot read \/nowhere/],
      [['api', '--port', '99999'], nowhere, /--port/],
      [['api', '--host', '192.0.2.1', '--port', '0'], nowhere, /192\.0\.2\.1 is no address of this machine/],
      [['nonsense'], nowhere, /unknown command 'nonsense'/],
      [['token', 'create', '--role', 'admin'], nowhere, /--name/],
      [['token', 'create', '--name', 'x', '--role', 'king'], nowhere, /viewer, operator, admin/],
      [
        ['token', 'create', '--name', 'x', '--role', 'admin'],
        nowhere,
        /no token could be made: Postgres says .*ECONNREFUSED/,
      ],
    ]
    for (const [args, env, sentence] of cases) {
      const said = await run(args, env)
      assert.notEqual(said.status, 0, args.join(' '))
      assert.match(said.stderr, sentence)
      assert.ok(oneLine(said.stderr), said.stderr)
      assert.equal(said.stdout, '')
    }
  })
})
