import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { runTestFiles, type TestRun } from './run-files.ts'

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

/** Each has one passing test in another file, and one failure that must be counted. */
const failures: Record<string, { file: string; shows: RegExp }> = {
  'a test that never ends': {
    file: `test('never', () => new Promise(() => { setInterval(() => {}, 1000).unref() }))`,
    shows: /never.*\n.*timed out/,
  },
  'a test whose promise can never be settled': {
    file: `test('never', () => new Promise(() => {}))`,
    shows: /never/,
  },
  'a test that blocks the process': {
    file: `test('blocks', async () => { await tick(); for (;;); })`,
    shows: /too long, and were killed while these ran:\n.*blocks/,
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
    shows: /too long, and were killed|keep the process alive: .*Timeout/,
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
  },
}
for (const [what, { file, shows }] of Object.entries(failures))
  test(`${what} is a failure`, async () => {
    const run = await runOf({ a: passing, z: file })
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

function runOf(files: Record<string, string>): Promise<TestRun> {
  const folder = temporaryDirectory('runner')
  const names = Object.entries(files).map(([name, source]) => {
    const file = join(folder, `${name}.test.mjs`)
    if (source !== 'MISSING') writeFileSync(file, `${imports}\n${source}\n`)
    return file
  })
  return runTestFiles(names, { timeoutMs: 500, silenceGraceMs: 1_500, closeWithinMs: 300 })
}

const imports = [
  `import assert from 'node:assert'; import { createServer } from 'node:net'`,
  `import test, { before, describe, it } from 'node:test'`,
  `const tick = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms))`,
].join('; ')

function countsOf({ passed, failed, skipped }: TestRun): Pick<TestRun, 'passed' | 'failed' | 'skipped'> {
  return { passed, failed, skipped }
}
