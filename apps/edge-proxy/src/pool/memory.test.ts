import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryProblem, memoryStateOf } from './memory.ts'
import { giveBackTo, poolAtWork, untilTrue } from './pool.test-support.ts'

test('memory is short from nine tenths of the limit on, and exhausted from the limit on', () => {
  const states = [0, 899, 900, 999, 1000, 5000].map((bytes) => memoryStateOf(bytes, 1000))
  assert.deepEqual(states, ['enough', 'enough', 'short', 'short', 'exhausted', 'exhausted'])
  assert.equal(memoryStateOf(Number.MAX_SAFE_INTEGER, 0), 'enough', 'without a limit')
})

test('the problem names both numbers, the key and what the edge does', () => {
  assert.equal(memoryProblem('enough', 1, 2), undefined)
  assert.equal(
    memoryProblem('exhausted', 1_030_000_000, 1_000_000_000),
    'memory: 1030 MB of 1000 MB (process.memoryBytesMax) are in use: logins that need a new connection are refused',
  )
  assert.match(memoryProblem('short', 950_000_000, 1_000_000_000)!, /: idle connections are evicted$/)
})

test('while memory is short, the oldest idle connections are closed', async () => {
  const { pool, lease, clock, count, accounted } = await poolAtWork()
  const users = Array.from({ length: 40 }, (_, number) => `user${number}`)
  for (const user of users) {
    const { connection } = await lease(user)
    clock.now += 1000
    await giveBackTo(pool, connection)
  }
  pool.onMemory('short')
  assert.equal(pool.connections.count('idle'), 32)
  assert.equal(count('upstream_drops_total{reason="out-of-memory"}'), 8)
  assert.ok(!pool.connections.idle().some(({ user }) => user === 'user7'), 'the oldest are gone')
  assert.ok(pool.connections.idle().some(({ user }) => user === 'user8'))
  pool.onMemory('enough')
  assert.equal(pool.connections.count('idle'), 32)
  await accounted()
})

test('without memory, reuse continues and logins that need a new connection are refused', async () => {
  const { pool, lease, login, logins, count, accounted } = await poolAtWork()
  const first = await lease('joe')
  pool.onMemory('exhausted')
  await giveBackTo(pool, first.connection)
  const again = await lease('joe')
  assert.equal(again.reused, true)
  const cold = await login('ann')
  assert.ok(cold.kind === 'refused')
  assert.match(cold.text, /^\[UNAVAILABLE\] /)
  assert.equal(logins(), 1, 'the server was not asked')
  assert.equal(count('logins_total{upstream="main",result="failed"}'), 1)
  pool.onMemory('enough')
  assert.equal((await lease('ann')).reused, false)
  await untilTrue(() => pool.connections.count('leased') === 2)
  await accounted()
})
