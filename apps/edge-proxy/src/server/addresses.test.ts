import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { dial } from './dial.ts'
import { ScriptedServer, serverAt, unlimited } from './scripted-server.test-support.ts'

/** Accepts connections and never sends a byte. */
async function silentOn(address: string, port: number): Promise<{ accepted: Socket[]; close: () => void }> {
  const accepted: Socket[] = []
  const silent = createServer((socket) => {
    accepted.push(socket)
    socket.on('error', () => {})
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  silent.listen(port, address, resolve)
  await promise
  const close = () => {
    silent.close()
    for (const socket of accepted) socket.destroy()
  }
  after(close)
  return { accepted, close }
}

/** A server with two addresses: 127.0.0.2, which never greets, and 127.0.0.1, which works. */
async function halfDead(settings = {}) {
  const scripted = await ScriptedServer.start()
  const silent = await silentOn('127.0.0.2', scripted.port)
  const hosts = ['127.0.0.2', '127.0.0.1']
  const server = serverAt(scripted.port, { hosts, connectTimeoutMs: 400, ...settings })
  const login = async () => {
    const startedAt = performance.now()
    const dialed = await dial(server, unlimited)
    assert.equal(dialed.kind, 'dialed')
    return performance.now() - startedAt
  }
  return { scripted, silent, server, login }
}

test('an address that never greets delays the first login by its share of the time, and later ones not at all', async () => {
  const { silent, server, login } = await halfDead()
  const first = await login()
  assert.ok(first >= 190 && first < 390, String(first))
  for (let count = 0; count < 5; count++) await login()
  assert.equal(silent.accepted.length, 1)
  assert.match(
    server.problems[0]!,
    /^down since \S+Z, others are used: 127\.0\.0\.2 port \d+: no greeting within/,
  )
})

test('logins with roundRobin skip an address that is down', async () => {
  const { silent, login } = await halfDead({ roundRobin: true })
  for (let count = 0; count < 6; count++) await login()
  assert.equal(silent.accepted.length, 1)
})

test('an address that is down is tried when no other one answers', async () => {
  const { scripted, silent, server, login } = await halfDead()
  await login()
  silent.close()
  scripted.greeting = '* BYE down\r\n'
  const failed = await dial(server, unlimited)
  assert.ok(failed.kind === 'dial-failed')
  assert.match(failed.detail, /^127\.0\.0\.1 .*BYE down; 127\.0\.0\.2 .*ECONNREFUSED/)
  assert.equal(server.hasOnlyDownAddresses, true)
})

test('without health checks, one login tries the address again after each pause', async () => {
  const { silent, server, login } = await halfDead({ healthIntervalMs: 0, breakerCooldownMs: 100 })
  await login()
  const again = performance.now() + 100
  while (performance.now() < again) await login()
  assert.ok(silent.accepted.length <= 2)
  const before = silent.accepted.length
  await Promise.all([login(), login(), login()])
  assert.ok(silent.accepted.length - before <= 1)
  server.addresses.markUp({ host: '127.0.0.2', address: '127.0.0.2' }, performance.now())
  assert.deepEqual(server.problems, [])
})

test('an address whose dial was abandoned is checked, with the whole time', async () => {
  const { server } = await halfDead()
  const abandoning = new AbortController()
  const dialing = dial(server, abandoning.signal)
  setImmediate(() => abandoning.abort())
  assert.equal((await dialing).kind, 'abandoned')
  assert.deepEqual(server.addresses.down, [])
  assert.deepEqual(
    server.addresses.takeDue(performance.now()).map(({ address }) => address),
    ['127.0.0.2'],
  )
  assert.deepEqual(server.addresses.takeDue(performance.now()), [])
})

test('an address whose dial was abandoned comes last until it answers, also without health checks', async () => {
  for (const settings of [{ healthIntervalMs: 10_000 }, { healthIntervalMs: 0, breakerCooldownMs: 10_000 }]) {
    const { silent, server, login } = await halfDead({ connectTimeoutMs: 60_000, ...settings })
    const abandoning = new AbortController()
    const dialing = dial(server, abandoning.signal)
    while (silent.accepted.length === 0) await turn()
    abandoning.abort()
    assert.equal((await dialing).kind, 'abandoned')
    await login()
    // A check of it is under way.
    const isChecked = server.addresses.takeDue(performance.now()).length > 0
    assert.equal(isChecked, settings.healthIntervalMs > 0)
    await login()
    assert.equal(silent.accepted.length, 1)
    assert.deepEqual(server.problems, [])
    silent.close()
  }
})

test('pauses between checks double up to a minute, and an address that a name no longer has is removed', async () => {
  const { server } = await halfDead({ healthIntervalMs: 10_000 })
  const { addresses } = server
  const dead = { host: 'mail', address: '192.0.2.1' }
  addresses.markDown(dead, 'refused', 0, 10_000)
  const { since } = addresses.down[0]!
  const checks: number[] = []
  for (let second = 0; second < 300; second++)
    if (addresses.takeDue(second * 1000).length > 0) {
      checks.push(second)
      addresses.markDown(dead, 'refused', second * 1000, 10_000)
    }
  assert.deepEqual(checks, [10, 30, 70, 130, 190, 250])
  assert.equal(addresses.down[0]!.since, since)
  addresses.keepOnly([])
  assert.deepEqual(addresses.down, [])
})

test('an address that has greeted lately is not checked after an abandoned dial', async () => {
  const { server } = await halfDead()
  const { addresses } = server
  const slow = { host: 'mail', address: '192.0.2.1' }
  addresses.markUp(slow, 1000)
  addresses.suspect(slow, 10_999, 10_000, 0)
  assert.deepEqual(addresses.takeDue(10_999), [])
  addresses.suspect(slow, 11_000, 10_000, 0)
  assert.deepEqual(addresses.takeDue(11_000), [slow])
})
