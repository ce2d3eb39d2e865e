import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeAtWork } from '../edge/edge.test-support.ts'
import { untilTrue } from '../pool/pool.test-support.ts'
import { resetCounters } from './operations.ts'

test('totals and peaks count until a reset, and start again from the present values', async () => {
  const { edge, session, client, quiet } = await edgeAtWork()
  const { statistics, pool, clientAdmission, metrics } = edge.context
  const [joe, jane, idle] = [await session('joe'), await session('jane'), await client()]
  for (const peer of [joe, jane]) {
    peer.say('a LOGOUT\r\n')
    await peer.closed()
  }
  await quiet()
  const again = await session('joe')
  const before = statistics.read()
  assert.deepEqual(before.clients, { current: 2, peak: 3, total: 4 })
  assert.deepEqual(
    [before.active, before.cached],
    [
      { current: 1, peak: 2 },
      { current: 1, peak: 2 },
    ],
  )
  assert.deepEqual(before.logins, { total: 3, reused: 1, opened: 2, reuseRatio: 1 / 3 })
  assert.deepEqual(before.selectCache, { hits: 0, misses: 0, hitRatio: null })

  assert.equal(before.resetAt, before.startedAt)
  await untilTrue(() => Date.now() > Date.parse(before.startedAt))
  assert.deepEqual(resetCounters(edge.context), { ok: true, result: {} })
  const after = statistics.read()
  assert.deepEqual(after.clients, { current: 2, peak: 2, total: 0 })
  assert.deepEqual(
    [after.active, after.cached],
    [
      { current: 1, peak: 1 },
      { current: 1, peak: 1 },
    ],
  )
  assert.deepEqual(after.logins, { total: 0, reused: 0, opened: 0, reuseRatio: null })
  assert.equal(after.startedAt, before.startedAt)
  assert.ok(Date.parse(after.resetAt) > Date.parse(before.resetAt))
  // Metrics and reports are cumulative.
  assert.equal(metrics.total('client_connections_total'), 4)

  again.say('b LOGOUT\r\n')
  await again.closed()
  await quiet()
  await session('jane')
  assert.deepEqual(statistics.read().logins, { total: 1, reused: 1, opened: 0, reuseRatio: 1 })
  idle.say('c LOGOUT\r\n')
  await idle.closed()
  await untilTrue(() => clientAdmission.total === 1 && pool.connections.count('leased') === 1)
})
