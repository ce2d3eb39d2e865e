/**
 * Runs test files in one process and counts their tests from the reports of that process. Everything that keeps a test from
 * being counted is a failure: a crash, an exit, a file without tests, a process that hangs or that its handles keep alive.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import type { Readable } from 'node:stream'
import type { TestReport, TestResult } from './event-reporter.ts'

export interface TestRun {
  passed: number
  failed: number
  skipped: number
  /** One text for each failure: the name, the place, the error. */
  failures: string[]
  /** What the tests printed. */
  output: string
}

export interface TestRunOptions {
  /** For one test. */
  timeoutMs: number
  /** Starting the process and loading all files of an area on a busy machine, before the first report. */
  loadWithinMs?: number
  /** A process that then reports nothing for the time of a test and this time is killed. */
  silenceGraceMs?: number
  /** After the last test: stopping servers, closing sockets. */
  closeWithinMs?: number
  /** Runs only the tests whose names match. */
  name?: string
  /** Added to our own environment. */
  env?: Record<string, string>
}

const running = new Set<ChildProcess>()

export async function runTestFiles(files: readonly string[], options: TestRunOptions): Promise<TestRun> {
  const counts: Record<TestResult, number> = { passed: 0, failed: 0, skipped: 0 }
  const failures: string[] = []
  const runningTests = new Set<string>()
  let finished: number | undefined
  const fail = (text: string) => {
    counts.failed++
    failures.push(text.trimEnd())
  }
  // Node says nothing about a missing file if it finds another one.
  for (const file of files) if (!existsSync(file)) fail(`${file} does not exist`)
  const child = startProcess(files, options)
  let lastEnded = ''
  // A test that blocks the process from its start is not reported as running.
  const whileRunning = () =>
    runningTests.size > 0
      ? ` while these ran:\n${[...runningTests].join('\n')}`
      : lastEnded && ` after the end of:\n${lastEnded}`
  const kill = () => {
    fail(`the tests reported nothing for too long, and were killed${whileRunning()}`)
    child.kill('SIGKILL')
  }
  const { timeoutMs, loadWithinMs = 60_000, silenceGraceMs = 30_000 } = options
  let silent = setTimeout(kill, loadWithinMs)

  const take = (report: TestReport) => {
    clearTimeout(silent)
    silent = setTimeout(kill, timeoutMs + silenceGraceMs)
    switch (report.kind) {
      case 'started':
        runningTests.add(titleOf(report))
        return
      case 'ended': {
        lastEnded = titleOf(report)
        runningTests.delete(lastEnded)
        // Node runs a file without tests as one test with the path of the file as its name.
        const isFile = files.some((file) => file === report.name || file.endsWith(`/${report.name}`))
        if (report.result === 'failed') fail(`${titleOf(report)} (line ${report.line})\n${report.error}`)
        else if (isFile) fail(`${report.name} has no tests`)
        else counts[report.result]++
        return
      }
      case 'late':
        fail(report.error)
        return
      case 'finished':
        finished = report.tests
        return
      case 'open':
        fail(`no test is left, but these keep the process alive: ${report.handles.join(', ')}`)
        return
      case 'exit':
        fail(
          `exit with status ${report.status} before the end of the tests${whileRunning()}\n${report.stack}`,
        )
    }
  }
  const { output, status, signal } = await readProcess(child, take)
  clearTimeout(silent)
  running.delete(child)
  const counted = counts.passed + counts.failed + counts.skipped
  if (finished === undefined && counts.failed === 0)
    fail(`the tests ended with ${signal ?? `status ${status}`} before their last report${whileRunning()}`)
  else if (finished !== undefined && counted < finished)
    fail(`${finished} tests ran, and ${counted} were reported`)
  else if (counted === 0) fail(`no test in ${files.join(' ')}`)
  else if (status !== 0 && counts.failed === 0) fail(`the tests ended with ${signal ?? `status ${status}`}`)
  return { ...counts, failures, output }
}

/** Ends every process that runs tests. */
export function stopTests(): void {
  for (const child of running) child.kill('SIGTERM')
}

function startProcess(
  files: readonly string[],
  { timeoutMs, name, env, closeWithinMs = 30_000 }: TestRunOptions,
): ChildProcess {
  const reporter = new URL(`event-reporter.ts?closeWithinMs=${closeWithinMs}`, import.meta.url)
  const options = [
    ...['--test', '--test-isolation=none', `--test-timeout=${timeoutMs}`],
    ...[`--test-reporter=${reporter.href}`, '--test-reporter-destination=stdout'],
    ...(name === undefined ? [] : [`--test-name-pattern=${name}`]),
  ]
  const child = spawn(process.execPath, [...options, ...files], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  running.add(child)
  return child
}

async function readProcess(
  child: ChildProcess,
  take: (report: TestReport) => void,
): Promise<{ output: string; status: number | null; signal: string | null }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number | null; signal: string | null }>()
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  let rest = ''
  const reports = child.stdio[3] as Readable
  reports.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line) as TestReport)
  })
  child.on('error', (error) => {
    output += error.message
    resolve({ status: 1, signal: null })
  })
  child.on('close', (status, signal) => resolve({ status, signal }))
  const ended = await promise
  return { output, ...ended }
}

function titleOf({ file, name }: { file: string; name: string }): string {
  return `${relative(process.cwd(), file)}: ${name}`
}
