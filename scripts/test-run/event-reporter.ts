/**
 * Runs inside the process that runs tests, and reports each test to scripts/test-run/run-files.ts on file descriptor 3, one
 * JSON document a line. It writes synchronously: a report is not lost when the process exits or crashes.
 */
import { writeSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

export type TestReport =
  | { kind: 'started'; name: string; file: string }
  | { kind: 'ended'; name: string; file: string; line: number; result: TestResult; error: string }
  /** An error outside of a running test, such as a promise that was rejected after its test had ended. */
  | { kind: 'late'; error: string }
  | { kind: 'finished'; tests: number }
  /** Something keeps the process alive, and no test is left. The process exits after this report. */
  | { kind: 'open'; handles: string[] }
  /** The process exits before its tests have ended; the stack shows who called process.exit. */
  | { kind: 'exit'; status: number; stack: string }

export type TestResult = 'passed' | 'failed' | 'skipped'

const channel = 3
// Loading the tests of a file is most of the processor time of many. It is not inherited by what they start.
enableCompileCache(new URL('../../node_modules/.cache/tests', import.meta.url).pathname)
/** Time to stop servers and close sockets after the last test, from the URL of this module. */
const closeWithinMs = Number(new URL(import.meta.url).searchParams.get('closeWithinMs'))
/** Tests that are queued or running; undefined before the first. */
let unfinished: number | undefined
let hasFinished = false
// Node reports the end only when nothing keeps the process alive, so the wait begins with the last test.
const closing = setTimeout(() => {
  if (unfinished !== 0) return
  hasFinished = true
  tell({ kind: 'open', handles: process.getActiveResourcesInfo() })
  process.exit(1)
}, closeWithinMs).unref()

/** A reporter of node:test (`--test-reporter`). It prints nothing. */
// oxlint-disable-next-line import/no-default-export -- node:test takes the default export as the reporter
export default async function* reportEvents(
  source: AsyncIterable<TestEvent>,
): AsyncGenerator<string, void, void> {
  for await (const event of source) {
    if (event.type === 'test:enqueue') unfinished = (unfinished ?? 0) + 1
    else if (event.type === 'test:complete') unfinished = (unfinished ?? 0) - 1
    closing.refresh()
    const report = reportOf(event)
    if (report) tell(report)
    hasFinished = report?.kind === 'finished'
    yield ''
  }
}

function reportOf(event: TestEvent): TestReport | undefined {
  switch (event.type) {
    case 'test:dequeue':
      return { kind: 'started', name: event.data.name, file: event.data.file ?? '' }
    case 'test:pass':
    case 'test:fail': {
      const { name, file = '', line = 0, details, skip = false, todo = false } = event.data
      const isSkipped = skip !== false || todo !== false
      // A suite is not a test, but its hook may have failed. Of a skipped suite, no test is reported.
      if (
        details.type === 'suite' &&
        !isSkipped &&
        (event.type === 'test:pass' || failureOf(event) === 'subtestsFailed')
      )
        return undefined
      const result = isSkipped ? 'skipped' : event.type === 'test:pass' ? 'passed' : 'failed'
      const { error } = event.type === 'test:fail' ? event.data.details : {}
      return { kind: 'ended', name, file, line, result, error: error ? inspect(error.cause ?? error) : '' }
    }
    case 'test:diagnostic':
      return event.data.message.startsWith('Error: ')
        ? { kind: 'late', error: event.data.message }
        : undefined
    case 'test:summary':
      return { kind: 'finished', tests: event.data.counts.tests }
    default:
      return undefined
  }
}

function failureOf({ data }: Extract<TestEvent, { type: 'test:fail' }>): unknown {
  return (data.details.error as { failureType?: string }).failureType
}

function tell(report: TestReport): void {
  writeSync(channel, `${JSON.stringify(report)}\n`)
}

process.on('exit', (status) => {
  if (!hasFinished) tell({ kind: 'exit', status, stack: new Error('exit before the end').stack ?? '' })
})
