/**
 * Clocks, timers and random values of this process. The lint rules of the edge forbid every other access to them, so that the
 * simulation can replace them and repeat a run from its seed (docs/adr/0028-simulation.md). The wall clock (edge/clock.ts) and
 * the network (net/network.ts) may differ between two edges of one process, so they are in the context of the edge.
 */
import { randomFillSync, randomUUID } from 'node:crypto'
import { uptime } from 'node:os'

/** A running timer, for `cancel`. */
export interface Timer {
  /** The process may end before the timer does. */
  unref(): this
}

export interface Runtime {
  /** Monotonic milliseconds since an arbitrary time, with fractions. This clock may stop while the host is suspended. */
  now(): number
  /** Milliseconds since 1970, by the system clock, which may be set. */
  wall(): number
  /** Milliseconds since the start of the host. It continues while the host is suspended. */
  hostUptime(): number
  /** Calls back once, after this time in milliseconds. */
  after(ms: number, callback: () => void): Timer
  /** Calls back repeatedly, at this interval in milliseconds. */
  every(ms: number, callback: () => void): Timer
  /** Ends a timer. Idempotent. */
  cancel(timer: Timer | undefined): void
  /** Calls back after the present call, before the next event. */
  soon(callback: () => void): void
  /** Calls back after the events that have already arrived. */
  afterEvents(callback: () => void): void
  /** Fills the buffer with unguessable bytes. */
  fillRandom(bytes: Buffer): void
  /** 96 unguessable bits, in hexadecimal. */
  randomName(): string
  randomUuid(): string
  /** A number from 0 to 1, for jitter. It can be guessed. */
  jitter(): number
}

const bytesPerName = 12
const namePool = Buffer.alloc(bytesPerName * 512)
let usedTo = namePool.length

/** Names are generated in bulk, because each call of the system's generator is a system call. */
function drawName(): string {
  if (usedTo === namePool.length) {
    randomFillSync(namePool)
    usedTo = 0
  }
  const name = namePool.toString('hex', usedTo, usedTo + bytesPerName)
  // Used bytes are erased, so that they cannot be read from memory later.
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

/** The present runtime. Read its functions at each call, because the simulation replaces them. */
export const runtime: Runtime = { ...ofThisProcess }

/** Uses another runtime until the returned function is called. No edge may exist at either time. */
export function replaceRuntime(other: Runtime): () => void {
  Object.assign(runtime, other)
  return () => void Object.assign(runtime, ofThisProcess)
}

/** Adds up to a quarter, so that edges that lost a server at the same time do not return to it at the same time. */
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
