/** Heartbeats on core NATS. Replicas share them: each goes to one. */
import { subjects } from '@imapfleet/protocol'
import { Batches } from './batches.ts'
import type { Bus } from './bus.ts'
import { announceDesired } from './desired.ts'

export interface Heard {
  subject: string
  data: Uint8Array
}

const queue = 'control'
const gatherMs = 50
/** Edges look at their entry, whatever the version is said to be. */
const anyVersion = 1

/**
 * Until the connection is closed or the signal aborted. Edges that came before us, or were back before us, are told to
 * read their entry, which they do with a heartbeat: nobody has to wait for the next one.
 */
export async function* hearPresence(bus: Bus, signal: AbortSignal): AsyncGenerator<Heard[], void> {
  const { nats } = await bus.whenUp(signal)
  const batches = new Batches<Heard>({ sizeMax: 5_000, waitingMax: 20_000, gatherMs })
  const subscription = nats.subscribe(subjects.presenceOfAll, {
    queue,
    callback: (error, message) => {
      if (error) batches.end(error)
      else batches.push({ subject: message.subject, data: message.data })
    },
  })
  void callOut(bus, signal)
  const stop = () => subscription.unsubscribe()
  signal.addEventListener('abort', stop, { once: true })
  void subscription.closed.then(() => batches.end())
  try {
    yield* batches
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

/** Now, and whenever NATS is back. */
async function callOut(bus: Bus, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      announceDesired(bus, anyVersion)
      await bus.nextUp(signal)
    }
  } catch {
    // NATS has gone again, or we stop: who hears heartbeats anew calls anew.
  }
}
