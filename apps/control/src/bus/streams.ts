/** Our streams and the bucket in JetStream. Made where they are missing; left as they are where an operator has tuned them. */
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type JetStreamClient,
  type JetStreamManager,
  type StreamConfig,
} from '@nats-io/jetstream'
import { Kvm, type KV } from '@nats-io/kv'
import { nanos } from '@nats-io/transport-node'
import { buckets, consumers, messageBytesMax, streams, subjects } from '@imapfleet/protocol'

export interface StreamLimits {
  /** Copies of each stream in a NATS cluster: 1, 3 or 5. */
  replicas: number
  /** Reports that wait for ingest; beyond it edges keep theirs in their outbox. */
  reportsBytesMax: number
  /** Trace lines kept for download; beyond it the oldest go. */
  tracesBytesMax: number
  tracesKeptMs: number
}

/** After it, what an ingest that died had taken comes again. One that was only slow gets it twice, which changes nothing. */
const ackWaitMs = 10_000
const minuteMs = 60_000

export async function ensureStreams(
  manager: JetStreamManager,
  jetstream: JetStreamClient,
  limits: StreamLimits,
): Promise<KV> {
  await ensureStream(manager, {
    name: streams.reports,
    subjects: [subjects.reportsOfAll],
    storage: StorageType.File,
    // A report leaves the stream when ingest has acknowledged it. When the stream is full its sender is told.
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.New,
    max_bytes: limits.reportsBytesMax,
    duplicate_window: nanos(2 * minuteMs),
    num_replicas: limits.replicas,
  })
  await ensureStream(manager, {
    name: streams.traces,
    subjects: [subjects.tracesOfAll],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_bytes: limits.tracesBytesMax,
    max_age: nanos(limits.tracesKeptMs),
    num_replicas: limits.replicas,
  })
  await ensureIngest(manager)
  return await new Kvm(jetstream).create(buckets.desired, {
    history: 1,
    maxValueSize: messageBytesMax,
    replicas: limits.replicas,
  })
}

async function ensureStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  const there = await found(manager.streams.info(config.name))
  if (there) return
  // A replica that was faster has made it: adding the same stream again changes nothing.
  await manager.streams.add(config)
}

async function ensureIngest(manager: JetStreamManager): Promise<void> {
  const there = await found(manager.consumers.info(streams.reports, consumers.ingest))
  if (there) return
  await manager.consumers.add(streams.reports, {
    durable_name: consumers.ingest,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    deliver_policy: DeliverPolicy.All,
    max_deliver: -1,
    max_ack_pending: 10_000,
  })
}

/**
 * Removes reports that were acknowledged but still stand in the stream: what a nats-server that was killed may leave
 * behind, and would hold for ever.
 */
export async function sweepReports(manager: JetStreamManager): Promise<void> {
  const { ack_floor: acknowledged } = await manager.consumers.info(streams.reports, consumers.ingest)
  const { state } = await manager.streams.info(streams.reports)
  if (state.messages > 0 && state.first_seq <= acknowledged.stream_seq)
    await manager.streams.purge(streams.reports, { seq: acknowledged.stream_seq + 1 })
}

/** False where JetStream says that there is no such thing; any other error is thrown. */
async function found(info: Promise<unknown>): Promise<boolean> {
  const missing: number[] = [JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound]
  try {
    await info
    return true
  } catch (error) {
    if (error instanceof JetStreamApiError && missing.includes(error.code)) return false
    throw error
  }
}
