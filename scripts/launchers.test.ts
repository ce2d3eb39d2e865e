import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { node, repository } from '@imapfleet/local'

const commands = globSync('apps/*/package.json', { cwd: repository })
  .sort()
  .flatMap((file) => {
    const { bin = {} } = JSON.parse(readFileSync(join(repository, file), 'utf8')) as {
      bin?: Record<string, string>
    }
    return Object.values(bin).map((path) => join(repository, file, '..', path))
  })
const run = (args: string[]) => spawnSync(node, args, { encoding: 'utf8' })

test('each command of a clone starts as a program', () => {
  assert.deepEqual(
    commands.map((file) => basename(file)),
    ['imapfleet.mjs', 'imapfleet-control.mjs', 'imapfleet-edge.mjs'],
  )
  for (const file of commands) {
    assert.match(readFileSync(file, 'latin1'), /^#!\/usr\/bin\/env node\n/)
    assert.equal(statSync(file).mode & 0o111, 0o111)
    const { status, stdout, stderr } = run([file, '--version'])
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^(?:imapfleet-edge )?\d+\.\d+\.\d+\n$/)
  }
})

test('on a Node that is too old, it says which one it needs', () => {
  const old = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.1.0'})"
  for (const file of commands) {
    const { status, stderr } = run(['--import', old, file, '--version'])
    assert.equal(status, 2)
    assert.match(
      stderr,
      new RegExp(`^${basename(file, '.mjs')}: this is Node 20\\.1\\.0, and 22\\.18 or newer is needed`),
    )
  }
})
