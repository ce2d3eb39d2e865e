/**
 * `npm run verify`: every check that needs no services. `npm run verify -- WORD...` runs part of it: a word is an area
 * (edge, config, docs) or a step (lint, unit). The last line counts the unit tests; the exit status is 1 if a step failed.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { runTestFiles, stopTests } from './test-run/run-files.ts'
import { readAreas, type Area } from './verify/areas.ts'
import { PassedTests } from './verify/passed-tests.ts'

interface CommandStep {
  kind: Exclude<StepKind, 'unit'>
  /** Shown before the result. */
  name: string
  command: string
  args: string[]
}

interface UnitStep {
  kind: 'unit'
  name: string
  area: Area
}

type Step = CommandStep | UnitStep

const stepKinds = ['unit', 'types', 'lint', 'format', 'unused', 'code', 'docs'] as const
type StepKind = (typeof stepKinds)[number]

const areas = readAreas()
const passedTests = new PassedTests(areas)
const running = new Set<ChildProcess>()

async function main(words: string[]): Promise<number> {
  const unknown = words.filter((word) => !areas.has(word) && !isStepKind(word))
  if (unknown.length > 0) {
    const known = `areas: ${[...areas.keys()].join(', ')}; steps: ${stepKinds.join(', ')}`
    process.stderr.write(`verify: neither area nor step: ${unknown.join(', ')} (${known})\n`)
    return 2
  }
  const since = Date.now()
  const steps = planSteps(words)
  const tests = { passed: 0, failed: 0, skipped: 0 }
  const failed: string[] = []
  const queue = [...steps]
  const work = async () => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      const result = await runStep(step)
      tests.passed += result.passed
      tests.failed += result.failed
      tests.skipped += result.skipped
      if (!result.ok) failed.push(step.name)
    }
  }
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work))
  if (failed.length > 0) process.stdout.write(`Failed: ${failed.join(', ')}\n`)
  const skipped = tests.skipped > 0 ? `, ${tests.skipped} skipped` : ''
  const counts = steps.some((step) => step.kind === 'unit')
    ? `${tests.passed} passed, ${tests.failed} failed${skipped}, in `
    : ''
  process.stdout.write(`${counts}${seconds(Date.now() - since)}\n`)
  return failed.length > 0 ? 1 : 0
}

/** Steps in the order in which they start: the longest first. */
function planSteps(words: string[]): Step[] {
  const kinds = words.filter(isStepKind).filter((word) => !areas.has(word))
  const chosen = words.flatMap((word) => areas.get(word) ?? [])
  const wants = (kind: StepKind) => kinds.length === 0 || kinds.includes(kind)
  const everything = chosen.length === 0
  const steps: Step[] = []
  if (wants('unit')) steps.push(...unitSteps(chosen))
  const folders = chosen.map((area) => area.folder)
  const code = chosen.filter((area) => area.name !== 'docs')
  const hasCode = everything || code.length > 0
  if (hasCode && wants('lint'))
    steps.push({ kind: 'lint', name: 'lint', command: 'oxlint', args: code.map((area) => area.folder) })
  if (hasCode && wants('types')) steps.push(...typeSteps(chosen))
  if (wants('format'))
    steps.push({
      kind: 'format',
      name: 'format',
      command: 'prettier',
      args: [
        ...['--check', '--cache', '--log-level', 'warn'],
        ...(everything ? ['.'] : folders),
        ...(areas.has('docs') && chosen.some((area) => area.name === 'docs') ? ['*.md'] : []),
      ],
    })
  if (hasCode && wants('unused'))
    steps.push({ kind: 'unused', name: 'unused', command: 'knip', args: ['--no-progress'] })
  if (hasCode && wants('code'))
    steps.push({ kind: 'code', name: 'code', command: process.execPath, args: ['scripts/check-code.ts'] })
  if (wants('docs'))
    steps.push({ kind: 'docs', name: 'docs', command: process.execPath, args: ['scripts/check-docs.ts'] })
  return steps
}

/** For an area: its own tests, and the tests of packages that it imports if these changed since the tests passed. */
function unitSteps(chosen: Area[]): Step[] {
  const below = chosen.flatMap((area) => area.uses.flatMap((name) => areas.get(name) ?? []))
  const changed = below.filter((area) => !chosen.includes(area) && !passedTests.isCurrent(area))
  const tested = chosen.length === 0 ? [...areas.values()] : [...new Set([...chosen, ...changed])]
  return tested
    .filter((area) => area.testFiles.length > 0)
    .sort((a, b) => b.testFiles.length - a.testFiles.length)
    .map((area) => ({ kind: 'unit', name: `unit ${area.name}`, area }))
}

/** Incremental: after the first run tsc looks only at what changed and at what depends on it. */
function typeSteps(chosen: Area[]): Step[] {
  const info = (name: string) => [
    '--incremental',
    '--tsBuildInfoFile',
    `node_modules/.cache/verify/${name}.tsbuildinfo`,
  ]
  const browser = areas.get('console')
  const inBrowser = browser ? [browser.name, ...browser.uses] : []
  const steps: Step[] = []
  if (chosen.length === 0 || chosen.some((area) => area !== browser))
    steps.push({ kind: 'types', name: 'types', command: 'tsc', args: ['--noEmit', ...info('types')] })
  if (chosen.length === 0 || chosen.some((area) => inBrowser.includes(area.name)))
    steps.push({
      kind: 'types',
      name: 'types console',
      command: 'tsc',
      args: ['--noEmit', '-p', 'apps/console', ...info('types-console')],
    })
  return steps
}

interface StepResult {
  ok: boolean
  passed: number
  failed: number
  skipped: number
}

async function runStep(step: Step): Promise<StepResult> {
  const since = Date.now()
  const show = (result: string) =>
    process.stdout.write(`${step.name.padEnd(16)}${result.padEnd(12)}${seconds(Date.now() - since)}\n`)
  if (step.kind === 'unit') {
    const fingerprint = passedTests.fingerprint(step.area)
    // One process for all files of an area: starting one for each file costs more than the tests.
    const tested = await runTestFiles(step.area.testFiles, { timeoutMs: 60_000 })
    const ok = tested.failed === 0
    if (ok) passedTests.record(step.area, fingerprint)
    show(ok ? `${tested.passed} passed` : `${tested.failed} failed`)
    if (!ok)
      process.stdout.write(`\n${tested.failures.map((text) => `✖ ${text}`).join('\n\n')}\n${tested.output}\n`)
    return { ok, ...tested }
  }
  const { status, output } = await run(step.command, step.args)
  const ok = status === 0
  show(ok ? 'ok' : 'failed')
  // A lint warning does not fail, but is shown.
  if (!ok || (step.kind === 'lint' && / [1-9]\d* warning/.test(output)))
    process.stdout.write(`\n${output.trim()}\n\n`)
  return { ok, passed: 0, failed: 0, skipped: 0 }
}

function run(command: string, args: string[]): Promise<{ status: number; output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; output: string }>()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  child.on('error', (error) => resolve({ status: 1, output: `${command}: ${error.message}; run npm ci` }))
  child.on('close', (status) => {
    running.delete(child)
    resolve({ status: status ?? 1, output })
  })
  return promise
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function isStepKind(word: string): word is StepKind {
  return (stepKinds as readonly string[]).includes(word)
}

for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const)
  process.once(event, () => {
    for (const child of running) child.kill('SIGTERM')
    stopTests()
    process.exit(1)
  })
process.exitCode = await main(process.argv.slice(2))
process.removeAllListeners('disconnect')
process.disconnect?.()
