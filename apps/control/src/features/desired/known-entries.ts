/**
 * The entries of the bucket as this process last read or wrote them, so that a change of a large fleet does not read all
 * of them first. They are used only if the bucket shows that it has not changed since
 * (docs/adr/0053-entries-of-the-bucket-are-remembered.md).
 */
import { isDeepStrictEqual } from 'node:util'
import { desiredBucket } from '@imapfleet/protocol'
import type { Bus } from '../../platform/nats/bus.ts'
import { eachEntry, type Entry } from './entries.ts'

interface Known {
  mark: Mark
  entries: Map<string, Entry>
  /** Of all entries. */
  bytes: number
}

interface Mark {
  connects: number
  created: string
  lastPlace: number
  messages: number
}

/** Larger buckets are read each time: revocations can make each entry large. */
const bytesMax = 32 << 20

const known = new WeakMap<Bus, Known>()

/** Changes with every write and removal of an entry, when the bucket is created again, and with the connection. */
export async function markOfBucket(bus: Bus): Promise<Mark> {
  const { connects } = bus
  const { created, state } = await bus.link().manager.streams.info(desiredBucket.stream)
  return { connects, created, lastPlace: state.last_seq, messages: state.messages }
}

/** All entries, one by one, so that a large bucket is not in memory as a whole. */
export async function* allEntries(bus: Bus): AsyncGenerator<Entry, void> {
  // Before the entries are read, so that a write meanwhile makes the next call read them again.
  const mark = await markOfBucket(bus)
  const kept = known.get(bus)
  if (kept && isDeepStrictEqual(kept.mark, mark)) return yield* kept.entries.values()
  known.delete(bus)
  const entries = new Map<string, Entry>()
  let bytes = 0
  for await (const entry of eachEntry(bus)) {
    bytes += entry.bytes - (entries.get(entry.key)?.bytes ?? 0)
    if (bytes <= bytesMax) entries.set(entry.key, entry)
    else entries.clear()
    yield entry
  }
  if (bytes <= bytesMax) known.set(bus, { mark, entries, bytes })
}

/** Entries that this process has written, at most one for each key. */
export function noteWritten(bus: Bus, written: readonly Entry[]): void {
  const kept = known.get(bus)
  if (!kept || written.length === 0) return
  const lastPlace = written.reduce((last, { place }) => Math.max(last, place), 0)
  // Another writer has used a place in between.
  if (lastPlace !== kept.mark.lastPlace + written.length) return void known.delete(bus)
  for (const entry of written) {
    kept.bytes += entry.bytes - (kept.entries.get(entry.key)?.bytes ?? 0)
    kept.entries.set(entry.key, entry)
  }
  kept.mark = { ...kept.mark, lastPlace, messages: kept.entries.size }
  if (kept.bytes > bytesMax) known.delete(bus)
}
