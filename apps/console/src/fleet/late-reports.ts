/** Whether the newest reports are old, or missing. Charts end with the newest report, and would show old figures as current. */
import { isHeard, type EdgeView, type History } from '@imapfleet/api'

/** Edges report every ten seconds, unless they are configured otherwise. */
const lateMs = 180_000
const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** `range`: what was asked for, such as `-1h`. The clock of the browser does not matter: control began the answer that long ago. */
export function areReportsLate({ from, to }: Pick<History, 'from' | 'to'>, range: string): boolean {
  const [, count, unit] = /^-(\d+)([smhdw])$/.exec(range) ?? []
  if (unit === undefined) return false
  const now = Date.parse(from) + Number(count) * unitMs[unit as keyof typeof unitMs]
  return now - Date.parse(to) > lateMs
}

/** An edge sends its first report within this time. */
const firstReportMs = 60_000

type StartedEdge = Pick<EdgeView, 'state' | 'startedAt' | 'clockSkewMs' | 'forgottenAt'>

/** Whether reports are missing only because an edge has just started. */
export const areFirstReportsDue = (edges: readonly StartedEdge[], now: Date): boolean =>
  edges.some(({ state, startedAt, clockSkewMs, forgottenAt }) => {
    const ageMs = now.getTime() - (Date.parse(startedAt) - (clockSkewMs ?? 0))
    return isHeard({ state }) && forgottenAt === undefined && ageMs < firstReportMs
  })
