import assert from 'node:assert/strict'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { keyOf, readTable, writeTable, type Judgement } from './mutants-page.ts'
import { mutants } from './mutants.ts'

const page = fileURLToPath(new URL('../../../docs/simulation.md', import.meta.url))

test('the table keeps every result, and has a row for each planted fault', () => {
  const copy = join(temporaryDirectory('mutants'), 'simulation.md')
  copyFileSync(page, copy)
  const results: Judgement[] = [
    { units: true, simulation: 7 },
    { units: false, simulation: false },
    { units: true },
    {},
  ]
  const judged = mutants.map((mutant, index) => ({ ...mutant, ...results[index % results.length] }))
  writeTable(copy, judged)
  assert.deepEqual(
    readTable(copy),
    new Map(mutants.map((mutant, index) => [keyOf(mutant), results[index % results.length]])),
  )
  const [before, after] = [page, copy].map((file) => readFileSync(file, 'utf8').split('<!-- mutants')[0])
  assert.equal(after, before)
})

test('each planted fault has its own guarantee', () => {
  assert.equal(new Set(mutants.map(keyOf)).size, mutants.length)
})
