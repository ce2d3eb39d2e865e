import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { runtime } from '../runtime.ts'
import { Addresses } from './addresses.ts'
import { dial } from './dial.ts'
import { openConnection } from './open-connection.ts'
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

test('an address that never greets delays the first login by its share of the time, and no later login', async () => {
  const { silent, server, login } = await halfDead()
  const first = await login()
  assert.ok(first >= 190 && first < 390, String(first))
  for (let count = 0; count < 5; count++) await login()
  assert.equal(silent.accepted.length, 1)
  assert.match(
    server.problems[0]!,
    /^down since \S+Z, other addresses are used: 127\.0\.0\.2 port \d+: no greeting within/,
  )
})

test('logins with roundRobin skip an address that is down', async () => {
  const { silent, login } = await halfDead({ roundRobin: true })
  for (let count = 0; count < 6; count++) await login()
  assert.equal(silent.accepted.length, 1)
})

test('an address that is down is tried when no other address answers', async () => {
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
  server.addressGreeted({ host: '127.0.0.2', address: '127.0.0.2' }, 1)
  assert.deepEqual(server.problems, [])
})

test('without health checks, an address other than the first is also tried again', async () => {
  for (const roundRobin of [false, true]) {
    const { silent, scripted, server, login } = await halfDead({
      hosts: ['127.0.0.1', '127.0.0.2'],
      healthIntervalMs: 0,
      breakerCooldownMs: 100,
      roundRobin,
    })
    const standby = { host: '127.0.0.2', address: '127.0.0.2' }
    silent.close()
    const answering = createServer((socket) => {
      after(() => void socket.destroy())
      socket.on('error', () => {}).write('* OK [CAPABILITY IMAP4rev1] ready\r\n')
    })
    after(() => void answering.close())
    await new Promise<void>((resolve) => answering.listen(scripted.port, standby.address, resolve))
    server.markAddressDown(standby, 'for this test')
    const deadline = performance.now() + 10_000
    while (server.addresses.isDown(standby) && performance.now() < deadline) await login()
    assert.deepEqual(server.problems, [])
  }
})

test('an address whose dial was abandoned is checked, with the full time limit', async () => {
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
    // A check of the address is running.
    const isChecked = server.addresses.takeDue(performance.now()).length > 0
    assert.equal(isChecked, settings.healthIntervalMs > 0)
    await login()
    assert.equal(silent.accepted.length, 1)
    assert.deepEqual(server.problems, [])
    silent.close()
  }
})

