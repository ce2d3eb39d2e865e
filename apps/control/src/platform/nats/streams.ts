/**
 * Our streams and the bucket in JetStream. Missing ones are created. Existing ones keep their limits, because an
 * operator may have tuned them.
 */
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
import {
  buckets,
  consumers,
  evidenceBytesMax,
  evidenceKeptMs,
  evidenceOfEdgeMax,
  measurementBytesMax,
  messageBytesMax,
  reportsOfEdgeMax,
  streams,
  subjects,
} from '@imapfleet/protocol'

export interface StreamLimits {
  /** Copies of each stream in a NATS cluster: 1, 3 or 5. */
  replicas: number
  /** Bytes of reports that wait for ingest. Beyond it, edges keep their reports in the outbox. */
  reportsBytesMax: number
  /** Bytes of trace lines kept for download. Beyond it, the oldest are removed. */
  tracesBytesMax: number
  tracesKeptMs: number
}

/**
 * After this time JetStream delivers a report again that was not acknowledged, because ingest died or was slow. A
 * second delivery does no harm.
 */
const ackWaitMs = 10_000
const minuteMs = 60_000

/** More than one edge can store. */
const evidenceStreamBytesMax = 536_870_912

export async function ensureStreams(
  manager: JetStreamManager,
  jetstream: JetStreamClient,
  limits: StreamLimits,
): Promise<KV> {
  const ofEachEdge = {
    // An edge beyond it is refused, and keeps its reports. It cannot displace the reports of others.
    max_msgs_per_subject: reportsOfEdgeMax,
    discard_new_per_subject: true,
    max_msg_size: measurementBytesMax,
  }
  await ensureStream(manager, {
    name: streams.reports,
    subjects: [subjects.reportsOfAll],
    storage: StorageType.File,
    // A report leaves the stream when ingest has acknowledged it. If the stream is full, the sender gets an error.
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.New,
    max_bytes: limits.reportsBytesMax,
    duplicate_window: nanos(2 * minuteMs),
    num_replicas: limits.replicas,
    ...ofEachEdge,
  })
  await limitEachSubject(manager, streams.reports, ofEachEdge)
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
  await ensureStream(manager, {
    name: streams.evidence,
    subjects: [subjects.evidenceOfAll],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    // An edge beyond its limit is refused. It cannot displace the messages of others.
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: evidenceOfEdgeMax,
    max_msg_size: evidenceBytesMax,
    max_bytes: evidenceStreamBytesMax,
    max_age: nanos(evidenceKeptMs),
    allow_direct: true,
    // With the sequence of each message, so that edges detect gaps.
    republish: {
      src: subjects.evidenceOfAll,
      dest: subjects.storedEvidence({ region: '{{wildcard(1)}}', edge: '{{wildcard(2)}}' }),
    },
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
  // Another replica may have created it already. Adding the same stream again has no effect.
  await manager.streams.add(config)
}

/** For a stream that was made by a version without this limit. A limit that an operator has set stays. */
async function limitEachSubject(
  manager: JetStreamManager,
  name: string,
  limits: Partial<StreamConfig>,
): Promise<void> {
  const { config } = await manager.streams.info(name)
  if (config.max_msgs_per_subject <= 0) await manager.streams.update(name, { ...config, ...limits })
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
 * Removes reports that were acknowledged but are still in the stream. A nats-server that was killed can leave them
 * behind permanently. One by one: a purge makes nats-server 2.9 forget what it has delivered and what is not
 * acknowledged yet, so that these reports are never delivered again.
 */
export async function sweepReports(manager: SweepManager): Promise<void> {
  const { ack_floor: acknowledged } = await manager.consumers.info(streams.reports, consumers.ingest)
  const next = async (seq: number) => {
    const query = { seq, next_by_subj: subjects.reportsOfAll }
    return await manager.streams.getMessage(streams.reports, query)
  }
  let left = await next(1)
  while (left && left.seq <= acknowledged.stream_seq) {
    await manager.streams.deleteMessage(streams.reports, left.seq, false)
    left = await next(left.seq + 1)
  }
}

/** The part of JetStream's API that the sweep uses. */
interface SweepManager {
  consumers: Pick<JetStreamManager['consumers'], 'info'>
  streams: Pick<JetStreamManager['streams'], 'getMessage' | 'deleteMessage'>
}

/** False if JetStream says that it does not exist. Any other error is thrown. */
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
