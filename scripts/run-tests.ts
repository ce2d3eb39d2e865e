/**
 * `npm run tests -- [--each [--together=N]] [--prepare] [--timeout=MS] [--name=PATTERN] FILE-OR-PATTERN...`: runs test files in one
 * process, or with `--each` in a process for each, N at a time (`auto`: one more than there are processors). With `--prepare`, what
 * many tests start is made first: bundles, as for a release, and a database. The last line counts the tests; the exit status is 1 if one failed.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { runTestFiles, stopTests, type TestRun } from './test-run/run-files.ts'

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      each: { type: 'boolean', default: false },
      together: { type: 'string', default: '1' },
      prepare: { type: 'boolean', default: false },
      timeout: { type: 'string', default: '60000' },
      name: { type: 'string' },
    },
  })
  const since = Date.now()
  const total = { passed: 0, failed: 0, skipped: 0 }
  const files = new Set<string>()
  for (const pattern of positionals) {
    const found = globSync(pattern).sort()
    for (const file of found) files.add(file)
    if (found.length > 0) continue
    total.failed++
    process.stdout.write(`✖ no file matches ${pattern}\n`)
  }
  if (positionals.length === 0) {
    process.stderr.write('run-tests: which files?\n')
    return 2
  }
  const options = {
    timeoutMs: Number(values.timeout),
    ...(values.name && { name: values.name }),
    ...(values.prepare && { env: { IMAPFLEET_PREPARED: await prepare() } }),
  }
  const groups = (values.each ? [...files].map((file) => [file]) : [[...files]]).filter(
    ({ length }) => length > 0,
  )
  const runGroup = async (group: string[]) => {
    const groupSince = Date.now()
    const run = await runTestFiles(group, options)
    for (const kind of ['passed', 'failed', 'skipped'] as const) total[kind] += run[kind]
    if (values.each) process.stdout.write(`${group[0]}: ${countsOf(run)}, ${secondsSince(groupSince)}\n`)
    for (const failure of run.failures) process.stdout.write(`\n✖ ${failure}\n\n`)
    if (run.failed > 0 && run.output !== '') process.stdout.write(`${run.output.trimEnd()}\n`)
  }
  const waiting = groups.values()
  const runSome = async () => {
    for (const group of waiting) await runGroup(group)
  }
  // A test waits for most of its time, and many wait at once.
  const together = values.together === 'auto' ? availableParallelism() + 1 : Number(values.together)
  await Promise.all(Array.from({ length: together }, runSome))
  process.stdout.write(`${countsOf(total)}, in ${secondsSince(since)}\n`)
  return total.failed > 0 ? 1 : 0
}

/** The directory with what the tests start. */
async function prepare(): Promise<string> {
  const { writeBundles } = await import('./package/bundles.ts')
  const { prepareDatabase } = await import('@imapfleet/local')
  const directory = temporaryDirectory('prepared')
  await writeBundles(directory)
  await prepareDatabase(directory, `${directory}/imapfleet-control.mjs`)
  return directory
}

function countsOf({ passed, failed, skipped }: Omit<TestRun, 'failures' | 'output'>): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function secondsSince(ms: number): string {
  return `${((Date.now() - ms) / 1000).toFixed(1)} s`
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    stopTests()
    process.exit(1)
  })
process.exitCode = await main()
