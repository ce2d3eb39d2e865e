/** Repeats a request until a state is reached, for as long as the operator wants to wait. */
import { isTransient } from '@imapfleet/client'
import { Backoff, pause } from '@imapfleet/retry'

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
  const backoff = new Backoff({ firstMs: 100, lastMs: 1_000 })
  while (!isDone(state) && performance.now() < deadline) {
    await pause(Math.min(backoff.nextMs(), deadline - performance.now()), signal)
    if (signal?.aborted) break
    try {
      state = await read()
    } catch (error) {
      if (!isTransient(error) || performance.now() >= deadline) throw error
    }
  }
  return state
}
