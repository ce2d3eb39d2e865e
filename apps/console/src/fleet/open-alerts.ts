/** Open alerts as a few lines: what many edges of a region have, or one edge has many times, is one line. */
import type { AlertView } from '@imapfleet/api'
import { amountOf } from '../format/number.ts'
import { isMuted } from './alert-words.ts'

/** One line: its first alert, and others of the same rule and region. */
export interface AlertLine {
  first: AlertView
  others: readonly AlertView[]
}

const linesMax = 5
/** With more edges than this, a rule becomes one line for each region; with more alerts, one for each edge. */
const namedMax = 2

/** Neither acknowledged nor silenced, pages before tickets, then the newest first. */
export const alertLines = (alerts: readonly AlertView[]): AlertLine[] =>
  linesOf(alerts.filter((alert) => !isMuted(alert)))

/** Acknowledged or silenced, in the same order. All alerts of a line are muted by the same acknowledgement or silence. */
export const mutedLines = (alerts: readonly AlertView[]): AlertLine[] => linesOf(alerts.filter(isMuted))

function linesOf(alerts: readonly AlertView[]): AlertLine[] {
  const sorted = alerts.toSorted(
    (a, b) => Number(a.severity === 'ticket') - Number(b.severity === 'ticket') || b.id - a.id,
  )
  const ofRegions = Map.groupBy(sorted, (alert) =>
    JSON.stringify(alert.edge === null ? alert.id : [alert.rule, alert.region, muteOf(alert)]),
  )
  return [...ofRegions.values()]
    .flatMap((alike) => {
      if (edgesOf(alike).size > namedMax) return lineOf(alike)
      const ofEdges = Map.groupBy(alike, ({ edge }) => edge)
      return [...ofEdges.values()].flatMap((same) =>
        same.length > namedMax ? lineOf(same) : same.flatMap((alert) => lineOf([alert])),
      )
    })
    .slice(0, linesMax)
}

const muteOf = ({ acknowledged, silencedBy }: AlertView) =>
  acknowledged ? [acknowledged.by, acknowledged.until, acknowledged.reason] : silencedBy

const edgesOf = (alerts: readonly AlertView[]) => new Set(alerts.map(({ edge }) => edge))

/** The start time of a line is that of its oldest alert. */
function lineOf(alerts: readonly AlertView[]): AlertLine[] {
  const [first, ...others] = alerts.toSorted((a, b) => a.since.localeCompare(b.since) || a.id - b.id)
  return first ? [{ first, others }] : []
}

export const alertsIn = (lines: readonly AlertLine[]): AlertView[] =>
  lines.flatMap(({ first, others }) => [first, ...others])

/** `at 3 edges of eu`, `at eu-1 (620 alerts)`. Empty: the line has one alert, whose text names the edge. */
export function extentOf(line: AlertLine): string {
  const { first, others } = line
  if (others.length === 0) return ''
  const [edges, alerts] = [edgesOf(alertsIn([line])).size, others.length + 1]
  const place = edges === 1 ? first.edge : `${amountOf(edges, 'edge')} of ${first.region}`
  return `at ${place}${alerts > edges ? ` (${amountOf(alerts, 'alert')})` : ''}`
}

/**
 * How many alerts are open: `5 open alerts`, and how many of them are muted: `, 2 acknowledged or silenced`.
 * `isWhole`: there are no others.
 */
export function countWords(alerts: readonly AlertView[], isWhole: boolean): { count: string; muted: string } {
  if (!isWhole) return { count: `More than ${amountOf(alerts.length, 'open alert')}`, muted: '' }
  const muted = alerts.filter(isMuted).length
  const all = muted === alerts.length && muted > 1 ? 'all ' : muted === alerts.length ? '' : `${muted} `
  return {
    count: amountOf(alerts.length, 'open alert'),
    muted: muted === 0 ? '' : `, ${all}acknowledged or silenced`,
  }
}
