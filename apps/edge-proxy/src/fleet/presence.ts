/** Builds the heartbeat of this edge: its state, its configuration and its problems. */
import { rightsVersion, wireVersion, type Presence } from '@imapfleet/protocol'
import type { EdgeSnapshot } from '../edge/snapshot.ts'
import { runtime } from '../runtime.ts'
import type { DesiredState } from './desired-state.ts'
import type { Sender } from './nats.ts'

export interface PresenceFacts extends Sender {
  /** 1 for the first heartbeat of this run. */
  sequence: number
  /** How long this run has lasted, in milliseconds. */
  uptimeMs: number
  heartbeatMs: number
  /** Why the state directory cannot be written. */
  unsaved: string | undefined
  /** Messages of this edge that NATS refuses, as sentences. */
  refused: readonly string[]
  /** The heartbeat contains counters. */
  isRegular: boolean
}

/** The time of a message, and of the start by the same clock, so that setting the clock changes both. */
export function timesOf(uptimeMs: number): { at: number; startedAt: number } {
  const at = runtime.wall()
  return { at, startedAt: Math.max(0, at - Math.round(uptimeMs)) }
}

export function presenceOf(
  edge: EdgeSnapshot,
  desired: DesiredState,
  { uptimeMs, unsaved, refused, isRegular, ...facts }: PresenceFacts,
): Presence {
  const { version, state, gauges, counters, histograms, problems, listeners } = edge
  const { applied, rejected, replaced, revocations, versions } = desired
  return {
    v: wireVersion,
    rights: rightsVersion,
    ...facts,
    ...timesOf(uptimeMs),
    version,
    state,
    desired: { version: desired.version, ...(replaced.length > 0 && { replaced }) },
    config: {
      applied,
      ...(versions && { versions }),
      ...(rejected && { rejected: { ...rejected, reason: storable(rejected.reason, 4_096) } }),
    },
    revocations,
    gauges,
    ...(isRegular && { counters, logins: histograms.login_seconds }),
    degraded: [...(unsaved === undefined ? [] : [unsaved]), ...refused, ...problems].map(shortened),
    ...(unsaved !== undefined && { unsaved: shortened(unsaved) }),
    listeners,
  }
}

/** Removes NUL and incomplete characters, because control refuses a heartbeat with text that it cannot store. */
const storable = (text: string, charactersMax: number): string =>
  text.replaceAll('\0', '').slice(0, charactersMax).toWellFormed()

const shortened = (problem: string): string => storable(problem, 500)
