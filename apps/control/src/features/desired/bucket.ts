/** The copy of each edge's desired state in the KV bucket. An older version never overwrites a newer one of this database. */
import { isDeepStrictEqual } from 'node:util'
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream'
import {
  desiredKey,
  encode,
  namedEdgesMax,
  subjects,
  wireVersion,
  type Desired,
  type DesiredChanged,
  type EdgeAddress,
} from '@imapfleet/protocol'
import type { Bus } from '../../platform/nats/bus.ts'
import { parseEntry, type Entry } from './entries.ts'
import { allEntries, noteWritten } from './known-entries.ts'

export interface DesiredEntry {
  address: EdgeAddress
  desired: Desired
  /** An entry with the same content is kept only from this version on. */
  versionMin: number
}

/** The versions that this database has issued. */
export interface IssuedVersions {
  /** The versions among the given ones that it has issued. */
  own: (versions: readonly number[]) => Promise<ReadonlySet<number>>
  /** Nothing is known of versions below. */
  since: number
}

export interface PutResult {
  /** The edges whose entries were changed. */
  written: string[]
  /** Another database wrote some entries. They are kept until their revocations are recovered. */
  hasForeign: boolean
  /** Why some entries could not be written. */
  failure: Error | undefined
}

/** An entry, compared with the desired state; its version is 0 if there is none. `place`: as in an entry, or 0. */
interface Found {
  version: number
  hasContent: boolean
  place: number
}

type Comparison = 'same' | 'newer' | 'foreign' | 'other'

/** Writes in progress at the same time. */
const together = 500
/**
 * If many entries are needed, reading the whole bucket in one stream is faster than one request for each entry. If few are
 * needed, single requests are cheaper: when the edges of a large fleet restart one after the other, each start would
 * otherwise read all entries.
 */
const scanFrom = 20
const scanShareMin = 0.1

/** @param total the number of edges, and so of entries */
export const isScanned = (wanted: number, total: number): boolean =>
  wanted >= scanFrom && wanted >= total * scanShareMin
const attempts = 5

/**
 * Writes the entries that differ. Throws if none of a whole batch could be written.
 * @param recovered entries of another database up to this place are overwritten
 * @param total the number of edges of the fleet
 */
export async function putDesired(
  bus: Bus,
  wanted: readonly DesiredEntry[],
  history: IssuedVersions,
  { recovered, total }: { recovered: number; total: number },
): Promise<PutResult> {
  const found = isScanned(wanted.length, total) ? await scan(bus, wanted) : new Map<string, Found>()
  const result: PutResult = { written: [], hasForeign: false, failure: undefined }
  const written: Entry[] = []
  // Most entries of a fleet have the same version.
  const [asked, own] = [new Set<number>(), new Set<number>()]
  for (let from = 0; from < wanted.length; from += together) {
    const batch = wanted.slice(from, from + together)
    const looks = await Promise.allSettled(
      batch.map(async (each) => found.get(desiredKey(each.address)) ?? (await look(bus, each))),
    )
    const versions = looks.flatMap((each) => (each.status === 'fulfilled' ? each.value.version : []))
    const unasked = [...new Set(versions)].filter((version) => !asked.has(version))
    for (const version of unasked) asked.add(version)
    if (unasked.length > 0) for (const version of await history.own(unasked)) own.add(version)
    const puts = await Promise.allSettled(
      batch.map(async (each, index) => {
        const looked = looks[index]!
        if (looked.status === 'rejected') throw looked.reason as Error
        const { value } = looked
        return await putOne(bus, each, value, own.has(value.version), history, recovered)
      }),
    )
    for (const [index, put] of puts.entries())
      if (put.status === 'rejected') result.failure ??= put.reason as Error
      else if (typeof put.value === 'object') {
        result.written.push(batch[index]!.address.edge)
        written.push(put.value)
      } else if (put.value === 'foreign') result.hasForeign = true
    // A single entry can fail alone. If no entry succeeds, the next batch would fail too.
    if (result.failure && puts.every(({ status }) => status === 'rejected')) throw result.failure
  }
  noteWritten(bus, written)
  return result
}

/** Tells edges to read their entry again. @param edges undefined: all. If there are many, all edges are notified too */
export function announceDesired(bus: Bus, version: number, edges?: readonly string[]): void {
  const few = edges && edges.length <= namedEdgesMax ? { edges: [...edges] } : {}
  const message: DesiredChanged = { v: wireVersion, version, at: Date.now(), ...few }
  bus.link().nats.publish(subjects.desiredChanged, encode(message))
}

/** Returns what was found, the same or something to keep, or the entry that has replaced it. */
async function putOne(
  bus: Bus,
  wanted: DesiredEntry,
  first: Found,
  isFirstOwn: boolean,
  history: IssuedVersions,
  recovered: number,
): Promise<Exclude<Comparison, 'other'> | Entry> {
  let [found, isOwn] = [first, isFirstOwn]
  for (let attempt = 1; ; attempt++) {
    const comparison = compare(
      found,
      wanted,
      isOwn,
      found.version < history.since || found.place <= recovered,
    )
    if (comparison !== 'other') return comparison
    try {
      const { desired } = wanted
      const { desired: bucket } = bus.link()
      const key = desiredKey(wanted.address)
      const data = encode(desired)
      return {
        key,
        desired,
        place: await bucket.put(key, data, { previousSeq: found.place }),
        bytes: data.length,
      }
    } catch (error) {
      if (!isLostRace(error) || attempt === attempts) throw error
      found = await look(bus, wanted)
      isOwn = (await history.own([found.version])).has(found.version)
    }
  }
}

/** `isNothing`: an entry of another history may be overwritten. A missing or unreadable one has the version 0. */
function compare(
  { version, hasContent }: Found,
  { desired, versionMin }: DesiredEntry,
  isOwn: boolean,
  isNothing: boolean,
): Comparison {
  if (!isOwn) return isNothing ? 'other' : 'foreign'
  if (version > desired.version) return 'newer'
  // An edge can claim a version that no change will reach. Its entry is then written with each change only.
  return hasContent && version >= Math.min(versionMin, desired.version) ? 'same' : 'other'
}

async function scan(bus: Bus, wanted: readonly DesiredEntry[]): Promise<Map<string, Found>> {
  const byKey = new Map(wanted.map(({ address, desired }) => [desiredKey(address), desired]))
  const found = new Map([...byKey.keys()].map((key) => [key, foundIn(undefined, undefined)]))
  for await (const entry of allEntries(bus)) {
    const desired = byKey.get(entry.key)
    if (desired) found.set(entry.key, foundIn(entry, desired))
  }
  return found
}

async function look(bus: Bus, { address, desired }: DesiredEntry): Promise<Found> {
  const entry = await bus.link().desired.get(desiredKey(address))
  const data = entry?.operation === 'PUT' ? entry.value : undefined
  return foundIn(entry ? { desired: parseEntry(data), place: entry.revision } : undefined, desired)
}

function foundIn(entry: Pick<Entry, 'desired' | 'place'> | undefined, desired: Desired | undefined): Found {
  const stored = entry?.desired
  return {
    version: stored?.version ?? 0,
    hasContent: isDeepStrictEqual({ ...stored, version: 0 }, { ...desired, version: 0 }),
    place: entry?.place ?? 0,
  }
}

const isLostRace = (error: unknown): boolean =>
  error instanceof JetStreamApiError &&
  (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
    error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
