/** The streams of the floors, stored in the same way as the streams of control, which must exist. */
import { streams } from '@imapfleet/protocol'
import { AckPolicy, StorageType } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import type { BenchPlane } from '../plane.ts'
import { floorConsumer, floorStreams, floorSubjects } from './subjects.ts'

export async function addFloorStreams({ streams: manager }: Pick<BenchPlane, 'streams'>): Promise<void> {
  await manager.streams.add({
    name: floorStreams.entries,
    subjects: [floorSubjects.entriesOfAll],
    storage: StorageType.File,
    max_msgs_per_subject: 1,
    allow_direct: true,
  })
  // With all limits of the real one: nats-server works more for each message of a stream that bounds its subjects.
  const { config } = await manager.streams.info(streams.reports)
  await manager.streams.add({
    ...config,
    name: floorStreams.reports,
    subjects: [floorSubjects.reportsOfAll],
  })
  await manager.consumers.add(floorStreams.reports, {
    durable_name: floorConsumer,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(10_000),
    max_ack_pending: 10_000,
  })
}
