/**
 * Runs timers. Any replica can run each of them: a lease of the same name decides which one does. A timer that no
 * replica has finished for long is visible in the log, the metrics and /readyz.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Deps } from '../../deps.ts'
import { Outage } from '../outage.ts'
import { readLeases, withLease, type Lease, type LeaseState } from './leases.ts'

export interface Tick {
  name: string
  everyMs: number
  /** Every transaction of it checks the lease. */
  run: (deps: Deps, lease: Lease) => Promise<void>
  /** Events that make it due immediately. */
  hastened?: (deps: Deps, signal: AbortSignal) => Promise<void>
}

export async function runTicks(ticks: readonly Tick[], deps: Deps, signal: AbortSignal): Promise<void> {
  const succeeded = new Map<string, number>()
  deps.metrics.gauge('control_timer_success_seconds', () =>
    [...succeeded].map(([timer, at]) => [{ timer }, at / 1000] as const),
  )
  await Promise.all(ticks.map(async (tick) => await repeat(tick, deps, signal, succeeded)))
}

const retryMs = 5_000
/** A timer is overdue after this many missed runs, and some time in which a lease can change its holder. */
const missedMax = 3
const handoverMs = 30_000

/** `ok`, or which timers no replica has finished for long. */
export async function stateOfTimers(deps: Pick<Deps, 'db' | 'timers'>): Promise<string> {
  const late = await lateTimers(deps)
  return late.length === 0 ? 'ok' : late.map(({ name, trouble }) => `${name}: ${trouble}`).join('; ')
}

/** Overdue timers, each with a text for operators. */
export async function lateTimers({
  db,
  timers,
}: Pick<Deps, 'db' | 'timers'>): Promise<{ name: string; trouble: string }[]> {
  const leases = new Map((await readLeases(db)).map((lease) => [lease.name, lease]))
  return timers.flatMap((timer) => {
    const lease = leases.get(timer.name)
    const trouble = lease && overdue(timer, lease)
    return trouble === undefined ? [] : [{ name: timer.name, trouble }]
  })
}

/** Undefined if it is not overdue; otherwise why, in words. */
function overdue({ everyMs }: Pick<Tick, 'everyMs'>, { holder, ageMs }: LeaseState): string | undefined {
  if (ageMs <= everyMs * missedMax + handoverMs) return undefined
  return `no replica has finished it for ${Math.round(ageMs / 1000)} s; the last one that began was ${holder}`
}

async function repeat(
  tick: Tick,
  deps: Deps,
  signal: AbortSignal,
  succeeded: Map<string, number>,
): Promise<void> {
  const outage = new Outage(deps.log, `the timer ${tick.name} fails`, `the timer ${tick.name} works again`)
  while (!signal.aborted) {
    let pause = tick.everyMs
    try {
      const isRun = await withLease(deps, tick.name, async (lease) => await tick.run(deps, lease))
      if (!isRun) deps.metrics.counters.control_timer_skips_total({ timer: tick.name }).value++
      const state = (await readLeases(deps.db)).find(({ name }) => name === tick.name)
      if (state) succeeded.set(tick.name, state.succeededAt)
      const trouble = state && overdue(tick, state)
      if (trouble === undefined) outage.over()
      else outage.began(new Error(trouble))
    } catch (error) {
      outage.began(error)
      pause = Math.min(pause, retryMs)
    }
    await due(tick, deps, pause, signal)
  }
}

async function due(tick: Tick, deps: Deps, afterMs: number, signal: AbortSignal): Promise<void> {
  const waiting = new AbortController()
  const stop = AbortSignal.any([signal, waiting.signal])
  // Random, so that replicas that started together do not stay in step.
  const time = sleep(afterMs * (0.9 + Math.random() * 0.2), undefined, { signal: stop })
  const haste = tick.hastened?.(deps, stop)
  await Promise.race([time, ...(haste ? [haste] : [])]).catch(() => {})
  waiting.abort()
  await Promise.allSettled([time, haste])
}
