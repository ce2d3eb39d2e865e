/** Sessions and reuse of edges over time, and sums over several edges. */
import type { History } from '@imapfleet/api'

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

/** By group, from a history of `trafficMetrics`. */
export function trafficOf(history: History | undefined): Map<string, Traffic> {
  return new Map(
    history?.groups.map(({ group, values: [sessions = [], logins = [], reuses = [], idle = []] }) => [
      group,
      { sessions, logins, reuses, idle },
    ]),
  )
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

/** The last value, if one of the last two steps has one: the last step is incomplete. */
export const currentOf = (series: StepValues): number | null => series.at(-1) ?? series.at(-2) ?? null

/** For each step, in percent. */
export const ratioOf = ({ reuses, logins }: Pick<Traffic, 'reuses' | 'logins'>): StepValues =>
  logins.map((all, step) => {
    const part = reuses[step]
    return all === null || all === 0 || part === null || part === undefined ? null : (part / all) * 100
  })

/** Without the last step, which is incomplete and would look like a fall. */
export const finishedOf = (series: StepValues): StepValues => series.slice(0, -1)
