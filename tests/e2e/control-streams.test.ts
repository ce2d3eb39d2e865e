/** Answers that stay open end with the right to them: live views, live traces, and the traces themselves. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { ProblemDetails, TokenMade, TraceView } from '@imapfleet/api'
import { Plane } from '../support/plane.ts'
import type { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

/** From the end of a right to the end of the streams that need it. */
const endsWithinMs = 5_000

suite('streams and rights', () => {
  let plane: Plane
  let edge: SimulatedEdge
  before(async () => {
    plane = await Plane.start()
    edge = await plane.edge('eu', 'eu-1')
    edge.beat()
  })
  after(() => plane?.stop())

  const make = async (name: string, more: object = {}) =>
    (await plane.api('/v1/tokens', { body: { name, role: 'operator', scopes: ['trace-bodies'], ...more } }))
      .body as TokenMade

  /** An open stream: what has arrived, and when it ended. */
  async function open(path: string, headers: Record<string, string>, control = plane.control) {
    const response = await fetch(`${control.api}${path}`, { headers })
    assert.equal(response.status, 200, path)
    const stream = { text: '', endedAt: undefined as number | undefined }
    void (async () => {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) stream.text += chunk
    })()
      .catch(() => {})
      .finally(() => (stream.endedAt = Date.now()))
    await until(`the first bytes of ${path}`, () => stream.text !== '')
    return stream
  }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const lastEvent = (text: string) => {
    const [, name, data = '{}'] =
      /event: (\w+)\ndata: (.*)\n/.exec(text.trimEnd().split('\n\n').at(-1) + '\n') ?? []
    return [name, (JSON.parse(data) as ProblemDetails).code]
  }
  const signIn = async (token: string) => {
    const answer = await fetch(`${plane.control.api}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-imapfleet-console': '1' },
      body: JSON.stringify({ token }),
    })
    assert.equal(answer.status, 201)
    return { cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' }
  }

  test('live views and live traces end with a revoked token, an expired one, and a lost scope, also on another replica', async () => {
    const replica = await plane.replica()
    const trace = (
      await plane.api('/v1/traces', {
        token: (await make('tracer')).token,
        body: { user: 'bob', bodies: true },
      })
    ).body as TraceView
    const follow = `/v1/traces/${trace.id}/live`
    const [revoked, expired, unscoped, other] = await Promise.all(
      ['revoked', 'expired', 'unscoped', 'other'].map((name) => make(name)),
    )
    const streams = {
      live: await open('/v1/live', bearer(revoked!.token)),
      liveOfReplica: await open('/v1/live', bearer(revoked!.token), replica),
      trace: await open(follow, bearer(revoked!.token)),
      traceOfReplica: await open(follow, bearer(revoked!.token), replica),
      expired: await open(follow, bearer(expired!.token)),
      unscoped: await open(follow, bearer(unscoped!.token)),
    }
    const others = [await open('/v1/live', bearer(other!.token)), await open(follow, bearer(other!.token))]
    const from = Date.now()
    assert.equal((await plane.api(`/v1/tokens/${revoked!.id}`, { method: 'DELETE' })).status, 200)
    await plane.sql`update tokens set expires_at = now() where id = ${expired!.id}`
    await plane.sql`update tokens set scopes = '[]' where id = ${unscoped!.id}`
    for (const [name, stream] of Object.entries(streams)) {
      await until(`the end of ${name}`, () => stream.endedAt !== undefined)
      assert.ok(stream.endedAt! - from < endsWithinMs, name)
      assert.deepEqual(
        lastEvent(stream.text),
        ['closed', name === 'unscoped' ? 'forbidden' : 'token_invalid'],
        name,
      )
    }
    // What the user does after that is not shown.
    await edge.trace(trace.id, 'bob', [{ at: Date.now(), session: 's', from: 'C', text: 'a1 NOOP' }])
    await until('the line', () => others[1]!.text.includes('a1 NOOP'))
    for (const { text } of Object.values(streams)) assert.ok(!text.includes('a1 NOOP'))
    for (const { endedAt } of others) assert.equal(endedAt, undefined)
  })

  test('the streams of a console session end when it is signed out or its time is over', async () => {
    const { token } = await make('console')
    const [signedOut, over, other] = [await signIn(token), await signIn(token), await signIn(token)]
    const streams = [await open('/v1/live', signedOut), await open('/v1/live', over)]
    const stays = await open('/v1/live', other)
    const from = Date.now()
    const answer = await fetch(`${plane.control.api}/v1/session`, {
      method: 'DELETE',
      headers: { ...signedOut, 'x-imapfleet-console': '1' },
    })
    assert.equal(answer.status, 204)
    // The first session is signed out already.
    const [second] = await plane.sql`select hash from sessions order by created_at limit 1`
    await plane.sql`update sessions set expires_at = now() where hash = ${second!['hash']}`
    for (const stream of streams) {
      await until('the end', () => stream.endedAt !== undefined)
      assert.ok(stream.endedAt! - from < endsWithinMs)
      assert.deepEqual(lastEvent(stream.text), ['closed', 'session_over'])
    }
    assert.equal(stays.endedAt, undefined)
  })

  test('a trace ends on the edges when the token that started it is revoked', async () => {
    const { token, id } = await make('starter')
    const trace = (await plane.api('/v1/traces', { token, body: { user: 'ann', bodies: true } }))
      .body as TraceView
    await until('the edge to have it', async () =>
      (await edge.desired())?.traces.some((each) => each.id === trace.id),
    )
    assert.equal((await plane.api(`/v1/tokens/${id}`, { method: 'DELETE' })).status, 200)
    await until('the edge to lose it', async () =>
      (await edge.desired())?.traces.every((each) => each.id !== trace.id),
    )
    const ended = (await plane.api(`/v1/traces/${trace.id}`)).body as TraceView
    assert.ok(ended.endedAt !== null)
    const [row] = await plane.sql`select * from audit where action = 'trace.end' and target = 'ann'`
    assert.deepEqual(
      [row?.['actor'], row?.['after'].reason],
      ['imapfleet-control', 'This token was revoked: ask for a new one.'],
    )
  })

  test('one token has at most fifty streams, of all kinds together; another one still gets its own', async () => {
    const [greedy, modest] = [await make('greedy'), await make('modest')]
    const trace = (await plane.api('/v1/traces', { body: { user: 'carol' } })).body as TraceView
    const leaving = new AbortController()
    const ask = async (path: string, token: string) =>
      await fetch(`${plane.control.api}${path}`, { headers: bearer(token), signal: leaving.signal })
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        ask(index % 2 === 0 ? '/v1/live' : `/v1/traces/${trace.id}/live`, greedy.token),
      ),
    )
    const byStatus = Map.groupBy(answers, ({ status }) => status)
    const counts = [...byStatus].map(([status, { length }]) => [status, length])
    assert.deepEqual(Object.fromEntries(counts), { 200: 50, 429: 10 })
    assert.equal((await ask('/v1/live', modest.token)).status, 200)
    leaving.abort()
    await until('room', async () => {
      const again = await fetch(`${plane.control.api}/v1/live`, { headers: bearer(greedy.token) })
      await again.body?.cancel()
      return again.status === 200
    })
  })

  test('while Postgres is away, streams end after ten seconds, because rights cannot be confirmed', async () => {
    const { token } = await make('unconfirmed')
    const stream = await open('/v1/live', bearer(token))
    const from = Date.now()
    await plane.postgres.process?.stop()
    try {
      await until('the end', () => stream.endedAt !== undefined, 30_000)
      assert.ok(
        stream.endedAt! - from > 5_000 && stream.endedAt! - from < 20_000,
        `${stream.endedAt! - from} ms`,
      )
      assert.deepEqual(lastEvent(stream.text), ['closed', 'database_unavailable'])
    } finally {
      await plane.startPostgres()
    }
  })
})
