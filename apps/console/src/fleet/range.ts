/** The time range of a page. It is in the address. */
import { choose, search } from '../router/location.ts'

/** A step that gives about sixty points, with at least one report in each. */
const steps = { '5m': '15s', '15m': '15s', '1h': '60s', '6h': '6m', '24h': '24m' } as const
const words = {
  '5m': '5 minutes',
  '15m': '15 minutes',
  '1h': 'hour',
  '6h': '6 hours',
  '24h': '24 hours',
} as const

export type Range = keyof typeof steps
export const ranges = Object.keys(steps) as Range[]

export function chosenRange(): Range {
  const text = search.value.get('range')
  return ranges.find((range) => range === text) ?? '1h'
}

export const chooseRange = (range: Range): void => choose({ range: range === '1h' ? '' : range })

/** For a history request. */
export const historyWindow = (range: Range) => ({ from: `-${range}`, step: steps[range] })

export const wordsOf = (range: Range): string => words[range]
