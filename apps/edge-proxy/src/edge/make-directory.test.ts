import assert from 'node:assert/strict'
import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { makeDirectory } from './make-directory.ts'

test('missing directories are created with the mode, and the topmost one is returned', () => {
  const base = temporaryDirectory('make-directory')
  assert.equal(makeDirectory(join(base, 'a/b/c'), 0o700), join(base, 'a'))
  assert.equal(statSync(join(base, 'a/b')).mode & 0o777, 0o700)
  assert.equal(makeDirectory(join(base, 'a/b/c'), 0o700), undefined)
  symlinkSync(join(base, 'a'), join(base, 'link'))
  assert.equal(makeDirectory(join(base, 'link/d'), 0o700), join(base, 'link/d'))
  assert.ok(existsSync(join(base, 'a/d')))
})

test('if no directory can be created, the error of the system is thrown', () => {
  const base = temporaryDirectory('make-directory')
  writeFileSync(join(base, 'file'), '')
  symlinkSync(join(base, 'nowhere'), join(base, 'dangling'))
  for (const [path, code] of [
    // mkdir() there is ENOENT, although the directory above exists.
    ['/proc/imapfleet', 'ENOENT'],
    ['/proc/imapfleet/state', 'ENOENT'],
    [join(base, 'file'), 'EEXIST'],
    [join(base, 'file/state'), 'ENOTDIR'],
    [join(base, 'dangling'), 'EEXIST'],
    [join(base, 'dangling/state'), 'EEXIST'],
  ] as const)
    assert.throws(() => makeDirectory(path, 0o700), { code }, path)
})
