/** Repeats a request until a state is reached, for as long as the operator wants to wait. */
import { setTimeout as pause } from 'node:timers/promises'
import { Failure } from './failure.ts'

export interface WaitOptions<T> {
  isDone: (state: T) => boolean
  timeoutMs: number
  /** Ctrl-C, if the command can be stopped. */
  signal?: AbortSignal
}

/**
 * The state when it is done, or at the end of the time. Survives a restart of the control plane, because the change
 * is already recorded.
 */
export async function waitFor<T>(first: T, read: () => Promise<T>, wait: WaitOptions<T>): Promise<T> {
  const { isDone, timeoutMs, signal } = wait
  const deadline = performance.now() + timeoutMs
  let state = first
  let delayMs = 100
  while (!isDone(state) && performance.now() < deadline && !signal?.aborted) {
    await pause(Math.min(delayMs, Math.max(0, deadline - performance.now())), undefined, {
      ...(signal ? { signal } : {}),
    }).catch((error: unknown) => {
      if (!signal?.aborted) throw error
    })
    if (signal?.aborted) break
    delayMs = Math.min(1000, delayMs * 1.5)
    try {
      state = await read()
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'unreachable' || performance.now() >= deadline)
        throw error
    }
  }
  return state
}
