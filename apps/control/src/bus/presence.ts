/** Heartbeats on core NATS. Replicas share them: each goes to one. */
import { subjects } from '@imapfleet/protocol'
import { Batches } from './batches.ts'
import type { Bus } from './bus.ts'

export interface Heard {
  subject: string
  data: Uint8Array
}

const queue = 'control'

/** Until the connection is closed or the signal aborted. */
export async function* hearPresence(bus: Bus, signal: AbortSignal): AsyncGenerator<Heard[], void> {
  const { nats } = await bus.whenUp(signal)
  const batches = new Batches<Heard>(5_000, 20_000)
  const subscription = nats.subscribe(subjects.presenceOfAll, {
    queue,
    callback: (error, message) => {
      if (error) batches.end(error)
      else batches.push({ subject: message.subject, data: message.data })
    },
  })
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
