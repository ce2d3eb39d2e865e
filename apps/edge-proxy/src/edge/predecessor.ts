/** The newer process of a handover: tells the older one that clients are served, and waits until it may speak for the edge. */
import { runtime } from '../runtime.ts'
import { handoverWords } from './successor.ts'

/** An older process that hangs does not keep this one from joining the fleet. */
const timeoutMs = 10_000

/**
 * Resolves when no older process uses the state directory any longer; at once if there is none.
 * @param signal ends the waiting
 */
export async function takeOver(signal: AbortSignal): Promise<void> {
  if (!process.send || !process.connected) return
  const { promise, resolve } = Promise.withResolvers<void>()
  process.on('message', (word) => {
    if (word === handoverWords.yours) resolve()
  })
  process.once('disconnect', resolve)
  signal.addEventListener('abort', () => resolve(), { once: true })
  const timer = runtime.after(timeoutMs, resolve)
  process.send(handoverWords.ready)
  await promise
  runtime.cancel(timer)
  process.removeAllListeners('message')
  if (process.connected) process.disconnect?.()
}
