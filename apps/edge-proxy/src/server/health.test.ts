import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HealthChecks } from './health.ts'
import { ScriptedServer, serverAt } from './scripted-server.test-support.ts'
import type { Server } from './server.ts'

/** Health checks of one server, whose changes can be awaited. */
function watch(server: Server): { health: HealthChecks; changed: () => Promise<string | undefined> } {
  let next = Promise.withResolvers<string | undefined>()
  const health = new HealthChecks(
    () => [server],
    ({ downReason }) => {
      next.resolve(downReason)
      next = Promise.withResolvers()
    },
  )
  return { health, changed: () => next.promise }
}

test('a check finds that a server is down, and that it is up again', async () => {
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
  assert.deepEqual(server.capabilities, ['IMAP4rev1', 'IDLE'])
  await scripted.connections[1]!.closed()
})

test('a server is checked once in its interval, not soon after a login, and never with healthIntervalMs 0', async () => {
  const scripted = await ScriptedServer.start()
  scripted.greeting = '* BYE no\r\n'
  const server = serverAt(scripted.port, { healthIntervalMs: 1000, breakerFailures: 0 })
  const { health, changed } = watch(server)
  const change = changed()
  health.sweep(10_000)
  health.sweep(10_000)
  await change
  health.sweep(10_999)
  server.greetedAt = 11_500
  health.sweep(12_000)
  const off = serverAt(scripted.port, { healthIntervalMs: 0 })
  watch(off).health.sweep(1_000_000)
  assert.equal(scripted.connections.length, 1)
})
