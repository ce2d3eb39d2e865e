/** The text of a chart for screen readers. */
import { instantOf } from '../format/time.ts'
import { formatValue, type Unit } from '../format/value.ts'
import type { ChartLine } from './chart-series.ts'

/** The values of one moment in words. */
export function sayAt(
  index: number,
  times: readonly number[],
  lines: readonly ChartLine[],
  unit: Unit,
): string {
  const values = lines.map(({ name, values: all }) => {
    const value = all[index] ?? null
    return `${name} ${value === null ? 'nothing' : formatValue(value, unit)}`
  })
  return `${instantOf(new Date(times[index] ?? 0))}: ${values.join(', ')}`
}
