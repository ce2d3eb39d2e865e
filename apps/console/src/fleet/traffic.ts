/** Sessions and reuse of edges over time, and sums over several edges. */
import type { History } from '@imapfleet/api'
import { countOf, loading, rateOf, shareOf } from '../format/number.ts'

/** One value for each step; null if nothing was reported. */
export type StepValues = readonly (number | null)[]

export interface Traffic {
  /** Per second. */
  sessions: StepValues
  logins: StepValues
  /** Logins that reused a connection: the mail server did not see them. */
  reuses: StepValues
  /** Idle connections. */
  idle: StepValues
}

export const trafficMetrics = [
  'sessions_total:rate',
  'logins_total{result="ok"}',
  'upstream_reuses_total',
  'upstreams_idle',
]

/** By group, from a history of `trafficMetrics`; undefined while it is loading. */
export function trafficOf(history: History | undefined): Map<string, Traffic> | undefined {
  if (!history) return undefined
  return new Map(
    history.groups.map(({ group, values }) => {
      const [sessions = [], logins = [], reuses = [], idle = []] = values.map((series) =>
        finishedOf(series, history),
      )
      return [group, { sessions, logins, reuses, idle }]
    }),
  )
}

/** Without a last step that the end of the history cuts short, unless it is the only one: it would look like a fall. */
export function finishedOf(
  series: StepValues,
  { from, to, stepSeconds }: Pick<History, 'from' | 'to' | 'stepSeconds'>,
): StepValues {
  const whole = Math.floor((Date.parse(to) - Date.parse(from)) / (stepSeconds * 1000))
  return series.slice(0, Math.max(1, whole))
}

export const noTraffic: Traffic = { sessions: [], logins: [], reuses: [], idle: [] }

export function together(all: readonly Traffic[]): Traffic {
  const sum = (of: (traffic: Traffic) => StepValues) => sumByStep(all.map(of))
  return {
    sessions: sum(({ sessions }) => sessions),
    logins: sum(({ logins }) => logins),
    reuses: sum(({ reuses }) => reuses),
    idle: sum(({ idle }) => idle),
  }
}

/** By step; null only if no edge has a value. */
export function sumByStep(all: readonly StepValues[]): StepValues {
  const length = Math.max(0, ...all.map((series) => series.length))
  return Array.from({ length }, (_, step) => {
    const values = all.map((series) => series[step]).filter((value) => typeof value === 'number')
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0)
  })
}

/** Null if nothing was reported at all. */
export function totalOf(series: StepValues): number | null {
  const values = series.filter((value) => value !== null)
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0)
}

/** The value of the last step; null if nothing was reported in it. */
export const currentOf = (series: StepValues): number | null => series.at(-1) ?? null

export const sessionRate = ({ sessions }: Traffic): string => rateOf(currentOf(sessions))
export const reuseShare = ({ reuses, logins }: Traffic): string => shareOf(totalOf(reuses), totalOf(logins))
export const loginsAvoided = ({ reuses }: Traffic): string => countOf(totalOf(reuses))

export const trafficText = (traffic: Traffic | undefined, text: (traffic: Traffic) => string): string =>
  traffic === undefined ? loading : text(traffic)

/** For each step, in percent. */
export const ratioOf = ({ reuses, logins }: Pick<Traffic, 'reuses' | 'logins'>): StepValues =>
  logins.map((all, step) => {
    const part = reuses[step]
    return all === null || all === 0 || part === null || part === undefined ? null : (part / all) * 100
  })
