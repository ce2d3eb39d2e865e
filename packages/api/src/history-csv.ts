/** A history as CSV (RFC 4180): one row for each step and group. A value that was not reported is empty. */
import { csvLine } from './csv-line.ts'
import type { History } from './history.ts'

export function historyCsv({ from, stepSeconds, groupBy, metrics, groups }: History): string {
  const steps = groups[0]?.values[0]?.length ?? 0
  const timeOf = (step: number) => new Date(Date.parse(from) + step * stepSeconds * 1000).toISOString()
  const rows = Array.from({ length: steps }, (_, step) =>
    groups.map(({ group, values }) => [
      timeOf(step),
      group,
      ...values.map((series) => String(series[step] ?? '')),
    ]),
  ).flat()
  return [['time', groupBy, ...metrics], ...rows].map(csvLine).join('')
}
