/** Control on a Postgres that accepts no writes: a standby, until it is promoted. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { routes, type ProblemDetails } from '@imapfleet/api'
import type { ControlProcess } from '@imapfleet/local'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

suite('a standby', () => {
  let plane: Plane
  let replica: ControlProcess
  before(async () => {
    plane = await Plane.start({ durable: true })
    ;(await plane.edge('eu', 'eu-1')).beat()
    await until('the edge', async () => (await plane.api('/v1/edges/eu-1')).status === 200)
    replica = await plane.replica()
    await plane.postgres.process?.stop()
    writeFileSync(`${plane.ground.directory}/postgres/data/standby.signal`, '')
    await plane.startPostgres()
  })
  after(() => plane?.stop())

  const ready = async () => {
    const answer = await fetch(`${plane.control.api}/readyz`)
    const { postgres } = (await answer.json()) as { postgres: string }
    return [answer.status, postgres]
  }

  test('is not ready, and says why; everything can be read; writes are refused with what to do', async () => {
    await until('the standby to be noticed', async () => (await ready())[1] === 'read-only')
    assert.deepEqual(await ready(), [503, 'read-only'])
    const paths = Object.values(routes).flatMap((route) =>
      route.method === 'GET' && 'answer' in route && !route.path.includes('{') ? [route.path] : [],
    )
    assert.ok(paths.length > 8)
    for (const path of [...paths, '/v1/edges/eu-1', '/v1/config/resolved?edge=eu-1']) {
      const query =
        path === '/v1/stats/history'
          ? '?metrics=sessions_total'
          : path === '/v1/config/resolved'
            ? '?edge=eu-1'
            : ''
      const { status, body } = await plane.api(`${path}${query}`)
      assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`)
    }
    for (const [path, body] of [
      ['/v1/revocations', { kind: 'user', subject: 'ann' }],
      ['/v1/tokens', { name: 'ci', role: 'viewer' }],
      ['/v1/traces', { user: 'ann' }],
      ['/v1/config/revisions', { layer: { kind: 'global' }, set: { 'pool.usesMax': 7 } }],
    ] as const) {
      const { status, body: said } = await plane.api(path, { body })
      const { code, detail } = said as ProblemDetails
      assert.deepEqual([status, code], [503, 'database_read_only'], path)
      assert.match(detail ?? '', /promote this server/)
    }
  })

  test('refuses wrong tokens as wrong, and limits guessing; live views stay open', async () => {
    const live = await fetch(`${plane.control.api}/v1/live`, {
      headers: { authorization: `Bearer ${plane.token}` },
    })
    assert.equal(live.status, 200)
    const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader()
    let ticks = 0
    // Longer than streams live whose rights cannot be confirmed.
    const endsAt = Date.now() + 12_000
    while (Date.now() < endsAt) {
      const { done, value } = await reader.read()
      assert.equal(done, false)
      assert.ok(!value?.includes('event: closed') && !value?.includes('event: trouble'), value)
      ticks += 1
    }
    assert.ok(ticks > 5)
    await reader.cancel()
    const guess = async () => await plane.api('/v1/edges', { token: 'imapfleet_wrong', of: replica })
    for (let count = 0; count < 30; count++) {
      const { status, body } = await guess()
      assert.equal(status, 401, JSON.stringify(body))
    }
    assert.equal((await guess()).status, 429)
  })

  test('is ready as soon as it is promoted, without a restart of control', async () => {
    assert.equal((await plane.sql`select pg_promote() as done`)[0]?.['done'], true)
    await until('readiness', async () => (await ready())[0] === 200)
    const body = { kind: 'user', subject: 'ann' }
    assert.equal((await plane.api('/v1/revocations', { body })).status, 201)
    const lastUse = async () =>
      (
        await plane.sql`select last_used_at > now() - interval '2 minutes' as noted from tokens where name = 'tests'`
      )[0]?.['noted'] as boolean
    await until('its last use', lastUse)
  })
})
