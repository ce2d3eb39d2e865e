/** Heartbeats on core NATS. Each heartbeat goes to one replica. */
import { subjects } from '@imapfleet/protocol'
import { Batches } from '../../platform/nats/batches.ts'
import type { Bus } from '../../platform/nats/bus.ts'
import { announceDesired } from '../desired/bucket.ts'

export interface Heard {
  subject: string
  data: Uint8Array
}

const queue = 'control'
const gatherMs = 50
/** Edges read their entry, whatever version the message names. */
const anyVersion = 1

/**
 * Runs until the connection is closed or the signal is aborted. Edges that connected before control are told to read
 * their entry. They answer with a heartbeat, so control need not wait for the next regular one.
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

/** Calls now, and each time NATS is up again. */
async function callOut(bus: Bus, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      announceDesired(bus, anyVersion)
      await bus.nextUp(signal)
    }
  } catch {
    // NATS is down again, or control stops: the next subscription calls again.
  }
}
