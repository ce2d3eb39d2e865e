/** The entries of the KV bucket, read as one stream of messages. */
import { DeliverPolicy } from '@nats-io/jetstream'
import { decode, desiredBucket, desiredSchema, type Desired } from '@imapfleet/protocol'
import type { Bus } from '../../platform/nats/bus.ts'

/** An entry of the bucket. */
export interface Entry {
  key: string
  /** Undefined: deleted, or it cannot be parsed. */
  desired: Desired | undefined
  /** Its revision in the bucket. */
  place: number
  /** Its length. */
  bytes: number
}

export function parseEntry(data: Uint8Array | undefined): Desired | undefined {
  const decoded = data && decode(desiredSchema, data)
  return decoded?.ok ? decoded.value : undefined
}

/** Longest wait for the next message, which can have been removed meanwhile. */
const patienceMs = 1_000
/** Messages that are read by one consumer. */
const batchMax = 1_000
/**
 * nats-server closes a connection on which 64 MB wait. An entry with many revocations has half a megabyte, and no entry has
 * more than one megabyte. If the bucket is larger than this limit, each batch has fewer entries.
 */
const bytesOfLargeBatches = 32 << 20
const smallBatchMax = 40
/** While other processes write, a read that has all keys ends after this number of batches without a new key. */
const batchesInVainMax = 100

/**
 * All entries, in the order of their places. An entry that is written meanwhile comes again, or at its new place only.
 *
 * Each batch has a separate consumer. While entries are written, neither the number of remaining messages, which
 * nats-server 2.9 sends with each message, nor its policy LastPerSubject is reliable. The stream keeps one message of each
 * subject, so every message is the last one.
 */
export async function* eachEntry(bus: Bus): AsyncGenerator<Entry, void> {
  const { stream, subject } = desiredBucket
  const keys = new Set<string>()
  const size = async () => (await bus.link().manager.streams.info(stream)).state
  const atOnce = (await size()).bytes <= bytesOfLargeBatches ? batchMax : smallBatchMax
  let place = 0
  let inVain = 0
  for (;;) {
    const consumer = await bus.link().jetstream.consumers.get(stream, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: place + 1,
      filter_subjects: `${subject}>`,
    })
    try {
      const { num_pending: left } = await consumer.info()
      if (left === 0) return
      const before = keys.size
      const messages = await consumer.fetch({ max_messages: Math.min(left, atOnce), expires: patienceMs })
      for await (const message of messages) {
        const key = message.subject.slice(subject.length)
        const isDeleted = message.headers?.has('KV-Operation') ?? false
        keys.add(key)
        place = message.seq
        yield {
          ...{ key, place, bytes: message.data.length },
          desired: isDeleted ? undefined : parseEntry(message.data),
        }
      }
      inVain = keys.size === before ? inVain + 1 : 0
    } finally {
      await consumer.delete().catch(() => {})
    }
    if (inVain <= batchesInVainMax) continue
    if (keys.size >= (await size()).messages) return
    throw new Error('the bucket of desired states is written faster than it can be read')
  }
}
