/** docs/alerts.md: every rule of alerts. */
import { alertRuleNames, alertRule } from '@imapfleet/api'
import { markdownTable, type Manual } from './region.ts'

const duration = (seconds: number): string =>
  seconds === 0 ? 'none' : seconds % 3600 === 0 ? `${seconds / 3600} h` : `${seconds / 60} min`

export const alertRulesManual: Manual = {
  file: 'docs/alerts.md',
  region: 'rules',
  text: () =>
    markdownTable(
      ['Rule', 'Severity', 'Hold', 'Clear', 'Threshold', 'What it means', 'What to do', 'In Prometheus'],
      alertRuleNames.map((name) => {
        const { severity, holdSeconds, clearSeconds, threshold, means, action, prometheus } = alertRule(name)
        return [
          `\`${name}\``,
          severity,
          duration(holdSeconds),
          duration(clearSeconds),
          threshold ? `${threshold.opens} ${threshold.default} ${threshold.unit}` : '',
          means,
          action,
          `[${prometheus}](monitoring.md#${prometheus.toLowerCase()})`,
        ]
      }),
    ),
}
