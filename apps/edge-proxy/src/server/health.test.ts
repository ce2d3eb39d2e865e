import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { Layer } from '@imapfleet/config'
import { dial } from './dial.ts'
import { HealthChecks } from './health.ts'
import { ScriptedServer, serverAt, unlimited } from './scripted-server.test-support.ts'
import type { Server } from './server.ts'

/** Health checks of one server. Its events can be awaited. */
function watch(server: Server): { health: HealthChecks; next: () => Promise<string> } {
  const events: string[] = []
  let wake = () => {}
  const health = new HealthChecks(
    () => [server],
    (event, { detail }) => {
      events.push(`${event} ${detail}`)
      wake()
    },
  )
  return {
    health,
    async next() {
      while (events.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return events.shift()!
    },
  }
}

async function watched(settings: Layer = {}) {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port, { healthIntervalMs: 1000, breakerFailures: 0, ...settings })
  return { scripted, server, ...watch(server) }
}

test('a check detects that a server is down, and that it is up again', async () => {
  const { scripted, server, health, next } = await watched()
  scripted.greeting = '* BYE closed for today\r\n'
  health.sweep(10_000)
  assert.match(await next(), /^upstream_down .*closed for today/)
  await scripted.connections[0]!.closed()

  scripted.greeting = '* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n'
  health.sweep(11_000)
  assert.match(await next(), /^upstream_up/)
  assert.deepEqual(server.capabilities, ['IMAP4rev1', 'IDLE'])
  await scripted.connections[1]!.closed()
})

test('a server that answers is checked once at the start, and not again, logins or not', async () => {
  const { scripted, server, health } = await watched()
  health.sweep(10_000)
  while (server.greetedAt === 0) await new Promise((resolve) => setImmediate(resolve))
  await scripted.connections[0]!.closed()
  for (let second = 0; second < 3600; second++) health.sweep(performance.now() + second * 1000)
  assert.equal(scripted.connections.length, 1)
})

test('a server that has greeted a login before the first sweep is not checked at all', async () => {
  const { scripted, server, health } = await watched()
  await dial(server, unlimited)
  server.markUp()
  for (let second = 0; second < 100; second++) health.sweep(performance.now() + second * 1000)
  assert.equal(scripted.connections.length, 1)
})

test('with when-quiet, a server is checked when no login has reached it for the interval', async () => {
  const { scripted, server, health } = await watched({ healthChecks: 'when-quiet' })
  server.markUp()
  health.sweep(server.greetedAt + 999)
  assert.equal(scripted.connections.length, 0)
  health.sweep(server.greetedAt + 1001)
  const before = server.greetedAt
  while (server.greetedAt === before && scripted.connections.length === 0)
    await new Promise((resolve) => setImmediate(resolve))
  await scripted.connections[0]!.closed()
})

test('checks become rarer while a server stays down', async () => {
  const { scripted, health } = await watched({ healthIntervalMs: 10_000 })
  scripted.greeting = '* BYE no\r\n'
  const checks: number[] = []
  for (let second = 0; second < 300; second++) {
    const before = scripted.connections.length
    health.sweep(second * 1000)
    while (health.isChecking) await new Promise((settle) => setImmediate(settle))
    if (scripted.connections.length > before) checks.push(second)
  }
  assert.deepEqual(checks, [0, 10, 30, 70, 130, 190, 250])
})

test('with healthIntervalMs 0 there are no checks', async () => {
  const { scripted, health } = await watched({ healthIntervalMs: 0 })
  for (let second = 0; second < 100; second++) health.sweep(second * 1000)
  await dial(serverAt(scripted.port), unlimited)
  assert.equal(scripted.connections.length, 1)
})

test('an address that is down is reported, checked in the background, and reported again when it answers', async () => {
  const { scripted, server, health, next } = await watched({
    hosts: ['127.0.0.2', '127.0.0.1'],
    connectTimeoutMs: 2000,
  })
  assert.equal((await dial(server, unlimited)).kind, 'dialed')
  server.markUp()
  health.sweep(performance.now())
  assert.match(await next(), /^address_down 127\.0\.0\.2 port \d+: .*ECONNREFUSED/)
  const revived = createServer((socket) => socket.resume().end('* OK [CAPABILITY IMAP4rev1] ready\r\n'))
  await new Promise<void>((resolve) => revived.listen(scripted.port, '127.0.0.2', resolve))
  health.sweep(performance.now() + 1000)
  assert.match(await next(), /^address_up 127\.0\.0\.2/)
  revived.close()
  assert.deepEqual(server.addresses.down, [])
})

test('after an abandoned dial, a check decides whether the server is down', async () => {
  const { scripted, server, health, next } = await watched({ connectTimeoutMs: 200 })
  server.markUp()
  scripted.greeting = undefined
  const abandoning = new AbortController()
  const dialing = dial(server, abandoning.signal)
  setImmediate(() => abandoning.abort())
  await dialing
  health.sweep(performance.now())
  assert.match(await next(), /^upstream_down .*no greeting within 200 ms/)
})

test('stopping closes the connection of a running check, before the greeting and after it', async () => {
  for (const greeting of [undefined, '* OK [CAPABILITY IMAP4rev1 ID] ready\r\n']) {
    const { scripted, health } = await watched()
    scripted.greeting = greeting
    const asked = Promise.withResolvers<void>()
    scripted.script = () => {
      asked.resolve()
      return undefined
    }
    health.sweep(10_000)
    if (greeting !== undefined) await asked.promise
    else while (scripted.connections.length === 0) await new Promise((resolve) => setImmediate(resolve))
    health.stop()
    await scripted.connections[0]!.closed()
  }
})
