/**
 * The time limit of one step of a peer, such as a handshake. If this process was paused (SIGSTOP, migration of a virtual
 * machine), bytes that the peer sent during the pause are read first.
 */
import { runtime } from '../runtime.ts'

/** If a timer is later than this, the process was paused. */
const pauseMs = 2_000
/** Additional time for the step after a pause. */
const graceMs = 2_000

/** Calls back once after this time, unless the returned function is called before. */
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
