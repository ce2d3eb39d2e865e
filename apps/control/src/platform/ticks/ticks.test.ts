/** Timers, on a real Postgres. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { takeLease } from './leases.ts'
import { runTicks, stateOfTimers, type Tick } from './ticks.ts'

suite('a timer', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
  })
  after(async () => await deps?.db.close())

  /** Runs the timers until `done`. */
  async function runUntil(ticks: Tick[], done: () => boolean): Promise<void> {
    const stopping = new AbortController()
    const running = runTicks(ticks, deps, stopping.signal)
    while (!done()) await deps.db.sql`select 1`
    stopping.abort()
    await running
  }
  const metric = (name: string) => {
    const { counters, gauges } = deps.metrics.snapshot()
    return counters[name] ?? gauges[name]
  }

  test('is run again after its interval, and shows when it last succeeded', async () => {
    let runs = 0
    const run = async () => void runs++
    await runUntil([{ name: 'quick', everyMs: 10, run }], () => runs >= 3)
    const at = metric('control_timer_success_seconds{timer="quick"}')
    assert.ok(at !== undefined && Math.abs(at - Date.now() / 1000) < 60, String(at))
    assert.equal(metric('control_timer_skips_total{timer="quick"}'), undefined)
  })

  test('is left to the replica that holds its lease, which is counted; if no replica finishes it, that is told once', async () => {
    const name = 'stuck'
    assert.ok(await takeLease(deps.db, name, 'web-2/9'))
    await deps.db.sql`
      update leases set until = now() + interval '1 hour', succeeded_at = now() - interval '1 hour'
      where name = ${name}`
    const tick = { name, everyMs: 10, run: async () => assert.fail('ran') }
    const skips = () => metric('control_timer_skips_total{timer="stuck"}') ?? 0
    await runUntil([tick], () => skips() >= 3)
    const told = deps.lines.filter((line) => line.includes('the timer stuck fails'))
    assert.equal(told.length, 1)
    const trouble = 'no replica has finished it for 3600 s; the last one that began was web-2/9'
    assert.ok(told[0]?.includes(trouble))
    const timers = [
      { name: 'quick', everyMs: 10_000 },
      { name, everyMs: 10_000 },
    ]
    assert.equal(await stateOfTimers({ db: deps.db, timers }), `stuck: ${trouble}`)
    assert.equal(await stateOfTimers({ db: deps.db, timers: timers.slice(0, 1) }), 'ok')
  })

  test('that failed is tried again, and the failure is told once', async () => {
    let runs = 0
    const run = async () => {
      runs++
      if (runs < 3) throw new Error('no luck')
    }
    await runUntil([{ name: 'failing', everyMs: 10, run }], () => runs >= 4)
    const lines = deps.lines.filter((line) => line.includes('the timer failing'))
    assert.deepEqual(
      lines.map((line) => line.slice(25).trim()),
      ['warn the timer failing fails reason="no luck"', 'info the timer failing works again'],
    )
  })
})
