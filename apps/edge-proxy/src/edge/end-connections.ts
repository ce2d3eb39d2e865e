/**
 * Ends every connection of an edge that stops. Sessions get time to end by themselves. All other connections are ended
 * immediately, or within a time that no peer can extend.
 */
import { delay, runtime } from '../runtime.ts'
import type { EdgeContext } from './context.ts'

/** How long a stop waits for the next command of a session that is between two commands. */
const quietMs = 5_000
/** Time limit for the last bytes to a client that reads slowly. */
const closeMs = 3_000
/** The same limit after a second signal. */
const hurriedMs = 200
const lookEveryMs = 20
const never = new AbortController().signal

/**
 * Settles when all connections are closed.
 * @param drainTimeoutMs time limit for sessions with commands in progress
 * @param hurry ends all waits immediately
 */
export async function endConnections(
  context: EdgeContext,
  drainTimeoutMs: number,
  hurry: AbortSignal,
): Promise<void> {
  const { sessions, pool, clientAdmission, clock, log } = context
  for (const client of sessions.arriving) client.endLoginTime('shutdown')
  clientAdmission.dismissArriving()
  pool.close()
  const isDrained = () => {
    sessions.endQuiet(clock.now(), quietMs)
    return sessions.active.size === 0
  }
  const isClosed = () => {
    // A login may have succeeded in the meantime.
    sessions.endAll('shutdown')
    return areAllClosed(context)
  }
  await holds(isDrained, drainTimeoutMs, hurry)
  if (await holds(isClosed, closeMs, hurry)) return
  if (hurry.aborted && (await holds(isClosed, hurriedMs, never))) return
  log.warn('stop_cut', { clients: clientAdmission.total, sessions: sessions.active.size })
  clientAdmission.cut()
  pool.cut()
}

/** Waits until the last client has left and the last server connection is closed, at most until the timeout. */
export async function connectionsEnd(
  context: EdgeContext,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  await holds(() => areAllClosed(context), timeoutMs, signal)
}

const areAllClosed = ({ sessions, clientAdmission, pool }: EdgeContext): boolean =>
  clientAdmission.total === 0 && sessions.arriving.size === 0 && pool.connections.isEmpty

/** Polls until the condition holds. False: it did not hold within this time or before the signal. */
async function holds(condition: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const until = runtime.now() + timeoutMs
  while (!condition()) {
    if (signal.aborted || runtime.now() >= until) return false
    await delay(lookEveryMs, signal)
  }
  return true
}
