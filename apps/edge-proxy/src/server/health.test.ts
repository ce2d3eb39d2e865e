import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Health } from './health.ts'
import { ScriptedServer, serverAt } from './scripted-server.test-support.ts'
import type { Server } from './server.ts'

/** A health check of one target, whose changes can be awaited. */
function watch(server: Server): { health: Health; changed: () => Promise<string | undefined> } {
  let next = Promise.withResolvers<string | undefined>()
  const health = new Health(
    () => [server],
    ({ trouble }) => {
      next.resolve(trouble)
      next = Promise.withResolvers()
    },
  )
  return { health, changed: () => next.promise }
}

test('an upstream is known to be down without a login, and known to be back', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* BYE closed for today\r\n'
  const server = serverAt(scripted.port, { healthIntervalMs: 1000 })
  const { health, changed } = watch(server)
  let change = changed()
  health.sweep(10_000)
  assert.match((await change)!, /closed for today/)
  await scripted.connections[0]!.closed()

  scripted.greeting = '* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n'
  change = changed()
  health.sweep(11_000)
  assert.equal(await change, undefined)
  assert.deepEqual(server.capabilities, ['IMAP4REV1', 'IDLE'])
  await scripted.connections[1]!.closed()
})

test('an upstream is asked once in its interval, and not while logins prove that it lives, nor where that is off', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* BYE no\r\n'
  const server = serverAt(scripted.port, { healthIntervalMs: 1000, breakerFailures: 0 })
  const { health, changed } = watch(server)
  const change = changed()
  health.sweep(10_000)
  health.sweep(10_000)
  await change
  health.sweep(10_999)
  server.answeredAt = 11_500
  health.sweep(12_000)
  const off = serverAt(scripted.port, { healthIntervalMs: 0 })
  watch(off).health.sweep(1_000_000)
  assert.equal(scripted.connections.length, 1)
})
