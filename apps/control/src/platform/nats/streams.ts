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
  traceBytesMax,
  tracesOfEdgeMax,
} from '@imapfleet/protocol'

export interface StreamLimits {
  /** Copies of each stream in a NATS cluster: 1, 3 or 5. */
  replicas: number
  /** Bytes of reports that wait for ingest. Beyond it, edges keep their reports in the outbox. */
  reportsBytesMax: number
  /** Bytes of trace lines kept for download. Before it is reached, control removes the oldest. */
  tracesBytesMax: number
  tracesKeptMs: number
}

/**
 * After this time JetStream delivers a report again that was not acknowledged, because ingest died or was slow. A
 * second delivery does no harm.
 */
const ackWaitMs = 10_000
const minuteMs = 60_000

/** Several times what one edge can store. */
const evidenceStreamBytesMax = 536_870_912
const earlierEvidenceBytesMax = 65_536

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
  const tracesOfEachEdge = {
    subjects: [subjects.tracesOfAll],
    // An edge beyond its limit is refused. It cannot displace the lines of others.
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: tracesOfEdgeMax,
    max_msg_size: traceBytesMax,
  }
  await ensureStream(manager, {
    name: streams.traces,
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    max_bytes: limits.tracesBytesMax,
    max_age: nanos(limits.tracesKeptMs),
    num_replicas: limits.replicas,
    ...tracesOfEachEdge,
  })
  await limitEachSubject(manager, streams.traces, tracesOfEachEdge)
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
  await limitEvidence(manager)
  await ensureIngest(manager)
  const bucket = new Kvm(jetstream).create(buckets.desired, {
    history: 1,
    maxValueSize: messageBytesMax,
    replicas: limits.replicas,
  })
  return await explained(bucket, `the bucket ${buckets.desired}`, limits.replicas)
}

async function ensureStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  const there = await found(manager.streams.info(config.name))
  if (there) return
  // Another replica may have created it already. Adding the same stream again has no effect.
  await explained(manager.streams.add(config), `the stream ${config.name}`, config.num_replicas)
}

/** What an operator can do, by the code of JetStream. */
const remedies: Readonly<Record<number, (replicas: number) => string>> = {
  // A server without a cluster, or a cluster in which too few servers can take a copy.
  10_074: wantsFewerCopies,
  10_005: wantsFewerCopies,
  10_047: () =>
    'give JetStream more storage (max_file_store), or lower REPORTS_STREAM_BYTES_MAX and TRACES_STREAM_BYTES_MAX',
}

function wantsFewerCopies(replicas: number): string {
  return `NATS_REPLICAS is ${replicas}: set it to 1, or run ${replicas} servers as a cluster`
}

/** A refusal of JetStream names neither the stream nor a remedy. */
async function explained<T>(making: Promise<T>, what: string, replicas = 1): Promise<T> {
  try {
    return await making
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error
    const remedy = remedies[error.code]?.(replicas)
    const reason = `JetStream cannot make ${what} (${error.message})`
    throw new JetStreamApiError({
      ...error.apiError(),
      description: remedy === undefined ? reason : `${reason}. ${remedy}`,
    })
  }
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

/** For a stream that was made when the limit of a message was larger, so that two edges could fill it. */
async function limitEvidence(manager: JetStreamManager): Promise<void> {
  const { config } = await manager.streams.info(streams.evidence)
  if (config.max_msg_size === earlierEvidenceBytesMax)
    await manager.streams.update(streams.evidence, { ...config, max_msg_size: evidenceBytesMax })
}

async function ensureIngest(manager: JetStreamManager): Promise<void> {
  if (!(await found(manager.consumers.info(streams.reports, consumers.ingest)))) await addIngest(manager)
}

async function addIngest({ consumers: api }: ConsumerManager): Promise<void> {
  await api.add(streams.reports, {
    durable_name: consumers.ingest,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    deliver_policy: DeliverPolicy.All,
    max_deliver: -1,
    max_ack_pending: 10_000,
  })
}

/**
 * Recreates the consumer of ingest if it is stuck. A killed nats-server can leave acknowledged reports in the stream, which
 * count against the limit of their edge, or wait for the acknowledgement of a report that is gone. After that, everything
 * in the stream is delivered again, which is harmless. A purge would lose reports: nats-server 2.9 then forgets which
 * delivered messages are not acknowledged yet.
 * @param suspect what the previous call returned. A cluster may be late, so only what stays is stuck.
 * @returns the first report in the stream, if the consumer seems to be stuck
 */
export async function reviveIngest(
  manager: ConsumerManager,
  suspect: number | undefined,
): Promise<number | undefined> {
  const readStream = async () => (await manager.streams.info(streams.reports)).state
  const before = await readStream()
  if (before.messages === 0) return undefined
  const consumer = await manager.consumers.info(streams.reports, consumers.ingest)
  const after = await readStream()
  const acknowledged = consumer.ack_floor.stream_seq
  const isLeft = after.messages > 0 && after.first_seq <= acknowledged
  const isGone = consumer.num_ack_pending > 0 && before.first_seq > acknowledged + 1
  if (!isLeft && !isGone) return undefined
  if (after.first_seq !== suspect) return after.first_seq
  await manager.consumers.delete(streams.reports, consumers.ingest)
  await addIngest(manager)
  return undefined
}

/** The part of JetStream's API that this uses. */
interface ConsumerManager {
  streams: Pick<JetStreamManager['streams'], 'info'>
  consumers: Pick<JetStreamManager['consumers'], 'info' | 'add' | 'delete'>
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
