/**
 * Watches how much of each stream every edge has. An edge whose share is full is shown to operators. In the stream of trace
 * lines, the oldest are removed before a share or the stream is full, so that a trace can always be watched.
 */
import type { JetStreamClient, JetStreamManager, StreamInfo } from '@nats-io/jetstream'
import { streams } from '@imapfleet/protocol'
import type { Bus } from './bus.ts'
import type { Intake, SentAs } from './intake.ts'

const watched: readonly { stream: string; sentAs: SentAs }[] = [
  { stream: streams.reports, sentAs: 'report' },
  { stream: streams.traces, sentAs: 'trace' },
  { stream: streams.evidence, sentAs: 'evidence' },
]
/** Beyond this part of a share, or of the stream, the oldest lines of traces are removed. */
const crowded = 0.75
/** The part of its share that an edge then keeps. If the stream is still too full, half of it, and so on. */
const keptPart = 0.5
const deletedAtOnce = 50

export async function watchShares({ bus, intake }: { bus: Bus; intake: Intake }): Promise<void> {
  const { manager, jetstream } = bus.link()
  for (const { stream, sentAs } of watched) {
    const info = await readShares(manager, stream)
    const { max_msgs_per_subject: share } = info.config
    for (const [subject, count] of sharesIn(info))
      if (share > 0 && count >= share)
        intake.note(sentAs, subject, 'share-full', 'the stream holds as many of this edge as it may')
  }
  await makeRoom(manager, jetstream)
}

async function makeRoom(manager: JetStreamManager, jetstream: JetStreamClient): Promise<void> {
  let info = await readShares(manager, streams.traces)
  const { max_msgs_per_subject: share, max_bytes: bytesMax } = info.config
  if (share <= 0) return
  const reduce = async (beyond: number, kept: number) => {
    for (const [subject, count] of sharesIn(info))
      if (count > beyond) await removeOldest(manager, jetstream, subject, count - kept)
  }
  await reduce(share * crowded, Math.floor(share * keptPart))
  for (let kept = Math.floor((share * keptPart) / 2); ; kept = Math.floor(kept / 2)) {
    info = await readShares(manager, streams.traces)
    if (bytesMax <= 0 || info.state.bytes <= bytesMax * crowded) return
    await reduce(kept, kept)
    if (kept === 0) return
  }
}

/** One by one: after a purge of one subject, nats-server 2.9 skips unread messages of other subjects. */
async function removeOldest(
  manager: JetStreamManager,
  jetstream: JetStreamClient,
  subject: string,
  count: number,
): Promise<void> {
  const consumer = await jetstream.consumers.get(streams.traces, {
    filter_subjects: subject,
    headers_only: true,
  })
  const oldest: number[] = []
  for await (const { seq } of await consumer.fetch({ max_messages: count, expires: 1_000 })) oldest.push(seq)
  await consumer.delete()
  for (let from = 0; from < oldest.length; from += deletedAtOnce)
    await Promise.all(
      oldest
        .slice(from, from + deletedAtOnce)
        // It may have expired meanwhile.
        .map(
          async (seq) => await manager.streams.deleteMessage(streams.traces, seq, false).catch(() => false),
        ),
    )
}

const readShares = async (manager: JetStreamManager, stream: string): Promise<StreamInfo> =>
  await manager.streams.info(stream, { subjects_filter: '>' })

const sharesIn = ({ state }: StreamInfo): [subject: string, count: number][] =>
  Object.entries(state.subjects ?? {})
