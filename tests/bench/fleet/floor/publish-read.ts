/**
 * The floor of a configuration change: entries are published to JetStream, every client is notified, reads its entry and
 * acknowledges it.
 */
import { encode, type EdgeAddress } from '@imapfleet/protocol'
import { jetstream } from '@nats-io/jetstream'
import type { BenchPlane } from '../plane.ts'
import { floorSubjects } from './subjects.ts'

interface PublishReadOptions {
  clients: readonly EdgeAddress[]
  /** Number of this repetition. */
  round: number
  /** One entry for all clients instead of one for each. */
  isShared: boolean
  /** Size of an entry. */
  bytes: number
}

/** Milliseconds until the last acknowledgement. */
export async function publishAndRead(
  { connection }: BenchPlane,
  { clients, round, isShared, bytes }: PublishReadOptions,
): Promise<number> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  let left = clients.length
  const subscription = connection.subscribe(floorSubjects.acknowledgedByAll(round), {
    callback: () => {
      left -= 1
      if (left === 0) resolve()
    },
  })
  const entry = encode({ version: round, padding: 'x'.repeat(Math.max(0, bytes - 40)) })
  const stream = jetstream(connection, { timeout: 20_000 })
  const began = performance.now()
  const addresses = isShared ? [floorSubjects.sharedEntry] : clients.map(floorSubjects.entry)
  await Promise.all(addresses.map(async (subject) => await stream.publish(subject, entry)))
  connection.publish(floorSubjects.changed, encode({ round, isShared }))
  await over
  const ms = performance.now() - began
  subscription.unsubscribe()
  return ms
}
