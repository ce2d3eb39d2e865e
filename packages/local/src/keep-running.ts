/** Restarts a part when it exits, as systemd does in production. */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from './local-error.ts'
import { describeExit, type LocalProcess } from './process.ts'

const firstPauseMs = 250
const longestPauseMs = 5_000

/** Until `signal` is aborted, which must happen before the part is stopped. `trouble` gets a line for the operator. */
export async function keepRunning(
  part: LocalProcess,
  trouble: (line: string) => void,
  back: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const exit = await Promise.race([part.exited(), aborted(signal)])
    if (!exit || signal.aborted) return
    trouble(`exited with ${describeExit(exit)}, restarting it`)
    for (
      let pauseMs = firstPauseMs;
      part.pid === undefined;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    ) {
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      await part.start(signal).then(back, (error: unknown) => signal.aborted || trouble(messageOf(error)))
    }
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
