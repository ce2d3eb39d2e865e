/** Outcomes as docs/conformance.md: what is guaranteed, who keeps it, and what was seen where it is not kept. */
import type { ProxyName } from './proxy-process.ts'
import type { Outcome } from './run.ts'
import type { Scenario } from './scenario.ts'

export interface Column {
  key: 'control' | 'stub' | 'dovecot'
  proxy: ProxyName
  title: string
}

export const columns: Column[] = [
  { key: 'control', proxy: 'imapproxy', title: 'imapproxy' },
  { key: 'stub', proxy: 'ours', title: 'imapfleet, stub' },
  { key: 'dovecot', proxy: 'ours', title: 'imapfleet, Dovecot' },
]

export interface Row {
  scenario: Scenario
  outcomes: Partial<Record<Column['key'], Outcome>>
}

export function printReport(rows: readonly Row[]): string {
  const findings = rows.flatMap((row) =>
    columns.flatMap(({ key, title }) => {
      const outcome = row.outcomes[key]
      return outcome?.passed === false ? [`- **${row.scenario.name}** (${title}): ${code(outcome.seen)}`] : []
    }),
  )
  return `# Conformance

Written by \`npm run conformance -- --write\`; the scenarios are in tests/conformance/scenarios. Each one tries to break a
guarantee, with the same bytes, against Debian's imapproxy (the control: it shows that the scenario can fail), against
imapfleet's edge in front of a scripted server that can misbehave, and in front of real Dovecot. A dash: not asked,
because it takes a server that misbehaves, or something that imapproxy does not have. In some scenarios imapproxy runs a race
with itself: up to three of them pass in one run and fail in the next.

${columns.map((column) => `- ${column.title}: ${tally(rows, column)}`).join('\n')}

<!-- prettier-ignore-start -->

| scenario | guarantee | ${columns.map(({ title }) => title).join(' | ')} |
| --- | --- | ${columns.map(() => '---').join(' | ')} |
${rows.map(printRow).join('\n')}

## What was seen where a guarantee does not hold

Tags begin with letters of the client that sent them, so a reply with another client's letters is somebody else's.

${findings.length > 0 ? findings.join('\n') : 'Nothing.'}

<!-- prettier-ignore-end -->
`
}

function tally(rows: readonly Row[], { key }: Column): string {
  const asked = rows.flatMap(({ outcomes }) => outcomes[key] ?? [])
  return `${asked.filter((outcome) => outcome.passed).length} of ${asked.length} scenarios pass`
}

function printRow({ scenario, outcomes }: Row): string {
  const cells = columns.map(({ key }) => {
    const outcome = outcomes[key]
    return outcome === undefined ? '–' : outcome.passed ? 'pass' : '**FAIL**'
  })
  return `| ${scenario.name} | ${scenario.guarantee.replaceAll('|', '\\|')} | ${cells.join(' | ')} |`
}

/** Seen bytes in a code span, whatever backquotes they hold. */
const code = (text: string) => `\`\` ${text.replaceAll('\n', ' ').replaceAll('``', "''")} \`\``
