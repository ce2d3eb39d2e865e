/** Reports from JetStream, through the durable consumer that all replicas share. */
import { consumers, streams } from '@imapfleet/protocol'
import { Batches } from './batches.ts'
import type { Bus } from './bus.ts'

/** Each is answered with exactly one of the three. */
export interface Delivery {
  subject: string
  data: Uint8Array
  /** Stored: it leaves the stream. */
  done: () => void
  /** Not now: it comes again after this time. */
  again: (afterMs: number) => void
  /** Never: it leaves the stream unread. */
  refuse: () => void
}

/**
 * Until the consumer is gone or the signal aborted; throws if NATS ended it. Whoever leaves the iteration gives back what
 * it has not seen, so that another replica, or a later one, gets it at once.
 */
export async function* takeReports(bus: Bus, signal: AbortSignal): AsyncGenerator<Delivery[], void> {
  const { jetstream } = await bus.whenUp(signal)
  const consumer = await jetstream.consumers.get(streams.reports, consumers.ingest)
  const batches = new Batches<Delivery>({ sizeMax: 1_000, gatherMs: 50 })
  const messages = await consumer.consume({
    max_messages: 4_000,
    // When NATS has lost its store the stream has to be made again, which the caller does.
    abort_on_missing_resource: true,
    expires: 5_000,
    callback: (message) =>
      batches.push({
        subject: message.subject,
        data: message.data,
        done: () => message.ack(),
        again: (afterMs) => message.nak(afterMs),
        refuse: () => message.term(),
      }),
  })
  const stop = () => messages.stop()
  signal.addEventListener('abort', stop, { once: true })
  void messages.closed().then((error) => batches.end(error instanceof Error ? error : undefined))
  try {
    yield* batches
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
    for (const delivery of batches.rest()) delivery.again(0)
  }
}
