/** Polls for an effect in another process. */
import { setTimeout as pause } from 'node:timers/promises'

/**
 * The first value that is neither undefined nor false. Throws with `what` and the last error after the time limit, which costs time
 * only if something is broken: a busy machine is ten times slower.
 */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + withinMs
  let trouble = ''
  for (;;) {
    try {
      const value = await ask()
      if (value !== undefined && value !== false) return value
      trouble = ''
    } catch (error) {
      trouble = `: ${error instanceof Error ? error.message : String(error)}`
    }
    if (Date.now() > deadline) throw new Error(`${what} did not appear within ${withinMs} ms${trouble}`)
    await pause(25)
  }
}
