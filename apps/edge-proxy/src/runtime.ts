/**
 * Time, timers and chance of this process. The lint rules of the edge forbid every other way to them, so that the simulation
 * can replace all of them and repeat a run from its seed (docs/adr/0028-simulation.md). What can differ between two edges of
 * one process is in their context instead: the wall clock (edge/clock.ts) and the network (net/network.ts).
 */
import { randomFillSync, randomUUID } from 'node:crypto'
import { uptime } from 'node:os'

/** A timer that runs. Only `cancel` takes it. */
export interface Timer {
  /** The process may end before the timer does. */
  unref(): this
}

export interface Runtime {
  /** Milliseconds since an arbitrary moment, with fractions. No one can set it. It may stop while the host is suspended. */
  now(): number
  /** Milliseconds since 1970, by the system's clock, which may be set. */
  wall(): number
  /** Milliseconds since the start of the host. It continues while the host is suspended. */
  hostUptime(): number
  /** Calls back once, after this time in milliseconds. */
  after(ms: number, callback: () => void): Timer
  /** Calls back each time that this time in milliseconds has passed. */
  every(ms: number, callback: () => void): Timer
  /** Ends a timer. Idempotent. */
  cancel(timer: Timer | undefined): void
  /** Calls back after the present call, before the next event. */
  soon(callback: () => void): void
  /** Calls back after the events that have arrived already. */
  afterEvents(callback: () => void): void
  /** Fills it with bytes that cannot be guessed. */
  fillRandom(bytes: Buffer): void
  /** 96 bits that cannot be guessed, in hexadecimal. */
  randomName(): string
  randomUuid(): string
  /** From 0 to 1, for jitter. It can be guessed. */
  jitter(): number
}

const bytesPerName = 12
const namePool = Buffer.alloc(bytesPerName * 512)
let usedTo = namePool.length

/** Names are drawn in bulk, because each draw is a system call. */
function drawName(): string {
  if (usedTo === namePool.length) {
    randomFillSync(namePool)
    usedTo = 0
  }
  const name = namePool.toString('hex', usedTo, usedTo + bytesPerName)
  // So that used bytes cannot be read from memory later.
  for (const end = usedTo + bytesPerName; usedTo < end; usedTo++) namePool[usedTo] = 0
  return name
}

const ofThisProcess: Runtime = {
  now: () => performance.now(),
  wall: () => Date.now(),
  hostUptime: () => uptime() * 1000,
  after: (ms, callback) => setTimeout(callback, ms),
  every: (ms, callback) => setInterval(callback, ms),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  soon: (callback) => process.nextTick(callback),
  afterEvents: (callback) => void setImmediate(callback),
  fillRandom: (bytes) => void randomFillSync(bytes),
  randomName: drawName,
  randomUuid: () => randomUUID(),
  jitter: () => Math.random(),
}

/** The one in use. Read its functions at each call: the simulation replaces them. */
export const runtime: Runtime = { ...ofThisProcess }

/** Uses another one until the function that it returns is called. No edge may exist at either moment. */
export function replaceRuntime(other: Runtime): () => void {
  Object.assign(runtime, other)
  return () => void Object.assign(runtime, ofThisProcess)
}

/** Up to a quarter longer, so that edges that lost a server at the same moment do not return to it at the same moment. */
export const jittered = (ms: number): number => ms * (1 + runtime.jitter() / 4)

/** Settles after this time in milliseconds, or when the signal is aborted. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = () => {
      runtime.cancel(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = runtime.after(ms, end)
    signal.addEventListener('abort', end)
  })
}
