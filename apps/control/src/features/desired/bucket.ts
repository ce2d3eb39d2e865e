/** The copy of each edge's desired state in the KV bucket. An older version never overwrites a newer one. */
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
import type { Bus } from '../../platform/nats/bus.ts'
import { eachEntry, type Entry } from './entries.ts'

export interface WantedState {
  address: EdgeAddress
  desired: Desired
}

export interface PutResult {
  /** At least one entry was changed. */
  written: boolean
  /** The newest version that another replica has written already; 0: none. */
  newest: number
  /** Why some entries could not be written. */
  failure: Error | undefined
}

/** Compares an entry with the desired state. `place` is its revision in the bucket, 0 if there is none. */
interface Standing {
  kind: 'same' | 'newer' | 'other'
  version: number
  place: number
}

/** Writes in progress at the same time. */
const together = 200
/**
 * From this number of edges on, the whole bucket is read in one stream, which is faster than one request for each
 * entry.
 */
const scanFrom = 20
const attempts = 5

/** Writes the entries that differ. Throws if none of a whole batch could be written. */
export async function putDesired(bus: Bus, wanted: readonly WantedState[]): Promise<PutResult> {
  const standings = wanted.length < scanFrom ? new Map<string, Standing>() : await scan(bus, wanted)
  const result: PutResult = { written: false, newest: 0, failure: undefined }
  for (let from = 0; from < wanted.length; from += together) {
    const tries = await Promise.allSettled(
      wanted.slice(from, from + together).map(async (each) => {
        const standing = standings.get(desiredKey(each.address)) ?? (await look(bus, each))
        return await putOne(bus, each, standing)
      }),
    )
    for (const put of tries)
      if (put.status === 'rejected') result.failure ??= put.reason as Error
      else if (put.value.kind === 'other') result.written = true
      else if (put.value.kind === 'newer') result.newest = Math.max(result.newest, put.value.version)
    // A single entry can have an error of its own. If none succeeds, the next batch would not either.
    if (result.failure && tries.every(({ status }) => status === 'rejected')) throw result.failure
  }
  return result
}

/** Tells the edges to read their entry again. */
export function announceDesired(bus: Bus, version: number): void {
  const message: DesiredChanged = { v: wireVersion, version, at: Date.now() }
  bus.link().nats.publish(subjects.desiredChanged, encode(message))
}

/** Returns the state before: equal, newer, or replaced. */
async function putOne(bus: Bus, wanted: WantedState, found: Standing): Promise<Standing> {
  for (let standing = found, attempt = 1; ; attempt++) {
    if (standing.kind !== 'other') return standing
    try {
      const { desired: bucket } = bus.link()
      await bucket.put(desiredKey(wanted.address), encode(wanted.desired), { previousSeq: standing.place })
      return standing
    } catch (error) {
      if (!isLostRace(error) || attempt === attempts) throw error
      standing = await look(bus, wanted)
    }
  }
}

async function scan(bus: Bus, wanted: readonly WantedState[]): Promise<Map<string, Standing>> {
  const byKey = new Map(wanted.map(({ address, desired }) => [desiredKey(address), desired]))
  const standings = new Map([...byKey.keys()].map((key) => [key, standingOf(undefined, undefined)]))
  // Compared one by one, so that a thousand large entries are not in memory at the same time.
  for await (const entry of eachEntry(bus)) {
    const desired = byKey.get(entry.key)
    if (desired) standings.set(entry.key, standingOf(entry, desired))
  }
  return standings
}

async function look(bus: Bus, { address, desired }: WantedState): Promise<Standing> {
  const entry = await bus.link().desired.get(desiredKey(address))
  const data = entry?.operation === 'PUT' ? entry.value : undefined
  return standingOf(entry ? { key: entry.key, data, place: entry.revision } : undefined, desired)
}

function standingOf(entry: Entry | undefined, desired: Desired | undefined): Standing {
  const place = entry?.place ?? 0
  const stored = entry?.data && decode(desiredSchema, entry.data)
  // An entry that cannot be parsed is replaced.
  if (!stored?.ok || !desired) return { kind: 'other', version: 0, place }
  const { version } = stored.value
  if (version > desired.version) return { kind: 'newer', version, place }
  const isSame = isDeepStrictEqual({ ...stored.value, version: 0 }, { ...desired, version: 0 })
  return { kind: isSame ? 'same' : 'other', version, place }
}

const isLostRace = (error: unknown): boolean =>
  error instanceof JetStreamApiError &&
  (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
    error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
