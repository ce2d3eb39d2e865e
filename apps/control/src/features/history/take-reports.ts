/** Reports from JetStream, through the durable consumer that all replicas share. */
import { consumers, streams } from '@imapfleet/protocol'
import { Batches } from '../../platform/nats/batches.ts'
import type { Bus } from '../../platform/nats/bus.ts'

/** A report. Exactly one of the three functions must be called. */
export interface Delivery {
  subject: string
  data: Uint8Array
  /** The report was stored: it is removed from the stream. */
  done: () => void
  /** The report cannot be stored now: it is delivered again after this time. */
  again: (afterMs: number) => void
  /** The report can never be stored: it is removed from the stream. */
  refuse: () => void
}

/**
 * Runs until the consumer is gone or the signal is aborted. Throws if NATS ended it. When the iteration ends early,
 * the reports that were not seen are returned, so that another replica gets them immediately.
 */
export async function* takeReports(bus: Bus, signal: AbortSignal): AsyncGenerator<Delivery[], void> {
  const { jetstream } = await bus.whenUp(signal)
  const consumer = await jetstream.consumers.get(streams.reports, consumers.ingest)
  const batches = new Batches<Delivery>({ sizeMax: 1_000, gatherMs: 50 })
  const messages = await consumer.consume({
    max_messages: 4_000,
    // If NATS has lost its store, the caller must create the stream again.
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
