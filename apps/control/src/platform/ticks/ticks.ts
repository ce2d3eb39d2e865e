/** Runs timers. Any replica can run each of them, because the work takes its own lock. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Deps } from '../../deps.ts'
import { Outage } from '../outage.ts'

export interface Tick {
  name: string
  everyMs: number
  run: (deps: Deps) => Promise<void>
  /** Events that make it due immediately. */
  hastened?: (deps: Deps, signal: AbortSignal) => Promise<void>
}

export async function runTicks(ticks: readonly Tick[], deps: Deps, signal: AbortSignal): Promise<void> {
  await Promise.all(ticks.map(async (tick) => await repeat(tick, deps, signal)))
}

const retryMs = 5_000

async function repeat(tick: Tick, deps: Deps, signal: AbortSignal): Promise<void> {
  const outage = new Outage(deps.log, `the timer ${tick.name} fails`, `the timer ${tick.name} works again`)
  while (!signal.aborted) {
    let pause = tick.everyMs
    try {
      await tick.run(deps)
      outage.over()
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
