/**
 * The state of a rollout, and the next step. Pure: the same facts give the same decision on every replica, so any
 * replica can take the step. Only time in which control heard the edges counts, for limits and for the soak.
 */
import type { RolloutSettings } from '@imapfleet/api'
import type { Wave } from './waves.ts'

export interface RolloutProgress {
  waves: readonly Wave[]
  /** Index of the last wave that has the revision. */
  wave: number
  waveStartedAt: number
  /** When all edges of the wave had applied it. */
  settledAt: number | undefined
  /** Edges that were silent when their wave started, or were forgotten since. The rollout does not wait for them. */
  skipped: readonly string[]
  settings: Pick<RolloutSettings, 'soakSeconds' | 'silenceSeconds'>
}

/** The time in which control has heard edges without a gap. Milliseconds since 1970. */
export interface HeardTime {
  since: number
  until: number
}

export interface EdgeStanding {
  /** `silent`: it has not applied the revision, and three heartbeats are missing. */
  status: 'applied' | 'pending' | 'rejected' | 'silent'
  /** Why it refused the revision. */
  reason: string | null
  silent: boolean
  silentMs: number
}

export type Decision =
  /** `soaking`: all edges have applied it, and their health is observed. */
  | { kind: 'wait'; soaking: boolean }
  | { kind: 'settle' }
  /** The soak time is over: if the edges are healthy, the next wave starts, or the rollout is complete. */
  | { kind: 'advance' }
  | { kind: 'roll-back'; reason: string }

export function assess(
  progress: RolloutProgress,
  edges: ReadonlyMap<string, EdgeStanding>,
  hearing: HeardTime,
): Decision {
  const { waves, wave, settings } = progress
  const skipped = new Set(progress.skipped)
  const reached = waves.slice(0, wave + 1).flatMap((each) => each.edges)
  const watched = reached.flatMap((id) => {
    const standing = edges.get(id)
    return standing && !skipped.has(id) ? [{ id, standing }] : []
  })
  const silenceMs = settings.silenceSeconds * 1000

  for (const { id, standing } of watched) {
    const trouble = troubleOf(progress, standing, silenceMs, hearing)
    if (trouble !== undefined) return { kind: 'roll-back', reason: `${id} ${trouble}` }
  }
  if (watched.some(({ standing }) => standing.status !== 'applied')) return { kind: 'wait', soaking: false }
  if (progress.settledAt === undefined) return { kind: 'settle' }
  const isSoaked = heardMs(hearing, progress.settledAt) >= settings.soakSeconds * 1000
  return isSoaked ? { kind: 'advance' } : { kind: 'wait', soaking: true }
}

/** What the wave waits for, in milliseconds of hearing: the end of the soak time, or the time in which edges must apply. */
export function timeLeft(
  { settledAt, waveStartedAt, settings }: Pick<RolloutProgress, 'settledAt' | 'waveStartedAt' | 'settings'>,
  hearing: HeardTime,
): { for: 'apply' | 'soak'; ms: number } {
  const [from, seconds] =
    settledAt === undefined ? [waveStartedAt, settings.silenceSeconds] : [settledAt, settings.soakSeconds]
  return {
    for: settledAt === undefined ? 'apply' : 'soak',
    ms: Math.max(0, seconds * 1000 - heardMs(hearing, from)),
  }
}

/** How much of the time since then control has heard; after a gap it counts from its end. */
const heardMs = ({ since, until }: HeardTime, from: number): number =>
  Math.max(0, until - Math.max(from, since))

function troubleOf(
  progress: RolloutProgress,
  standing: EdgeStanding,
  silenceMs: number,
  hearing: HeardTime,
): string | undefined {
  const { waveStartedAt } = progress
  const limit = `${silenceMs / 1000} s`
  if (standing.status === 'rejected') return `refused it: ${standing.reason ?? 'no reason given'}`
  if (standing.silent && standing.silentMs > silenceMs) return `has been silent for ${limit}`
  if (standing.status !== 'applied' && heardMs(hearing, waveStartedAt) > silenceMs)
    return `did not apply it within ${limit}`
  return undefined
}
