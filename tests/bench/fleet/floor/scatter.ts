/** The floor of an order: one message to all clients, and one answer of each. */
import { randomUUID } from 'node:crypto'
import { encode } from '@imapfleet/protocol'
import type { BenchPlane } from '../plane.ts'
import { floorSubjects } from './subjects.ts'

/** Milliseconds until the last answer. */
export async function scatter({ connection }: BenchPlane, clients: number): Promise<number> {
  const id = randomUUID()
  const { promise: over, resolve } = Promise.withResolvers<void>()
  let left = clients
  const subscription = connection.subscribe(floorSubjects.answersTo(id), {
    callback: () => {
      left -= 1
      if (left === 0) resolve()
    },
  })
  const began = performance.now()
  connection.publish(floorSubjects.ask, encode({ id, at: Date.now(), action: { kind: 'version' } }))
  await over
  const ms = performance.now() - began
  subscription.unsubscribe()
  return ms
}
