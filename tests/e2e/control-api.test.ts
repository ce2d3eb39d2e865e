/** The API with invalid, repeated and outdated requests, and while Postgres or NATS is down. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { problemDetailsSchema, type ProblemDetails, type RevocationStatus } from '@imapfleet/api'
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

  test('an invalid request is refused with a code and a sentence', async () => {
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
    assert.deepEqual(await refused('/v1/edges', { method: 'PUT', headers }), [405, 'method_unknown'])
    assert.deepEqual(await refused('/healthz', { method: 'DELETE' }), [405, 'method_unknown'])
    const put = await fetch(`${plane.control.api}/v1/traces/some-id`, { method: 'PUT', headers })
    assert.equal(put.headers.get('allow'), 'DELETE, GET')
    const nul = { method: 'POST', headers, body: JSON.stringify({ user: 'a\u0000b' }) }
    assert.deepEqual(await refused('/v1/traces', nul), [400, 'request_invalid'])
  })

  test('a body that is too large is refused before it was sent, and its rest ends neither the answer nor the connection', async () => {
    const [bytes, sentFirst] = [2_000_000, 100_000]
    const { hostname, port } = new URL(plane.control.api)
    const socket = connect(Number(port), hostname)
    let received = ''
    socket.setEncoding('latin1').on('data', (text: string) => (received += text))
    const answers = (status: number) => received.split(`HTTP/1.1 ${status} `).length - 1
    socket.write(
      `POST /v1/config/revisions HTTP/1.1\r\nhost: control\r\nauthorization: Bearer ${plane.token}\r\n` +
        `content-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n${' '.repeat(sentFirst)}`,
    )
    await until('the refusal', () => answers(413) === 1 && received.includes('request_too_large'))
    socket.write(' '.repeat(bytes - sentFirst))
    socket.write(`GET /healthz HTTP/1.1\r\nhost: control\r\nconnection: close\r\n\r\n`)
    await until('the answer to the next request', () => answers(200) === 1)
    socket.destroy()
  })

  test('a write with an idempotency key is done once, however often it is sent', async () => {
    const send = async (key: string, body: unknown, token = plane.token) => {
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      }
      const answer = await fetch(`${plane.control.api}/v1/revocations`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      return { status: answer.status, body: (await answer.json()) as RevocationStatus & ProblemDetails }
    }
    const count = async () => (await plane.sql`select 1 from revocations`).length
    const known = await count()
    const body = { kind: 'user', subject: 'ann' }
    const answers = await Promise.all([1, 2, 3].map(() => send('once', body)))
    const made = answers.filter(({ status }) => status === 201)
    assert.ok(made.length >= 1)
    assert.ok(
      answers.every(({ status, body: said }) => status === 201 || said.code === 'idempotency_unknown'),
    )
    assert.deepEqual(await send('once', body), made[0])
    assert.equal(await count(), known + 1)

    assert.equal((await send('once', { kind: 'user', subject: 'bob' })).body.code, 'idempotency_conflict')
    assert.equal((await send('wrong', { kind: 'moon' })).status, 400)
    assert.equal((await send('wrong', { kind: 'moon' })).status, 400)
    assert.equal((await send('two words', body)).body.code, 'request_invalid')
    // The same key of another token is another key.
    const other = await plane.control.createToken('other', 'operator')
    assert.equal((await send('once', body, other)).status, 201)
    assert.equal(await count(), known + 2)
  })

  test('a change based on an outdated configuration is refused', async () => {
    const headers = asAdmin()
    const known = (await fetch(`${plane.control.api}/v1/config`, { headers })).headers.get('etag') ?? ''
    const post = async (ifMatch: string, usesMax: number) => {
      const body = JSON.stringify({ layer: { kind: 'global' }, set: { 'pool.usesMax': usesMax } })
      const init = { method: 'POST', headers: { ...headers, 'if-match': ifMatch }, body }
      return (await fetch(`${plane.control.api}/v1/config/revisions`, init)).status
    }
    assert.equal(await post(known, 11), 201)
    assert.equal(await post(known, 12), 412)
    assert.equal(await post('*', 12), 201)
    assert.equal(await post('nonsense', 13), 400)

    const newest = ((await plane.api('/v1/config')).body as { revision: number }).revision
    const restore = async (ifMatch: string) => {
      const init = { method: 'POST', headers: { ...headers, 'if-match': ifMatch }, body: '{}' }
      const answer = await fetch(`${plane.control.api}/v1/config/revisions/${newest - 1}/restore`, init)
      return { status: answer.status, problem: (await answer.json()) as ProblemDetails }
    }
    const lost = await restore(known)
    assert.deepEqual([lost.status, lost.problem.newest], [412, newest])
    assert.equal((await restore(`"${newest}"`)).status, 201)
  })

  test('the pages of every list contain each entry exactly once', async () => {
    for (const name of ['one', 'two', 'three']) {
      await plane.api('/v1/tokens', { body: { name, role: 'viewer' } })
      assert.equal((await plane.api('/v1/traces', { body: { user: name } })).status, 201)
      await plane.api('/v1/revocations', { body: { kind: 'user', subject: name } })
      ;(await plane.edge('eu', `eu-${name}`)).beat()
      ;(await plane.edge('us', `us-${name}`)).beat()
    }
    type Listed = Record<string, unknown[]> & { next?: string | number | null }
    const list = async (path: string) => (await plane.api(path)).body as Listed
    await until('six edges', async () => (await list('/v1/edges'))['edges']?.length === 6)
    for (const [path, name, cursor] of [
      ['/v1/edges', 'edges', 'after'],
      ['/v1/tokens', 'tokens', 'before'],
      ['/v1/traces', 'traces', 'before'],
      ['/v1/revocations', 'revocations', 'before'],
      ['/v1/config/revisions', 'revisions', 'before'],
      ['/v1/audit', 'entries', 'before'],
    ] as const) {
      const all = (await list(`${path}?limit=500`))[name] ?? []
      const paged: unknown[] = []
      let next: string | number | null | undefined
      do {
        const page = await list(`${path}?limit=2${next === undefined ? '' : `&${cursor}=${next}`}`)
        paged.push(...(page[name] ?? []))
        next = page.next
      } while (next !== null && paged.length <= all.length)
      assert.ok(all.length > 2, path)
      assert.deepEqual(paged, all, path)
    }
  })

  test('the OpenAPI document describes the API, and the reference page loads nothing from other sites', async () => {
    const document = (await (await fetch(`${plane.control.api}/openapi.json`)).json()) as {
      openapi: string
      paths: Record<string, Record<string, { security?: { bearer?: string[] }[]; summary?: string }>>
      components: { schemas: Record<string, unknown> }
    }
    assert.equal(document.openapi, '3.1.0')
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, route] of Object.entries(methods)) {
        assert.match(
          route.security?.[0]?.bearer?.join() ?? '',
          /^(viewer|operator|admin)$/,
          `${method} ${path}`,
        )
        assert.ok(route.summary, `${method} ${path}`)
        const answer = await fetch(`${plane.control.api}${path.replaceAll(/\{\w+\}/g, 'x')}`, { method })
        assert.equal(answer.status, 401, `${method} ${path} without a token`)
      }
    const page = await fetch(`${plane.control.api}/docs`)
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    const text = await page.text()
    for (const path of Object.keys(document.paths)) assert.ok(text.includes(path), path)
    for (const name of Object.keys(document.components.schemas))
      assert.ok(text.includes(`id="${name}"`), name)
    assert.doesNotMatch(text, /(?:src|href)="(?:https?:)?\/\/|<script/)
  })

  test('while Postgres is down it says so, and works again afterwards', async () => {
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

  test('it stops cleanly even if NATS hangs and Postgres dies at the same moment', async () => {
    const { body } = await plane.api('/v1/traces', { body: { user: 'ann' } })
    const live = await fetch(`${plane.control.api}/v1/traces/${(body as { id: string }).id}/live`, {
      headers: asAdmin(),
    })
    plane.nats.process?.send('SIGSTOP')
    const killed = plane.postgres.process?.kill()
    const exited = plane.control.process.exited()
    plane.control.process.send('SIGTERM')
    assert.deepEqual(await exited, { code: 0, signal: null })
    await live.body?.cancel().catch(() => undefined)
    await killed
    plane.nats.process?.send('SIGCONT')
    await plane.startPostgres()
    await plane.control.process.start()
  })

  test('it starts while NATS and Postgres are down, and is ready when they are up', async () => {
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
