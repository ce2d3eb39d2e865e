import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { Log } from '@imapfleet/observe'
import { StateDirectory } from './state-directory.ts'

function stateIn(path: string) {
  const lines: string[] = []
  const log = new Log({ level: 'debug', format: 'text' }, (line) => void lines.push(line))
  const directory = new StateDirectory(path, log)
  return { directory, path, lines, read: (name: string) => readFileSync(join(path, name), 'utf8') }
}

/** A file in place of the directory, which also prevents writes by root. */
function blockedState() {
  const path = join(temporaryDirectory('state'), 'state')
  writeFileSync(path, '')
  return { ...stateIn(path), free: () => rmSync(path) }
}

test('a missing directory is created, and the check leaves no file in it', () => {
  const { directory, path, read } = stateIn(join(temporaryDirectory('state'), 'deep', 'state'))
  directory.check()
  assert.deepEqual([directory.problem, readdirSync(path)], [undefined, []])
  directory.save('desired.json', Buffer.from('one'))
  assert.equal(read('desired.json'), 'one')
})

test('a directory that cannot be written is reported before it is needed, and logged once', () => {
  const { directory, path, lines } = blockedState()
  for (let time = 0; time < 3; time++) directory.check()
  assert.match(
    directory.problem ?? '',
    /^it cannot write its state directory .*: configuration and revocations of the fleet are lost at its next restart$/,
  )
  assert.ok(directory.problem?.includes(path))
  assert.equal(lines.filter((line) => line.includes('state_unwritten')).length, 1)
})

test('a file that could not be written is written later, with its last content', () => {
  const { directory, free, read, lines } = blockedState()
  directory.save('desired.json', Buffer.from('one'))
  directory.save('desired.json', Buffer.from('two'))
  assert.ok(directory.problem)
  free()
  directory.check()
  assert.deepEqual([directory.problem, read('desired.json')], [undefined, 'two'])
  assert.ok(lines.some((line) => line.includes('state_written')))
})

test('a full disk is reported, and no incomplete file is left on it', () => {
  const { directory, path, read } = stateIn(temporaryDirectory('state'))
  // Every write to this device fails because no space is left.
  symlinkSync('/dev/full', join(path, 'desired.json.new'))
  directory.save('desired.json', Buffer.from('one'))
  assert.match(directory.problem ?? '', /ENOSPC|no space/i)
  assert.deepEqual(readdirSync(path), [])
  directory.check()
  assert.deepEqual([directory.problem, read('desired.json')], [undefined, 'one'])
})

test('the problem remains while one file cannot be written, even if others can be', () => {
  const { directory, path } = stateIn(temporaryDirectory('state'))
  mkdirSync(join(path, 'desired.json', 'in-the-way'), { recursive: true })
  directory.save('desired.json', Buffer.from('one'))
  directory.check()
  assert.ok(directory.problem)
  assert.equal(existsSync(join(path, 'desired.json.new')), false)
  rmSync(join(path, 'desired.json'), { recursive: true })
  directory.check()
  assert.equal(directory.problem, undefined)
})

test('a replaced process writes no more files, neither now nor later', () => {
  const { directory, path, free } = blockedState()
  directory.save('desired.json', Buffer.from('one'))
  directory.leave()
  free()
  directory.save('desired.json', Buffer.from('two'))
  directory.check()
  assert.equal(existsSync(path), false)
})
