import assert from 'node:assert/strict'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { InstalledProgram } from './program.ts'

test('a program that was replaced or removed has changed, and one that was only read has not', () => {
  const directory = temporaryDirectory('program')
  const [node, bundle] = [join(directory, 'node'), join(directory, 'edge.mjs')]
  for (const file of [node, bundle]) writeFileSync(file, 'first')
  const program = new InstalledProgram([node, bundle])
  assert.equal(program.hasChanged, false)

  writeFileSync(`${bundle}.new`, 'other')
  renameSync(`${bundle}.new`, bundle)
  assert.equal(program.hasChanged, true)
  const upgraded = new InstalledProgram([node, bundle])
  assert.equal(upgraded.hasChanged, false)
  rmSync(node)
  assert.equal(upgraded.hasChanged, true)
})
