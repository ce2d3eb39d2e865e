/** Each metric of the table is set somewhere: a row that nothing counts would show 0 for ever. */
import { globSync, readFileSync } from 'node:fs'
import {
  accessMetrics,
  controlMetrics,
  edgeMetrics,
  fleetMetrics,
  type MetricRow,
  type MetricRows,
} from '@imapfleet/observe'
import type { Complaint } from '../page.ts'

const table = 'packages/observe/src/metrics.ts'
const fleetPrinter = 'apps/control/src/features/metrics/service.ts'

export function unsetMetrics(): Complaint[] {
  return [
    ...unsetIn(edgeMetrics, 'apps/edge-proxy/src', setsMetric),
    ...unsetIn(controlMetrics, 'apps/control/src', setsMetric),
    ...unsetIn({ ...fleetMetrics, ...accessMetrics }, fleetPrinter, (name) => new RegExp(`\\b${name}\\b`)),
  ]
}

function unsetIn(
  rows: MetricRows,
  setter: string,
  setting: (name: string, row: MetricRow) => RegExp,
): Complaint[] {
  const files = setter.endsWith('.ts') ? [setter] : globSync(`${setter}/**/*.ts`)
  const code = files
    .filter((file) => !/\.test(-support)?\.ts$/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  return Object.entries(rows)
    .filter(([name, row]) => !setting(name, row).test(code))
    .map(([name]) => ({
      file: table,
      line: lineOf(name),
      message: `nothing in ${setter} sets ${name}; count it there, or remove the row`,
    }))
}

/** A counter may be handed on as an object; a histogram is set where it measures. */
function setsMetric(name: string, { kind }: MetricRow): RegExp {
  if (kind === 'gauge') return new RegExp(`\\.gauge\\(\\s*'${name}'`)
  if (kind === 'histogram') return new RegExp(`\\.${name}\\s*\\.(?:observe|measure)\\(`)
  return new RegExp(`\\bcounters\\s*\\.${name}\\b|\\.counterFrom\\(\\s*'${name}'`)
}

function lineOf(name: string): number {
  const text = readFileSync(table, 'utf8')
  return text.slice(0, text.search(new RegExp(`^  ${name}:`, 'm'))).split('\n').length
}
