import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { keyOf, resultsIn, withResults, type Judgement } from './mutants-page.ts'
import { mutants } from './mutants.ts'

const page = readFileSync(new URL('../../../docs/simulation.md', import.meta.url), 'utf8')

test('the table keeps every result, and has a row for each planted fault', () => {
  const results: Judgement[] = [
    { units: true, simulation: 7 },
    { units: false, simulation: false },
    { units: true },
    {},
  ]
  const resultOf = (index: number) => results[index % results.length]!
  const written = withResults(
    page,
    mutants.map((mutant, index) => ({ ...mutant, ...resultOf(index) })),
  )
  assert.deepEqual(
    resultsIn(written),
    new Map(mutants.map((mutant, index) => [keyOf(mutant), resultOf(index)])),
  )
  const beforeTable = (text: string) => text.split('<!-- mutants')[0]
  assert.equal(beforeTable(written), beforeTable(page))
})

test('each planted fault has its own guarantee', () => {
  assert.equal(new Set(mutants.map(keyOf)).size, mutants.length)
})
