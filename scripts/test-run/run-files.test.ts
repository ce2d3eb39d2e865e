import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { runTestFiles, type TestRun, type TestRunOptions } from './run-files.ts'

const passing = `test('passes', () => {})`

test('every test is counted once, nested ones included, and suites are not', async () => {
  const run = await runOf({
    a: `${passing}; test('skipped', { skip: true }, () => {})`,
    b: `describe('suite', () => { it('one', () => {}); it('two', () => {}) })
        test('outer', async (t) => { await t.test('inner', () => {}) })`,
  })
  assert.deepEqual(countsOf(run), { passed: 5, failed: 0, skipped: 1 })
})

test('a failing test is counted, and its name, place and error are shown', async () => {
  const run = await runOf({ a: `${passing}\ntest('fails', () => { throw new Error('wrong value') })` })
  assert.deepEqual(countsOf(run), { passed: 1, failed: 1, skipped: 0 })
  assert.match(run.failures[0] ?? '', /a\.test\.mjs: fails \(line 3\)\nError: wrong value/)
})

test('a suite is not counted as failed beside its test', async () => {
  const run = await runOf({
    a: `describe('suite', () => { it('one', () => {}); it('two', () => assert(false)) })`,
  })
  assert.deepEqual(countsOf(run), { passed: 1, failed: 1, skipped: 0 })
})

test('a skipped suite counts as one skipped test, also if its file has nothing else', async () => {
  const run = await runOf({
    a: `describe('suite', { skip: 'no server' }, () => { it('one', () => {}); it('two', () => {}) })`,
  })
  assert.deepEqual([countsOf(run), run.failures], [{ passed: 0, failed: 0, skipped: 1 }, []])
})

/** Each has one passing test in another file, and one failure that must be counted. `limits`: the time limits that end it. */
const failures: Record<string, { file: string; shows: RegExp; limits?: Partial<TestRunOptions> }> = {
  'a test that never ends': {
    file: `test('never', () => new Promise(() => { setInterval(() => {}, 1000).unref() }))`,
    shows: /never.*\n.*timed out/,
    limits: { timeoutMs: 500 },
  },
  'a test whose promise can never be settled': {
    file: `test('never', () => new Promise(() => {}))`,
    shows: /never/,
    limits: { timeoutMs: 500 },
  },
  'a test that blocks the process': {
    file: `test('blocks', async () => { await tick(); for (;;); })`,
    shows: /too long, and were killed while these ran:\n.*blocks/,
    limits: { timeoutMs: 500, silenceGraceMs: 2_500 },
  },
  'a file that throws while it is loaded': {
    file: `throw new Error('at load')`,
    shows: /z\.test\.mjs.*\nError: at load/,
  },
  'a file that imports what does not exist': {
    file: `await import('no-such-package')`,
    shows: /Cannot find package/,
  },
  'a file that never finishes loading': {
    file: `setInterval(() => {}, 1000); await new Promise(() => {})`,
    shows: /too long, and were killed/,
    limits: { timeoutMs: 500, silenceGraceMs: 500, loadWithinMs: 1_000 },
  },
  'a file without tests': { file: '', shows: /z\.test\.mjs has no tests/ },
  'a file that is missing': { file: 'MISSING', shows: /z\.test\.mjs does not exist/ },
  'a crash': {
    file: `test('crashes', async () => { await tick(); process.abort() })`,
    shows: /SIGABRT.*\n.*crashes/,
  },
  'an exit with status 0': {
    file: `test('exits', async () => { await tick(); process.exit(0) })`,
    shows: /exit with status 0[^]*z\.test\.mjs/,
  },
  'an error after the test had ended': {
    file: `test('late', () => { setTimeout(() => { throw new Error('too late') }, 10) })
           test('waits', () => tick(50))`,
    shows: /"late".*after the test ended.*too late/,
  },
  'a hook that fails': {
    file: `describe('suite', () => { before(() => { throw new Error('no server') }); it('one', () => {}) })`,
    shows: /z\.test\.mjs/,
  },
  'a server that stays open': {
    file: `test('listens', (t, done) => { createServer().listen(0, '127.0.0.1', done) })`,
    shows: /keep the process alive:.*TCPServerWrap/,
    limits: { closeWithinMs: 300 },
  },
}
for (const [what, { file, shows, limits }] of Object.entries(failures))
  test(`${what} is a failure`, async () => {
    // While the second file is loaded, no test is left.
    const others: Record<string, string> = limits?.closeWithinMs === undefined ? { a: passing } : {}
    const run = await runOf({ ...others, z: file }, limits)
    assert.ok(run.failed > 0, `${run.failed} failed`)
    assert.match(run.failures.join('\n'), shows)
  })

test('what a test prints and leaves in process.exitCode does not change the result', async () => {
  const run = await runOf({
    a: `${passing}; console.log('ℹ pass 99'); process.exitCode = 0; test('fails', () => assert(false))`,
  })
  assert.deepEqual(countsOf(run), { passed: 1, failed: 1, skipped: 0 })
  assert.match(run.output, /pass 99/)
})

/** Without `limits`, no time ends a run: a busy machine may need long to start a process. */
function runOf(files: Record<string, string>, limits: Partial<TestRunOptions> = {}): Promise<TestRun> {
  const folder = temporaryDirectory('runner')
  const names = Object.entries(files).map(([name, source]) => {
    const file = join(folder, `${name}.test.mjs`)
    if (source !== 'MISSING') writeFileSync(file, `${imports}\n${source}\n`)
    return file
  })
  return runTestFiles(names, { timeoutMs: 60_000, ...limits })
}

const imports = [
  `import assert from 'node:assert'; import { createServer } from 'node:net'`,
  `import test, { before, describe, it } from 'node:test'`,
  `const tick = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms))`,
].join('; ')

function countsOf({ passed, failed, skipped }: TestRun): Pick<TestRun, 'passed' | 'failed' | 'skipped'> {
  return { passed, failed, skipped }
}
