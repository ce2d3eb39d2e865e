/**
 * `npm run conformance`: runs every scenario against imapproxy and our edge. `--write` writes docs/conformance.md.
 * `--only NAME` takes the scenarios whose name starts so, `--proxy ours|imapproxy` one proxy.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dovecotProgram, haveDovecot, startDovecot } from './dovecot.ts'
import { haveImapproxy, imapproxyProgram, type ProxyName } from './proxy-process.ts'
import { columns, printReport, type ReportColumn, type ScenarioRow } from './report.ts'
import { Runner } from './run.ts'
import { scenarios } from './scenarios/index.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    proxy: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
if (values.proxy !== undefined && values.proxy !== 'ours' && values.proxy !== 'imapproxy')
  exit('--proxy must be ours or imapproxy')
const proxies: ProxyName[] = values.proxy === undefined ? ['imapproxy', 'ours'] : [values.proxy]
if (proxies.includes('imapproxy') && !haveImapproxy)
  exit(`${imapproxyProgram} is missing: apt-get install imapproxy, or --proxy ours`)
if (proxies.includes('ours') && !haveDovecot)
  exit(`${dovecotProgram} is missing: apt-get install dovecot-imapd`)
if (values.write && (values.only !== undefined || proxies.length < 2))
  exit('--write needs all scenarios and both proxies')

const chosen = scenarios.filter((scenario) => scenario.name.startsWith(values.only ?? ''))
if (chosen.length === 0) exit(`no scenario is named ${values.only}; see tests/conformance/scenarios`)
const rows: ScenarioRow[] = chosen.map((scenario) => ({ scenario, outcomes: {} }))

for (const column of columns.filter(({ proxy }) => proxies.includes(proxy))) await fill(column)
if (values.write) {
  const file = join(import.meta.dirname, '../../docs/conformance.md')
  await writeFile(file, printReport(rows))
}
const failed = rows.filter(({ outcomes }) =>
  [outcomes.stub, outcomes.dovecot].some((outcome) => outcome?.passed === false),
)
process.exitCode = failed.length > 0 ? 1 : 0

async function fill(column: ReportColumn): Promise<void> {
  const dovecot = column.key === 'dovecot' ? await startDovecot() : undefined
  const runner = new Runner(column.proxy, dovecot)
  let passed = 0
  let asked = 0
  try {
    for (const row of rows) {
      if (column.proxy === 'imapproxy' && row.scenario.oursOnly !== undefined) continue
      if (column.key === 'dovecot' && row.scenario.on === 'stub') continue
      const startedAt = performance.now()
      const outcome = await runner.run(row.scenario)
      row.outcomes[column.key] = outcome
      asked += 1
      passed += outcome.passed ? 1 : 0
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      console.log(`${outcome.passed ? 'pass' : 'FAIL'}  ${column.title}  ${row.scenario.name} (${seconds} s)`)
      if (!outcome.passed) console.log(`      ${outcome.seen}`)
    }
  } finally {
    await runner.stop()
    await dovecot?.stop()
  }
  console.log(`${column.title}: ${passed} of ${asked} scenarios pass\n`)
}

function exit(message: string): never {
  console.error(message)
  process.exit(2)
}
