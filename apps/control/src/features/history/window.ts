/**
 * The time range of a history and its steps, and what is kept of it. Absolute times are used exactly; relative ones are
 * rounded to a whole step.
 */
import type { History } from '@imapfleet/api'
import { ServiceError } from '../../platform/errors.ts'
import { spreadMaxMs } from './increases.ts'

export interface Window {
  /** Milliseconds since 1970. `from` is included, `to` is not. */
  from: number
  to: number
  stepMs: number
  /** Number of steps. `to` can cut the last one short. */
  points: number
}

const pointsMax = 2_000
/** The number of steps that a chart shows, if no step was requested. */
const pointsAimed = 120

export const dayMs = 86_400_000
const units = { s: 1_000, m: 60_000, h: 3_600_000, d: dayMs, w: 604_800_000 } as const
const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400].map(
  (seconds) => seconds * 1000,
)

/**
 * How long after the end of a minute (an hour) the rollup waits for reports: until then counts of the next reports reach back
 * into it. Later ones make it due again.
 */
export const graceMs = { '1m': spreadMaxMs + 5_000, '1h': spreadMaxMs + 60_000 } as const
/** The rollup runs every few seconds, and has other minutes to do. */
const rollUpMaxMs = 10_000

export function parseWindow(
  asked: { from?: string | undefined; to?: string | undefined; step?: string | undefined },
  now: number,
  /** The shortest step for a history that begins at this time, if no step was requested. */
  finestStepMs: (from: number) => number = () => 1000,
): Window {
  const begin = parseTime('from', asked.from ?? '-1h', now)
  const end = parseTime('to', asked.to ?? 'now', now)
  if (begin.at >= end.at)
    throw new ServiceError('range_invalid', `from (${iso(begin.at)}) must be before to (${iso(end.at)}).`)
  const stepMs =
    asked.step === undefined ? stepFor(end.at - begin.at, finestStepMs(begin.at)) : parseStep(asked.step)
  const from = begin.isRelative ? startOf(begin.at, stepMs) : begin.at
  const window = windowOf(from, end.at, stepMs)
  if (window.points > pointsMax) {
    const finest = Math.ceil((end.at - begin.at) / (pointsMax - 1) / 1000)
    throw new ServiceError(
      'step_too_fine',
      `The answer would have ${window.points} points, more than ${pointsMax}: use a step of at least ${finest} s, or a shorter range.`,
    )
  }
  return window
}

const windowOf = (from: number, to: number, stepMs: number): Window => ({
  from,
  to,
  stepMs,
  points: Math.ceil((to - from) / stepMs),
})

/** The start of the interval of this length that contains a moment. */
export const startOf = (at: number, lengthMs: number): number => Math.floor(at / lengthMs) * lengthMs

/** The step that contains a moment, from 0. Outside the window it is negative, or not below `points`. */
export const stepOf = (window: Window, at: number): number => Math.floor((at - window.from) / window.stepMs)

function stepFor(rangeMs: number, leastMs: number): number {
  const least = Math.max(rangeMs / pointsAimed, leastMs)
  return steps.find((step) => step >= least) ?? Math.ceil(least / units.d) * units.d
}

function parseTime(name: string, text: string, now: number): { at: number; isRelative: boolean } {
  if (text === 'now') return { at: now, isRelative: false }
  if (text === 'rolled-up')
    return { at: startOf(now - graceMs['1m'] - rollUpMaxMs, units.m), isRelative: false }
  const ago = /^(?:now)?-(\d{1,9})([smhdw])$/.exec(text)
  const at = ago ? now - Number(ago[1]) * units[ago[2] as keyof typeof units] : parseDate(text)
  if (Number.isNaN(at) || at < 0)
    throw new ServiceError(
      'range_invalid',
      `${name} is not a time: ${text.slice(0, 60)}. Use now, -30m, -24h, -7d, rolled-up, or 2026-11-22T18:00:00Z.`,
    )
  return { at, isRelative: ago !== null }
}

const parseDate = (text: string): number => (/^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN)

function parseStep(text: string): number {
  const [, amount = '', unit = 's'] = /^(\d{1,9})([smhdw])?$/.exec(text) ?? []
  const stepMs = Number(amount) * units[unit as keyof typeof units]
  if (amount === '' || stepMs < 1000)
    throw new ServiceError(
      'range_invalid',
      `step is not a duration: ${text.slice(0, 60)}. Use 10s, 5m, 1h or 1d.`,
    )
  return stepMs
}

const iso = (at: number): string => new Date(at).toISOString()

/** How long figures are kept, in milliseconds. */
export interface Retention {
  /** Reports, and the rollups of regions per 10 s. */
  reports: number
  minutes: number
  hours: number
}

export function keptSince(kept: Retention, now: number): Retention {
  const since = (age: number) => startOf(now - age, dayMs)
  return { reports: since(kept.reports), minutes: since(kept.minutes), hours: since(kept.hours) }
}

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

/**
 * The window up to this moment, after which not all edges have reported. The last step can therefore be shorter. Its rates
 * cover the time until the end.
 */
export function settledPart(window: Window, settled: number): Window {
  const end = Math.max(window.from, startOf(settled, units.s))
  return window.to <= end ? window : windowOf(window.from, end, window.stepMs)
}
