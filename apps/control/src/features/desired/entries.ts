/** Reads all entries of the bucket of desired states as one stream of messages. */
import { DeliverPolicy } from '@nats-io/jetstream'
import { desiredBucket } from '@imapfleet/protocol'
import type { Bus } from '../../platform/nats/bus.ts'

export interface Entry {
  key: string
  /** Undefined: deleted. */
  data: Uint8Array | undefined
  /** Its revision in the bucket. */
  place: number
}

/** Longest wait for the next message. */
const patienceMs = 5_000

export async function* eachEntry(bus: Bus): AsyncGenerator<Entry, void> {
  const { stream, subject } = desiredBucket
  const consumer = await bus.link().jetstream.consumers.get(stream, {
    deliver_policy: DeliverPolicy.LastPerSubject,
    filter_subjects: `${subject}>`,
  })
  try {
    let left = (await consumer.info()).num_pending
    while (left > 0) {
      const messages = await consumer.fetch({ max_messages: Math.min(left, 1_000), expires: patienceMs })
      const before = left
      for await (const message of messages) {
        left = message.info.pending
        const isDeleted = message.headers?.has('KV-Operation') ?? false
        yield {
          key: message.subject.slice(subject.length),
          data: isDeleted ? undefined : message.data,
          place: message.seq,
        }
      }
      if (left === before)
        throw new Error(`the bucket of desired states was read incompletely: ${left} entries left`)
    }
  } finally {
    await consumer.delete().catch(() => {})
  }
}
