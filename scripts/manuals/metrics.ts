/** docs/metrics.md: every metric, of an edge and of the control plane. */
import {
  accessMetrics,
  controlMetrics,
  databaseMetrics,
  edgeMetrics,
  fleetMetrics,
  type MetricRow,
  type MetricRows,
} from '@imapfleet/observe'
import { markdownTable, type Manual } from './region.ts'

const listOf = (rows: MetricRows, kind: MetricRow['kind']): string =>
  markdownTable(
    ['Name', 'Labels', 'Description'],
    Object.entries(rows)
      .filter(([, row]) => row.kind === kind)
      .map(([name, { labels = [], values = {}, help }]) => [
        `\`${name}\``,
        labels.map((label) => `\`${label}\``).join(', '),
        [help, ...Object.entries(values).map(([label, list]) => `\`${label}\`: ${list.join(', ')}.`)].join(
          ' ',
        ),
      ]),
  )

const section = (title: string, text: string): string => `## ${title}\n\n${text}`

export const metricsManual: Manual = {
  file: 'docs/metrics.md',
  region: 'metrics',
  text: () =>
    [
      section('Counters', listOf(edgeMetrics, 'counter')),
      section('Gauges', listOf(edgeMetrics, 'gauge')),
      section('Histograms', listOf(edgeMetrics, 'histogram')),
      section('State of each edge, from the control plane', listOf(fleetMetrics, 'gauge')),
      section('Access, from the control plane', listOf(accessMetrics, 'gauge')),
      section('Database, from the control plane', listOf(databaseMetrics, 'gauge')),
      section('Counters of each control process', listOf(controlMetrics, 'counter')),
      section('Gauges of each control process', listOf(controlMetrics, 'gauge')),
    ].join('\n\n'),
}
