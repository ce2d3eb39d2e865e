/** The copy of each edge's desired state in the KV bucket. A newer version is never overwritten by an older one. */
import { isDeepStrictEqual } from 'node:util'
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream'
import {
  decode,
  desiredKey,
  desiredSchema,
  encode,
  subjects,
  wireVersion,
  type Desired,
  type DesiredChanged,
  type EdgeAddress,
} from '@imapfleet/protocol'
import type { Bus } from './bus.ts'

/** `same`: the entry said this already. `newer`: another replica has written a later version. */
export type Put = { kind: 'written' } | { kind: 'same' } | { kind: 'newer'; version: number }

const attempts = 5

/** Writes one edge's entry unless it stands there already. */
export async function putDesired(bus: Bus, address: EdgeAddress, desired: Desired): Promise<Put> {
  const { desired: bucket } = bus.link()
  const key = desiredKey(address)
  for (let attempt = 1; ; attempt++) {
    const entry = await bucket.get(key)
    const stored = entry?.operation === 'PUT' ? decode(desiredSchema, entry.value) : undefined
    // An entry that cannot be read is one of a stranger: replaced.
    if (stored?.ok) {
      if (stored.value.version > desired.version) return { kind: 'newer', version: stored.value.version }
      if (isDeepStrictEqual({ ...stored.value, version: 0 }, { ...desired, version: 0 }))
        return { kind: 'same' }
    }
    try {
      // 0: only if there is no entry.
      await bucket.put(key, encode(desired), { previousSeq: entry?.revision ?? 0 })
      return { kind: 'written' }
    } catch (error) {
      if (!isLostRace(error) || attempt === attempts) throw error
    }
  }
}

/** Tells the edges to read their entry again. */
export function announceDesired(bus: Bus, version: number): void {
  const message: DesiredChanged = { v: wireVersion, version }
  bus.link().nats.publish(subjects.desiredChanged, encode(message))
}

const isLostRace = (error: unknown): boolean =>
  error instanceof JetStreamApiError &&
  (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
    error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
