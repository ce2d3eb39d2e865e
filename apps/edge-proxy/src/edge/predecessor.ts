/** The new process of a handover: reports to the old process that it serves clients, and waits until it may join the fleet. */
import { runtime } from '../runtime.ts'
import { handoverWords } from './successor.ts'

/** An old process that hangs must not prevent this one from joining the fleet. */
const timeoutMs = 10_000

/**
 * Resolves when the old process no longer uses the state directory, or immediately if there is none.
 * @param signal ends the wait
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
