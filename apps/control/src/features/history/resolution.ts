/** Chooses the rollup for a history: the coarsest one that divides its steps and is still kept. */
import type { History } from '@imapfleet/api'
import { ServiceError } from '../../platform/errors.ts'
import type { Retention } from './kept.ts'
import { startOf, windowOf, type Window } from './window.ts'

export type Resolution = History['resolution']

export const lengthMs = { '10s': 10_000, '1m': 60_000, '1h': 3_600_000 } as const

export interface Readable {
  resolution: Resolution
  window: Window
}

/** Times inside an interval of the rollup are moved outwards, but not beyond now. */
export function readable(window: Window, by: 'edge' | 'region', since: Retention, now: number): Readable {
  const resolution = resolutionFor(window.stepMs, by)
  const least = leastStepMs(window.from, since)
  if (window.stepMs < least || window.stepMs % least !== 0) throw tooOld(window, least)
  if (resolution === 'reports') return { resolution, window }
  const length = lengthMs[resolution]
  const end = Math.ceil(window.to / length) * length
  return {
    resolution,
    window: windowOf(startOf(window.from, length), end <= now ? end : window.to, window.stepMs),
  }
}

/** The shortest step for a history that begins here: older data is kept per minute or per hour only. */
export function leastStepMs(from: number, since: Retention): number {
  if (from < since.minutes) return lengthMs['1h']
  return from < since.reports ? lengthMs['1m'] : 1000
}

/** For single edges there is no rollup between reports and minutes. */
function resolutionFor(stepMs: number, by: 'edge' | 'region'): Resolution {
  if (stepMs % lengthMs['1h'] === 0) return '1h'
  if (stepMs % lengthMs['1m'] === 0) return '1m'
  return stepMs % lengthMs['10s'] === 0 && by === 'region' ? '10s' : 'reports'
}

function tooOld({ from }: Window, least: number): ServiceError {
  const unit = least === lengthMs['1h'] ? 'hour' : 'minute'
  return new ServiceError(
    'step_too_fine',
    `History at ${new Date(from).toISOString()} is kept per ${unit} only: use a step of 1${unit[0]} or a multiple of it.`,
  )
}
