/** The timers of control. Any replica can run them: each verb takes its own lock. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Deps } from '../deps.ts'
import { Outage } from '../outage.ts'
import { advanceRollouts } from '../verbs/advance-rollouts.ts'
import { cleanUp } from '../verbs/clean-up.ts'
import { enforceEnrolments } from '../verbs/enforce-enrolments.ts'
import { forgetOldHistory } from '../verbs/forget-old-history.ts'
import { makePartitions } from '../verbs/make-partitions.ts'
import { reconcile } from '../verbs/reconcile.ts'
import { rollUp } from '../verbs/roll-up.ts'

interface Tick {
  name: string
  everyMs: number
  run: (deps: Deps) => Promise<void>
  /** Events that make it due immediately. */
  hastened?: (deps: Deps, signal: AbortSignal) => Promise<void>
}

const natsIsBack = async ({ bus }: Deps, signal: AbortSignal) => await bus.nextUp(signal)

const ticks: readonly Tick[] = [
  { name: 'clean-up', everyMs: 600_000, run: cleanUp },
  { name: 'partitions', everyMs: 3_600_000, run: makePartitions },
  { name: 'retention', everyMs: 3_600_000, run: forgetOldHistory },
  { name: 'rollups', everyMs: 5_000, run: rollUp },
  { name: 'rollouts', everyMs: 1_000, run: advanceRollouts },
  { name: 'reconcile', everyMs: 5_000, run: reconcile, hastened: natsIsBack },
  { name: 'enrolments', everyMs: 60_000, run: enforceEnrolments, hastened: natsIsBack },
]

export async function runTicks(deps: Deps, signal: AbortSignal): Promise<void> {
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
