/** The lines of one trace from its stream: from the first stored line, then live. */
import { DeliverPolicy, type Consumer } from '@nats-io/jetstream'
import { streams, subjects } from '@imapfleet/protocol'
import type { Bus } from '../../platform/nats/bus.ts'

interface TraceMessage {
  subject: string
  data: Uint8Array
  /** Its increasing sequence in the stream. */
  place: number
}

/** Continues at the current position, even after restarts of NATS. */
export interface TraceReader {
  /** Messages that arrive within this time. An empty result is normal. */
  round: (forMs: number) => AsyncGenerator<TraceMessage, void>
  /** True if nothing was left in the stream after the last message that was handed on. */
  caughtUp: () => boolean
  close: () => void
}

/** How long lines are kept; 0: until the stream is full. */
export async function traceKeptMs(bus: Bus): Promise<number> {
  const { config } = await bus.link().manager.streams.info(streams.traces)
  return config.max_age / 1_000_000
}

const roundMax = 200

export function openTraceFeed(bus: Bus, trace: string): TraceReader {
  let consumer: Consumer | undefined
  let last = 0
  let pending = 0

  async function open(): Promise<Consumer> {
    const { jetstream, manager } = bus.link()
    const { state } = await manager.streams.info(streams.traces)
    // A stream that ends before our position is a new one.
    if (state.last_seq < last) last = 0
    const opened = await jetstream.consumers.get(streams.traces, {
      filter_subjects: subjects.traceOfAll(trace),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: last + 1,
    })
    pending = (await opened.info()).num_pending
    return opened
  }

  return {
    async *round(forMs) {
      try {
        consumer ??= await open()
        const messages = await consumer.fetch({ max_messages: roundMax, expires: forMs })
        for await (const message of messages) {
          last = message.seq
          pending = message.info.pending
          yield { subject: message.subject, data: message.data, place: message.seq }
        }
      } catch (error) {
        consumer = undefined
        throw error
      }
    },
    caughtUp: () => consumer !== undefined && pending === 0,
    close() {
      // Not awaited: NATS removes the consumer automatically, and a stop must not wait for a NATS that hangs.
      consumer?.delete().catch(() => {})
    },
  }
}