test('pauses between checks double up to a minute, and an address that a name no longer has is removed', async (t) => {
  t.mock.method(runtime, 'jitter', () => 0)
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

test('an address that has greeted recently is not checked after an abandoned dial', async () => {
  const { server } = await halfDead()
  const { addresses } = server
  const slow = { host: 'mail', address: '192.0.2.1' }
  addresses.greeted(slow, 1, 1000, 10_000)
  addresses.suspect(slow, 10_999, 10_000, 0)
  assert.deepEqual(addresses.takeDue(10_999), [])
  addresses.suspect(slow, 11_000, 10_000, 0)
  assert.deepEqual(addresses.takeDue(11_000), [slow])
})

const joe = {
  user: Buffer.from('joe'),
  authzid: Buffer.alloc(0),
  secret: Buffer.from('secret'),
  mechanism: 'command',
} as const

const at = (address: string) => ({ host: 'mail', address })
const first = at('192.0.2.1')
const second = at('192.0.2.2')
const all = [first, second, at('192.0.2.3')]

/** Addresses that have greeted in 10 ms. */
function greeted(...present: typeof all): Addresses {
  const addresses = new Addresses()
  for (const each of present) addresses.greeted(each, 10, 0, 10_000)
  return addresses
}

test('an address that greets but answers no logins is tried last after five consecutive failures', () => {
  const addresses = greeted(first, second)
  for (let login = 0; login < 4; login++) addresses.loginFailed(first, 'closed', 0, 10_000)
  addresses.loginAnswered(first, undefined, 0, 10_000)
  for (let login = 0; login < 4; login++) addresses.loginFailed(first, 'closed', 0, 10_000)
  assert.equal(addresses.down.length, 0)
  addresses.loginFailed(first, 'closed', 0, 10_000)
  assert.deepEqual(addresses.inOrder([first, second], 0), [second, first])
  assert.match(addresses.down[0]!.reason, /^mail \(192\.0\.2\.1\): 5 failed logins in a row: closed$/)
})

test('the last address in use stays in use, however many logins fail', () => {
  const addresses = greeted(first, second)
  addresses.markDown(second, 'refused', 0, 10_000)
  for (let login = 0; login < 50; login++) addresses.loginFailed(first, 'closed', 0, 10_000)
  assert.deepEqual(
    addresses.down.map(({ address }) => address),
    ['192.0.2.2'],
  )
  const alone = greeted(first)
  for (let login = 0; login < 50; login++) alone.loginFailed(first, 'closed', 0, 10_000)
  alone.greeted(first, 60_000, 0, 10_000)
  assert.deepEqual(alone.down, [])
})

/** Makes each address answer this many logins. */
function answered(addresses: Addresses, count: number, acceptedMs: number, ...present: typeof all): void {
  for (const each of present)
    for (let login = 0; login < count; login++) addresses.loginAnswered(each, acceptedMs, 0, 10_000)
}

test('an address that greets but fails logins stays out of use for a growing time, whatever its greetings', (t) => {
  t.mock.method(runtime, 'jitter', () => 0)
  const addresses = greeted(first, second)
  const heldMs: number[] = []
  let now = 0
  for (let round = 0; round < 4; round++) {
    while (!addresses.isDown(first)) addresses.loginFailed(first, 'closed', now, 10_000)
    const since = now
    // A dial and logins that were in progress.
    addresses.greeted(first, 10, now, 10_000)
    for (let login = 0; login < 10; login++) addresses.loginFailed(first, 'closed', now, 10_000)
    while (addresses.isDown(first)) {
      now += 1000
      for (const due of addresses.takeDue(now)) addresses.greeted(due, 10, now, 10_000)
    }
    heldMs.push(now - since)
  }
  assert.deepEqual(heldMs, [10_000, 20_000, 30_000, 40_000])
  now += 600_000
  while (!addresses.isDown(first)) addresses.loginFailed(first, 'closed', now, 10_000)
  assert.deepEqual(addresses.takeDue(now + 9_999), [])
  assert.deepEqual(addresses.takeDue(now + 10_000), [first], 'its record was clean again')
})

test('an address that fails some logins is tried last if another one fails far fewer', () => {
  const addresses = greeted(first, second)
  answered(addresses, 20, 10, second)
  for (let login = 0; login < 40; login++) {
    addresses.loginFailed(first, 'no answer', 0, 10_000)
    if (addresses.isDown(first)) break
    addresses.loginAnswered(first, 10, 0, 10_000)
  }
  assert.match(addresses.down[0]!.reason, /^mail \(192\.0\.2\.1\): \d\d % of the logins fail: no answer$/)
  const alike = greeted(first, second)
  for (let login = 0; login < 100; login++)
    for (const each of [first, second]) {
      alike.loginFailed(each, 'no answer', 0, 10_000)
      alike.loginAnswered(each, 10, 0, 10_000)
    }
  assert.deepEqual(alike.down, [], 'both fail as many')
})

test('an address that accepts logins far more slowly than another one is tried last, although it greets quickly', () => {
  const addresses = greeted(first, second)
  answered(addresses, 20, 100, second)
  answered(addresses, 19, 3_000, first)
  assert.equal(addresses.down.length, 0)
  answered(addresses, 1, 3_000, first)
  assert.match(addresses.down[0]!.reason, /slow: 3000 ms to accept a login, 100 ms at another address$/)
})

test('at least half of the addresses stay in use, even if all fail logins', () => {
  const four = [...all, at('192.0.2.4')]
  const addresses = greeted(...four)
  for (let login = 0; login < 50; login++)
    for (const each of four.slice(0, 3)) addresses.loginFailed(each, 'closed', 0, 10_000)
  assert.equal(addresses.down.length, 2)
  const three = greeted(...all)
  for (let login = 0; login < 50; login++)
    for (const each of all.slice(0, 2)) three.loginFailed(each, 'closed', 0, 10_000)
  assert.equal(three.down.length, 1)
})

test('an address that greets far more slowly than another one is tried last, until its greetings are fast again', () => {
  const addresses = greeted(first, second)
  for (let dials = 0; dials < 20; dials++) addresses.greeted(first, 900, 0, 10_000)
  assert.equal(addresses.down.length, 0, 'below a second, distance explains it')
  while (addresses.down.length === 0) addresses.greeted(first, 3_000, 0, 10_000)
  assert.match(addresses.down[0]!.reason, /slow: 1\d{3} ms to its greeting, 10 ms at another address$/)
  addresses.greeted(first, 3_000, 0, 10_000)
  assert.equal(addresses.down.length, 1, 'a check that is slow changes nothing')
  while (addresses.down.length > 0) addresses.greeted(first, 20, 0, 10_000)
})

test('for half a minute after an outage, an address is preferred in a growing share of the dials', (t) => {
  const addresses = greeted(...all)
  addresses.markDown(first, 'refused', 0, 10_000)
  addresses.greeted(first, 10, 100_000, 10_000)
  const shareAt = (now: number) => {
    let chance = 0
    let firsts = 0
    t.mock.method(runtime, 'jitter', () => chance)
    for (chance = 0.005; chance < 1; chance += 0.01) if (addresses.inOrder(all, now)[0] === first) firsts++
    return firsts
  }
  assert.deepEqual([100_000, 103_000, 115_000, 129_000, 130_000].map(shareAt), [0, 10, 50, 97, 100])
  assert.deepEqual(addresses.inOrder([first], 100_000), [first], 'alone, it gets all')
})

test('if the first address closes each connection at the login, logins use the second one', async () => {
  const scripted = await ScriptedServer.start()
  const broken = createServer((socket) => {
    socket.on('error', () => {}).on('data', () => socket.destroy())
    socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n')
  })
  after(() => void broken.close())
  await new Promise<void>((resolve) => broken.listen(scripted.port, '127.0.0.2', resolve))
  const server = serverAt(scripted.port, { hosts: ['127.0.0.2', '127.0.0.1'] })
  server.addressGreeted({ host: '127.0.0.1', address: '127.0.0.1' }, 1)
  const client = { address: '192.0.2.7', loginSignal: unlimited }
  const results: string[] = []
  for (let count = 0; count < 8; count++) results.push((await openConnection(server, joe, client)).kind)
  assert.deepEqual(results, [...Array<string>(5).fill('unavailable'), ...Array<string>(3).fill('opened')])
})

test('if the first address cannot check logins, logins use the second one', async () => {
  const scripted = await ScriptedServer.start()
  const broken = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const [tag] = bytes.toString().split(' ')
      socket.write(`${tag} NO [UNAVAILABLE] Temporary authentication failure\r\n`)
    })
    socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n')
  })
  after(() => void broken.close())
  await new Promise<void>((resolve) => broken.listen(scripted.port, '127.0.0.2', resolve))
  const server = serverAt(scripted.port, { hosts: ['127.0.0.2', '127.0.0.1'] })
  server.addressGreeted({ host: '127.0.0.1', address: '127.0.0.1' }, 1)
  const results: string[] = []
  for (let count = 0; count < 8; count++)
    results.push((await openConnection(server, joe, { address: '192.0.2.7', loginSignal: unlimited })).kind)
  assert.deepEqual(results, [...Array<string>(5).fill('login-refused'), ...Array<string>(3).fill('opened')])
})

test('logins that wait for an unresponsive address use another one as soon as it counts as down', async () => {
  const { scripted, silent, server } = await halfDead({ connectsMax: 2 })
  const client = { address: '192.0.2.7', loginSignal: unlimited }
  const opened = await Promise.all(Array.from({ length: 20 }, () => openConnection(server, joe, client)))
  assert.deepEqual([...new Set(opened.map(({ kind }) => kind))], ['opened'])
  assert.equal(silent.accepted.length, 2)
  assert.equal(scripted.connections.length, 20)
  assert.equal(server.gate.waiting, 0)
})
