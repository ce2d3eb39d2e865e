/** Dashboards and alert rules use existing metrics, and every alert is described. */
import { globSync, readFileSync } from 'node:fs'
import { metrics, type MetricRow } from '@imapfleet/observe'
import { readPage, type Complaint } from '../page.ts'

const askers = ['infra/grafana/*.json', 'infra/prometheus/*.yml']
const guide = 'docs/monitoring.md'

export function infraMetricDrift(): Complaint[] {
  const known = knownNames()
  return globSync(askers).flatMap((file) => {
    const lines = readFileSync(file, 'utf8').split('\n')
    return lines.flatMap((text, index) =>
      [...text.matchAll(/\bimapfleet_\w+/g)]
        .filter(([name]) => !known.has(name))
        .map(([name]) => ({
          file,
          line: index + 1,
          message: `${name} is no metric; docs/metrics.md has those that there are`,
        })),
    )
  })
}

export function undescribedAlerts(): Complaint[] {
  const described = readPage(guide).lines
  return globSync('infra/prometheus/*.yml').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/alert: (\w+)/g)]
      .filter(([, alert]) => !described.some((line) => line === `### ${alert}`))
      .map(([, alert]) => ({
        file: guide,
        line: 1,
        message: `says nothing of the alert ${alert}: add a heading`,
      })),
  )
}

function knownNames(): Set<string> {
  return new Set(
    Object.entries<MetricRow>(metrics).flatMap(([name, { kind }]) =>
      (kind === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map((end) => `imapfleet_${name}${end}`),
    ),
  )
}
