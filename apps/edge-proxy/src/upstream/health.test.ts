import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Health } from './health.ts'
import { ScriptedServer, targetAt } from './server.test-support.ts'
import type { Target } from './target.ts'

/** A health check of one target, whose changes can be awaited. */
function watch(target: Target): { health: Health; changed: () => Promise<string | undefined> } {
  let next = Promise.withResolvers<string | undefined>()
  const health = new Health(
    () => [target],
    ({ trouble }) => {
      next.resolve(trouble)
      next = Promise.withResolvers()
    },
  )
  return { health, changed: () => next.promise }
}

test('an upstream is known to be down without a login, and known to be back', async () => {
  const server = await ScriptedServer.start()
  server.greeting = '* BYE closed for today\r\n'
  const target = targetAt(server.port, { healthIntervalMs: 1000 })
  const { health, changed } = watch(target)
  let change = changed()
  health.sweep(10_000)
  assert.match((await change)!, /closed for today/)
  await server.connections[0]!.closed()

  server.greeting = '* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n'
  change = changed()
  health.sweep(11_000)
  assert.equal(await change, undefined)
  assert.deepEqual(target.capabilities, ['IMAP4REV1', 'IDLE'])
  await server.connections[1]!.closed()
})

test('an upstream is asked once in its interval, and not while logins prove that it lives, nor where that is off', async () => {
  const server = await ScriptedServer.start()
  server.greeting = '* BYE no\r\n'
  const target = targetAt(server.port, { healthIntervalMs: 1000, breakerFailures: 0 })
  const { health, changed } = watch(target)
  const change = changed()
  health.sweep(10_000)
  health.sweep(10_000)
  await change
  health.sweep(10_999)
  target.answeredAt = 11_500
  health.sweep(12_000)
  const off = targetAt(server.port, { healthIntervalMs: 0 })
  watch(off).health.sweep(1_000_000)
  assert.equal(server.connections.length, 1)
})
