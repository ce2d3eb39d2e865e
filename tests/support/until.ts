/** Awaits what another process does: it tells nobody when it is done, so it is asked until it is. */
import { setTimeout as pause } from 'node:timers/promises'

/** The first value that is neither undefined nor false; throws with `what` and the last answer when the time is over. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 20_000,
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
    if (Date.now() > deadline) throw new Error(`${what} has not come within ${withinMs} ms${trouble}`)
    await pause(25)
  }
}
