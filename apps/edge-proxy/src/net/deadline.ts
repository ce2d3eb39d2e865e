/**
 * The time limit of one step of a peer, such as a handshake. A peer is not late because this process was paused (SIGSTOP, a
 * moved virtual machine): what it sent meanwhile is read first.
 */
import { runtime } from '../runtime.ts'

/** A timer that is later than this follows a pause of the process. */
const pauseMs = 2_000
/** After a pause, for the rest of the step. */
const graceMs = 2_000

/** Calls back once after this time, unless the function that it returns is called before. */
export function startDeadline(ms: number, onLate: () => void): () => void {
  const timeMs = Math.max(0, ms)
  const dueAt = runtime.now() + timeMs
  let timer = runtime.after(timeMs, () => {
    const wasPaused = runtime.now() - dueAt > pauseMs
    if (wasPaused) timer = runtime.after(graceMs, onLate)
    else onLate()
  })
  return () => runtime.cancel(timer)
}
