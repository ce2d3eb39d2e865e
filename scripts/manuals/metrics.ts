/** docs/metrics.md: every figure that an edge counts. */
import { metrics as rows, type MetricRow } from '@imapfleet/protocol'
import { table, type Manual } from './region.ts'

export const metrics: Manual = {
  file: 'docs/metrics.md',
  region: 'metrics',
  text: () =>
    [kindOf('counter', 'Counters'), kindOf('gauge', 'Gauges'), kindOf('histogram', 'Histograms')].join(
      '\n\n',
    ),
}

function kindOf(kind: MetricRow['kind'], title: string): string {
  const own = (Object.entries(rows) as [string, MetricRow][]).filter(([, row]) => row.kind === kind)
  const cells = own.map(([name, row]) => [
    `\`${name}\``,
    (row.labels ?? []).map((label) => `\`${label}\``).join(', '),
    row.help,
  ])
  return `## ${title}\n\n${table(['Name', 'Labels', 'What it says'], cells)}`
}
