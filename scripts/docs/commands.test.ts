import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandsNotRun } from './commands.ts'

const page = (...lines: string[]) => [{ file: 'docs/x.md', text: `${lines.join('\n')}\n` }]
const sources = { 'tests/x.test.ts': "script('docs/x.md', 'apt install x')" }
const complaints = (pages: ReturnType<typeof page>, runs: Parameters<typeof commandsNotRun>[1]) =>
  commandsNotRun(pages, runs, (file) => (sources as Record<string, string>)[file]).map(
    ({ line, message }) => `${line}: ${message}`,
  )

test('a block that a test runs, and one with a reason, are in order', () => {
  const pages = page(
    '```sh',
    'apt install x    # as root',
    'x --help',
    '```',
    '1. in a list:',
    '   ```console',
    '   $ npm test',
    '   ok',
    '   ```',
  )
  const runs = { 'docs/x.md': { 'apt install x': { in: 'tests/x.test.ts' }, 'npm test': { because: 'CI' } } }
  assert.deepEqual(complaints(pages, runs), [])
})

test('a new block needs a decision, in a script and in a dialogue', () => {
  for (const block of [
    ['```sh', 'apt install x', '```'],
    ['```console', '$ apt install x', 'ok', '```'],
  ])
    assert.match(
      complaints(page(...block), {}).join('\n'),
      /^1: no test runs "apt install x"; run it as printed/,
    )
})

test('a test that does not have the block, and one that does not exist, are told', () => {
  const pages = page('```sh', 'apt install y', '```')
  const inTest = (file: string) => ({ 'docs/x.md': { 'apt install y': { in: file } } })
  assert.deepEqual(complaints(pages, inTest('tests/x.test.ts')), [
    '1: tests/x.test.ts does not run "apt install y" of this page',
  ])
  assert.deepEqual(complaints(pages, inTest('tests/y.test.ts')), [
    '1: tests/y.test.ts does not exist; it should run "apt install y"',
  ])
})

test('commands cannot hide in a block of another kind', () => {
  assert.deepEqual(
    complaints(
      page('```', 'apt install x', '```', '```text', '$ apt install x', '```', '```yaml', 'a: b', '```'),
      {},
    ),
    [
      '1: a block without a language: sh or console if it has commands, text if not',
      '4: commands in a block of text: use console',
    ],
  )
})

test('decisions about blocks that are gone, and two blocks with one title, are told', () => {
  const runs = { 'docs/x.md': { 'npm test': { because: 'CI' }, gone: { because: 'CI' } }, 'docs/gone.md': {} }
  assert.deepEqual(complaints(page('```sh', 'npm test', '```', '```sh', 'npm test', 'npm ci', '```'), runs), [
    '4: two blocks begin with npm test; begin one of them with another command',
    '1: docs/x.md has no block "gone"; remove it',
    '1: docs/gone.md does not exist; remove it',
  ])
})
