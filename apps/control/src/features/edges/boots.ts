/**
 * The boots of one edge. Boots are ordered by the arrival of their first heartbeat, never by a clock. A boot that a later
 * one has replaced cannot become the shown boot again while the later one sends heartbeats. If both continue to send
 * heartbeats, two processes use the same edge id.
 */
import type { Presence } from '@imapfleet/protocol'
import type { ReplacedBoot } from './table.ts'

/** The known state of an edge when a heartbeat arrives that is not the next heartbeat of its boot. */
export interface KnownBoot {
  boot: string
  region: string
  sequence: number | null
  state: Presence['state']
  silent: boolean
  lastSeenAt: Date
  otherBoots: readonly ReplacedBoot[]
}

export type BootDecision =
  /** The heartbeat is the newest of this edge. */
  | { kind: 'take'; others: ReplacedBoot[] }
  /** It belongs to a replaced boot, which is still running. */
  | { kind: 'note'; others: ReplacedBoot[]; isSecondInstance: boolean }
  /** It is late, or the last one of a replaced boot. */
  | { kind: 'ignore' }

type Beat = Pick<Presence, 'boot' | 'region' | 'sequence' | 'heartbeatMs' | 'state'>

/** An edge that restarts more often is faulty. Older boots are forgotten. */
const othersMax = 8

/** A process that is being killed may have one heartbeat under way. */
const beatsOfInstance = 2

export const defaultHeartbeatMs = 5_000

/** @param now the clock of the database, in milliseconds since 1970 */
export function decideBoot(known: KnownBoot, beat: Beat, now: number): BootDecision {
  // It did not count as the next one of its boot: it is older, unless the edge has moved to another region.
  if (beat.boot === known.boot)
    return beat.region === known.region ? { kind: 'ignore' } : { kind: 'take', others: [...known.otherBoots] }
  const before = known.otherBoots.find(({ boot }) => boot === beat.boot)
  const rest = known.otherBoots.filter(({ boot }) => boot !== beat.boot)
  const isOver = known.silent || known.state === 'stopping'
  if (!before || (isOver && !isLate(before, beat))) {
    const replaced = {
      boot: known.boot,
      sequence: known.sequence,
      seenAt: known.lastSeenAt.getTime(),
      beats: 0,
    }
    return { kind: 'take', others: [replaced, ...rest].slice(0, othersMax) }
  }
  if (isLate(before, beat) || beat.state === 'stopping') return { kind: 'ignore' }
  // Heartbeats that arrive together were held up, and count once.
  const isLater = now - before.seenAt >= (beat.heartbeatMs ?? defaultHeartbeatMs) / 2
  const beats = before.beats + (isLater ? 1 : 0)
  return {
    kind: 'note',
    others: [
      { boot: beat.boot, sequence: beat.sequence ?? null, seenAt: isLater ? now : before.seenAt, beats },
      ...rest,
    ],
    isSecondInstance: isLater && beats === beatsOfInstance,
  }
}

const isLate = (before: ReplacedBoot, { sequence }: Beat): boolean =>
  sequence !== undefined && before.sequence !== null && sequence <= before.sequence

/** Boots besides the current one that are running. `since`: older heartbeats do not count; milliseconds since 1970. */
export const runningBeside = (others: readonly ReplacedBoot[], since: number): string[] =>
  others.filter(({ beats, seenAt }) => beats >= beatsOfInstance && seenAt >= since).map(({ boot }) => boot)
