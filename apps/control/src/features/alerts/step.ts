/**
 * The life of one alert: pending, open, resolved. Pure: judge.ts reads the observations and writes the results. A hold time
 * before each change of state keeps a condition that comes and goes from being sent each time.
 */
import type { AlertFinding } from './findings.ts'
import type { AlertRow } from './queries.ts'
import type { ChangeKind } from './content.ts'

/** `unknown`: the facts allow no statement. */
export type Observation = Pick<AlertFinding, 'text' | 'since'> | 'absent' | 'unknown'

export interface StepSettings {
  isEnabled: boolean
  holdMs: number
  clearMs: number
}

export interface StepMoment {
  now: Date
  /** The last run was too long ago: the condition was not observed in between, so hold times start again. */
  isAfterGap: boolean
}

/** `gone`: it was pending only, and its condition is over. */
export function stepAlert(
  alert: AlertRow,
  observed: Observation,
  settings: StepSettings,
  moment: StepMoment,
): AlertRow | 'gone' {
  const seen = settings.isEnabled ? observed : 'absent'
  return alert.state === 'pending'
    ? pendingStep(alert, seen, settings, moment)
    : openStep(alert, seen, settings.isEnabled ? settings.clearMs : 0, moment)
}

function pendingStep(
  alert: AlertRow,
  observed: Observation,
  { holdMs }: StepSettings,
  { now, isAfterGap }: StepMoment,
): AlertRow | 'gone' {
  if (observed === 'absent') return 'gone'
  if (observed === 'unknown') return { ...alert, since: now }
  const { text, since: knownSince } = observed
  const since = knownSince !== undefined ? new Date(knownSince) : isAfterGap ? now : alert.since
  const isHeld = now.getTime() - since.getTime() >= holdMs
  return { ...alert, text, since, ...(isHeld && { state: 'open', openedAt: now }) }
}

function openStep(
  alert: AlertRow,
  observed: Observation,
  clearMs: number,
  { now, isAfterGap }: StepMoment,
): AlertRow {
  if (observed === 'unknown') return { ...alert, clearSince: null }
  if (observed !== 'absent') return { ...alert, text: observed.text, clearSince: null }
  const clearSince = isAfterGap ? now : (alert.clearSince ?? now)
  const isCleared = now.getTime() - clearSince.getTime() >= clearMs
  return { ...alert, clearSince, ...(isCleared && { state: 'resolved', resolvedAt: now }) }
}

/**
 * The message to send about an alert, if any, and the new state of the alert. The resolution is sent if and only if the
 * opening was sent.
 */
export function tellAlert(
  alert: AlertRow,
  isSilenced: boolean,
  now: Date,
): { alert: AlertRow; change?: ChangeKind } {
  if (alert.state === 'resolved') return alert.toldAt === null ? { alert } : { alert, change: 'resolved' }
  if (alert.state === 'pending' || isSilenced) return { alert }
  if (alert.toldAt === null) return { alert: { ...alert, toldAt: now }, change: 'opened' }
  if (alert.ackUntil === null || alert.ackUntil > now) return { alert }
  return {
    alert: { ...alert, ackBy: null, ackAt: null, ackUntil: null, ackReason: null },
    change: 'reminded',
  }
}

interface SilenceMatch {
  rule: string | null
  region: string | null
  edge: string | null
  subject: string | null
}

/** What a silence leaves out matches every alert. */
export const matchesSilence = (
  silence: SilenceMatch,
  alert: Pick<AlertRow, 'rule' | 'region' | 'edge' | 'subject'>,
): boolean =>
  (silence.rule === null || silence.rule === alert.rule) &&
  (silence.region === null || silence.region === alert.region) &&
  (silence.edge === null || silence.edge === alert.edge) &&
  (silence.subject === null || silence.subject === alert.subject)
