/** Restarts a part when it exits, as systemd does in production. A part that was handed over to another process runs on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Backoff } from '@imapfleet/retry'
import { messageOf } from './local-error.ts'
import { describeExit, type LocalProcess } from './process.ts'

const pauses = { firstMs: 250, lastMs: 5_000 }
/** How often it looks whether the process that took over still runs. */
const lookMs = 250

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
    const wasHandedOver = part.isHandedOver
    while (part.isHandedOver) {
      await sleep(lookMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
    }
    const how = wasHandedOver ? 'the process that took over has ended' : `exited with ${describeExit(exit)}`
    trouble(`${how}, restarting it`)
    const backoff = new Backoff(pauses)
    while (part.pid === undefined) {
      await backoff.pause(signal)
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
