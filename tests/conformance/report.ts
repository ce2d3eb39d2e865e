/** Prints docs/conformance.md: the guarantees, which proxy keeps them, and what was seen when one failed. */
import type { ProxyName } from './proxy-process.ts'
import type { ScenarioOutcome } from './run.ts'
import type { Scenario } from './scenario.ts'

export interface ReportColumn {
  key: 'control' | 'stub' | 'dovecot'
  proxy: ProxyName
  title: string
}

export const columns: ReportColumn[] = [
  { key: 'control', proxy: 'imapproxy', title: 'imapproxy' },
  { key: 'stub', proxy: 'ours', title: 'imapfleet, stub' },
  { key: 'dovecot', proxy: 'ours', title: 'imapfleet, Dovecot' },
]

export interface ScenarioRow {
  scenario: Scenario
  outcomes: Partial<Record<ReportColumn['key'], ScenarioOutcome>>
}

export function printReport(rows: readonly ScenarioRow[]): string {
  const findings = rows.flatMap((row) =>
    columns.flatMap(({ key, title }) => {
      const outcome = row.outcomes[key]
      return outcome?.passed === false ? [`- **${row.scenario.name}** (${title}): ${code(outcome.seen)}`] : []
    }),
  )
  return `# Conformance

Written by \`npm run conformance -- --write\`; the scenarios are in tests/conformance/scenarios. Each scenario tries to break a
guarantee. It sends the same bytes to Debian's imapproxy (the control, which shows that the scenario can fail), to
imapfleet's edge in front of a scripted server that can misbehave, and to an edge in front of real Dovecot. A dash means that the scenario
did not run, because it needs a server that misbehaves or a feature that imapproxy does not have. In some scenarios imapproxy has a race
condition: up to three of them pass in one run and fail in the next.

${columns.map((column) => `- ${column.title}: ${tally(rows, column)}`).join('\n')}

<!-- prettier-ignore-start -->

| scenario | guarantee | ${columns.map(({ title }) => title).join(' | ')} |
| --- | --- | ${columns.map(() => '---').join(' | ')} |
${rows.map(printRow).join('\n')}

## What was seen when a guarantee failed

Each client uses its own letters at the start of its tags. A reply with other letters belongs to another client.

${findings.length > 0 ? findings.join('\n') : 'Nothing.'}

<!-- prettier-ignore-end -->
`
}

function tally(rows: readonly ScenarioRow[], { key }: ReportColumn): string {
  const asked = rows.flatMap(({ outcomes }) => outcomes[key] ?? [])
  return `${asked.filter((outcome) => outcome.passed).length} of ${asked.length} scenarios pass`
}

function printRow({ scenario, outcomes }: ScenarioRow): string {
  const cells = columns.map(({ key }) => {
    const outcome = outcomes[key]
    return outcome === undefined ? '–' : outcome.passed ? 'pass' : '**FAIL**'
  })
  return `| ${scenario.name} | ${scenario.guarantee.replaceAll('|', '\\|')} | ${cells.join(' | ')} |`
}

/** A code span for bytes that can contain backquotes. */
const code = (text: string) => `\`\` ${text.replaceAll('\n', ' ').replaceAll('``', "''")} \`\``
