/** The lines of one trace from its stream, from the first one that is still kept, then as they come. */
import { DeliverPolicy, type Consumer } from '@nats-io/jetstream'
import { streams, subjects } from '@imapfleet/protocol'
import type { Bus } from './bus.ts'

interface TraceMessage {
  subject: string
  data: Uint8Array
  /** Its place in the stream, growing. */
  place: number
}

/** Reads on from where it is, also over restarts of NATS. */
export interface TraceReader {
  /** What comes within this time; an empty round is a normal one. */
  round: (forMs: number) => AsyncGenerator<TraceMessage, void>
  /** True when nothing more stood in the stream after what was last handed on. */
  caughtUp: () => boolean
  close: () => void
}

/** How long lines are kept; 0: until there is no room. */
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
    // A stream that ends before our place is a new one.
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
      // Not waited for: NATS forgets it by itself, too, and whoever stops must not wait for a NATS that hangs.
      consumer?.delete().catch(() => {})
    },
  }
}
