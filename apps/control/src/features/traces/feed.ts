/**
 * The lines of one trace from the stream of all traces: from the start of the trace, then live. JetStream cannot select a
 * trace, because an edge has one subject for all of them. What belongs to other traces is skipped unparsed.
 */
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
  /** Messages that arrive within this time and may belong to the trace. An empty result is normal. */
  round: (forMs: number) => AsyncGenerator<TraceMessage, void>
  /** True if nothing was left in the stream after the last message that was read. */
  caughtUp: () => boolean
  /** True if everything was read that was in the stream at the first round. */
  hasReadStored: () => boolean
  close: () => void
}

/** How long lines are kept; 0: until control removes them because the stream is full. */
export async function traceKeptMs(bus: Bus): Promise<number> {
  const { config } = await bus.link().manager.streams.info(streams.traces)
  return config.max_age / 1_000_000
}

const roundMax = 500
/** The clocks of NATS and of control may differ by this much. */
const clockSkewMaxMs = 600_000

export function openTraceFeed(bus: Bus, { id, createdAt }: { id: string; createdAt: Date }): TraceReader {
  const since = new Date(createdAt.getTime() - clockSkewMaxMs).toISOString()
  let consumer: Consumer | undefined
  let last = 0
  let pending = 0
  let stored: number | undefined

  async function open(): Promise<Consumer> {
    const { jetstream, manager } = bus.link()
    const { state } = await manager.streams.info(streams.traces)
    stored ??= state.last_seq
    // A stream that ends before our position is a new one.
    if (state.last_seq < last) last = stored = 0
    const opened = await jetstream.consumers.get(streams.traces, {
      filter_subjects: subjects.tracesOfAll,
      ...(last === 0
        ? { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: last + 1 }),
    })
    pending = (await opened.info()).num_pending
    return opened
  }

  return {
    async *round(forMs) {
      try {
        consumer ??= await open()
        const messages = await consumer.fetch({ max_messages: roundMax, expires: forMs })
        for await (const { seq, info, subject, data } of messages) {
          last = seq
          pending = info.pending
          if (isAbout(id, data)) yield { subject, data, place: seq }
        }
      } catch (error) {
        consumer = undefined
        throw error
      }
    },
    caughtUp: () => consumer !== undefined && pending === 0,
    hasReadStored: () =>
      consumer !== undefined && (pending === 0 || (stored !== undefined && last >= stored)),
    close() {
      // Not awaited: NATS removes the consumer automatically, and a stop must not wait for a NATS that hangs.
      consumer?.delete().catch(() => {})
    },
  }
}

/** A line of another trace may contain the id, too. */
const isAbout = (id: string, { buffer, byteOffset, length }: Uint8Array): boolean =>
  Buffer.from(buffer, byteOffset, length).includes(id)
