/** Clocks, timers and random values of all edges of a simulated world. */
import type { Runtime, Timer } from '../src/runtime.ts'
import type { Chance } from './chance.ts'
import type { Scheduled, Scheduler } from './scheduler.ts'

const wallAtStart = Date.UTC(2026, 0, 1)

class SimulatedTimer implements Timer {
  scheduled: Scheduled | undefined

  unref(): this {
    return this
  }
}

/** @param timers the set of running timers */
export function simulatedRuntime(scheduler: Scheduler, chance: Chance, timers: Set<object>): Runtime {
  const start = (ms: number, callback: () => void, repeats: boolean): Timer => {
    const timer = new SimulatedTimer()
    const run = () => {
      if (repeats) timer.scheduled = scheduler.after(Math.max(1, ms), run)
      else timers.delete(timer)
      callback()
    }
    timers.add(timer)
    // Node's timers are never early, and wait for a millisecond at least.
    timer.scheduled = scheduler.after(Math.max(1, ms), run)
    return timer
  }
  const randomHex = (count: number): string => {
    const bytes = Buffer.alloc(count)
    chance.fill(bytes)
    return bytes.toString('hex')
  }
  return {
    now: () => scheduler.now,
    wall: () => wallAtStart + Math.round(scheduler.now),
    hostUptime: () => scheduler.now,
    after: (ms, callback) => start(ms, callback, false),
    every: (ms, callback) => start(ms, callback, true),
    cancel(timer) {
      if (!timer) return
      scheduler.cancel((timer as SimulatedTimer).scheduled)
      timers.delete(timer)
    },
    soon: (callback) => scheduler.soon(callback),
    afterEvents: (callback) => void scheduler.after(0, callback),
    fillRandom: (bytes) => chance.fill(bytes),
    randomName: () => randomHex(12),
    randomUuid: () => randomHex(16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    jitter: () => chance.next(),
  }
}
