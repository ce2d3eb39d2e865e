/** Open alerts for the top of the overview: what many edges of a region have is one line. */
import type { AlertView } from '@imapfleet/api'
import { isMuted } from './alert-words.ts'

/** One line: its first alert, and others of the same rule and region. */
export interface AlertLine {
  first: AlertView
  others: readonly AlertView[]
}

const linesMax = 5
/** With more edges than this, a rule becomes one line for each region. */
const namedMax = 2

/** Neither acknowledged nor silenced, pages before tickets, then the newest first. */
export function alertLines(alerts: readonly AlertView[]): AlertLine[] {
  const sorted = alerts
    .filter((alert) => !isMuted(alert))
    .toSorted((a, b) => Number(a.severity === 'ticket') - Number(b.severity === 'ticket') || b.id - a.id)
  const alike = Map.groupBy(sorted, ({ rule, region, edge, id }) =>
    edge === null ? `alert ${id}` : `${rule} ${region}`,
  )
  return [...alike.values()]
    .flatMap((same): AlertLine[] => {
      if (same.length <= namedMax) return same.map(lineOf)
      // The start time is that of the oldest alert.
      const [first, ...others] = same.toSorted((a, b) => a.since.localeCompare(b.since) || a.id - b.id)
      return first ? [{ first, others }] : []
    })
    .slice(0, linesMax)
}

/** A line of this alert alone. */
export const lineOf = (first: AlertView): AlertLine => ({ first, others: [] })

export const alertsIn = (lines: readonly AlertLine[]): AlertView[] =>
  lines.flatMap(({ first, others }) => [first, ...others])
