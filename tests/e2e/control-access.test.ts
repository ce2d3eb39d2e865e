/** Access to the control plane: tokens, roles, scopes, and the audit log. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { node, programFiles } from '@imapfleet/local'
import {
  problemDetailsSchema,
  type AuditEntry,
  type ProblemDetails,
  type TokenMade,
  type TokenView,
  type TraceView,
} from '@imapfleet/api'
import { runCommand } from '../support/command.ts'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

suite('access to control', () => {
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

  test('without a token, with a wrong token or with too low a role, nothing is shown and nothing is done', async () => {
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

  test('only tokens with the scope can trace message bodies', async () => {
    const body = { user: 'ann', bodies: true }
    assert.equal((await plane.api('/v1/traces', { body })).status, 403)
    const args = [
      programFiles.control,
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

  test('a token is shown once, works until it is revoked or expires, and the audit log has all of it', async () => {
    const made = await plane.api('/v1/tokens', {
      body: { name: 'dora', role: 'operator', expiresInSeconds: 3600 },
    })
    assert.equal(made.status, 201)
    const { token, id } = made.body as TokenMade
    assert.equal((await plane.api('/v1/edges', { token })).status, 200)
    assert.equal((await plane.api('/v1/tokens', { token })).status, 403)
    const list = async () => (await plane.api('/v1/tokens')).body as { tokens: TokenView[] }
    // Noted in the background.
    await until(
      'its last use',
      async () => (await list()).tokens.find((each) => each.id === id)?.lastUsedAt ?? undefined,
    )
    const listed = await list()
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

  test('the audit log comes in pages without gaps or overlaps', async () => {
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

  test('tokens are not stored in plain text', async () => {
    const rows = JSON.stringify(await plane.sql`select * from tokens`)
    assert.ok(!rows.includes(plane.token) && !rows.includes(plane.token.slice(-20)))
  })
})

suite('wrong tokens', () => {
  let plane: Plane
  before(async () => (plane = await Plane.start()))
  after(() => plane?.stop())

  test('after too many from one address, that address has to wait, whatever it sends', async () => {
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
