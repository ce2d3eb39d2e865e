/** Steps of the system time, pauses of the process, and a suspended host must not end sessions, waits or idle connections. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Clock } from './clock.ts'
import { edgeAtWork } from './edge.test-support.ts'
import { SuspensionWatch } from './suspension.ts'
import { untilTrue } from '../pool/pool.test-support.ts'
import { runtime } from '../runtime.ts'

const hourMs = 3_600_000

/** Replaces the system time of this process. Returns a function that changes it. */
function steppedTime(t: TestContext): (ms: number) => void {
  const { now } = Date
  let stepMs = 0
  t.mock.method(Date, 'now', () => now() + stepMs)
  return (ms) => (stepMs += ms)
}

/** Lets the edge sweep at least once. */
async function swept(edge: { context: { metrics: unknown; servers: { all(): Iterable<unknown> } } }) {
  let sweeps = 0
  const { servers } = edge.context
  const all = servers.all.bind(servers)
  servers.all = () => (sweeps++, all())
  await untilTrue(() => sweeps >= 2)
  servers.all = all
}

for (const [direction, stepMs] of [
  ['forward', 5 * hourMs],
  ['back', -5 * hourMs],
] as const)
  test(`a change of the system’s time by hours ${direction} ends no session, no wait and no idle connection`, async (t) => {
    const step = steppedTime(t)
    const work = await edgeAtWork({
      clients: { loginTimeoutMs: 60_000 },
      upstreams: { main: { breakerFailures: 1, breakerCooldownMs: 200 } },
    })
    const { edge, session, client, scripted } = work
    const { pool } = edge.context
    const [kept, gone, arriving] = [await session('joe'), await session('jane'), await client()]
    gone.say('a LOGOUT\r\n')
    await gone.closed()
    await untilTrue(() => pool.connections.count('idle') === 1)
    const before = edge.context.metrics.snapshot().counters
    step(stepMs)
    await swept(edge)
    const dials = scripted.connections.length
    const again = await session('jane')
    assert.equal(scripted.connections.length, dials, 'the idle connection was leased')
    again.say('b NOOP\r\n')
    assert.match(await again.line(), /^b OK/)
    kept.say('c NOOP\r\n')
    assert.match(await kept.line(), /^c OK/)
    arriving.say('d NOOP\r\n')
    assert.match(await arriving.line(), /^d OK/)
    const after = edge.context.metrics.snapshot().counters
    const ended = (name: string) => name.startsWith('sessions_total') || name.startsWith('upstream_drops')
    const endings = (counters: Record<string, number>) =>
      Object.entries(counters).filter(([name]) => ended(name))
    assert.deepEqual(endings(after), endings(before))
    // The cool-down of the circuit breaker does not depend on the system time.
    edge.context.servers.get('main')!.markDown('for this test')
    step(stepMs)
    const deadline = performance.now() + 15_000
    for (let answer = ''; !answer.startsWith('e OK');) {
      assert.ok(performance.now() < deadline, 'logins are tried again')
      const peer = await client()
      peer.say('e LOGIN jack secret\r\n')
      answer = await peer.line()
      peer.socket.destroy()
    }
    // Displayed times are system time.
    const { listConnections } = await import('../ops/operations.ts')
    for (const { connection } of listConnections(edge.context))
      assert.ok(Math.abs(connection.since - Date.now()) < 60_000, `${connection.since}`)
  })

test('after a suspension of the host, idle connections are proven before they are leased', async () => {
  const { edge, session, scripted, quiet } = await edgeAtWork()
  const peer = await session()
  peer.say('a LOGOUT\r\n')
  await peer.closed()
  await quiet()
  const asked = () => scripted.asked.filter((text) => text === 'NOOP').length
  const before = asked()
  edge.context.pool.doubtIdle()
  await session()
  assert.equal(asked(), before + 1)
  assert.equal(scripted.connections.length, 1)
})

test('a suspension is detected once, and small differences of the two clocks are ignored', () => {
  let sleptMs = 7_000
  const watch = new SuspensionWatch(() => sleptMs)
  assert.equal(watch.wasSuspended(), false)
  sleptMs += 500
  assert.equal(watch.wasSuspended(), false)
  sleptMs += hourMs
  assert.equal(watch.wasSuspended(), true)
  assert.equal(watch.wasSuspended(), false)
  assert.equal(new SuspensionWatch().wasSuspended(), false)
})

test('a process that was busy or did not run for a second logs for how long no session was served', async () => {
  const { edge, logged } = await edgeAtWork()
  edge.context.clock.onTick!(999)
  assert.doesNotMatch(logged.join('\n'), /stalled/)
  edge.context.clock.onTick!(1234.5)
  assert.match(logged.join('\n'), /stalled ms=1235/)
  const { sum } = edge.context.metrics.snapshot().histograms['event_loop_delay_seconds']!
  assert.ok(sum >= 2.2335, String(sum))
})

test('the delay of a tick is the time since the last tick minus the interval', (t) => {
  let now = 5_000
  let tick = () => {}
  t.mock.method(runtime, 'now', () => now)
  t.mock.method(runtime, 'every', (_ms: number, callback: () => void) => {
    tick = callback
    return { unref() {} }
  })
  const clock = new Clock(100)
  const late: number[] = []
  clock.onTick = (ms) => void late.push(ms)
  for (const passed of [100, 99.5, 350, 100]) {
    now += passed
    tick()
  }
  assert.deepEqual(late, [0, 0, 250, 0])
  assert.equal(clock.now(), 5_649)
  clock.stop()
})
