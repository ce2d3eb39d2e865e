import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyStart, linesOf, previousLines, previousSum } from './history-lines.ts'

const historyWith = (totals: readonly (number | null)[]) => ({
  groups: totals.map((total, index) => ({ group: `eu-${index}`, values: [[total]], totals: [total] })),
})

test('a few groups are all drawn, in order', () => {
  const lines = linesOf(historyWith([1, null, 3]), 0)
  assert.deepEqual(
    lines.map(({ name, colour }) => [name, colour]),
    [
      ['eu-0', 0],
      ['eu-1', 1],
      ['eu-2', 2],
    ],
  )
})

test('of a thousand groups the highest are drawn, and groups without reports come last', () => {
  const totals = Array.from({ length: 1_000 }, (_, index) => (index % 2 === 0 ? null : index))
  const names = linesOf(historyWith(totals), 0).map(({ name }) => name)
  assert.equal(names.length, 12)
  assert.deepEqual(names.slice(0, 3), ['eu-999', 'eu-997', 'eu-995'])
  assert.deepEqual(linesOf(historyWith(totals), 0)[0]?.values, [999])
})

test('the period before has the lines of the present one, in the same colours, with gaps where it has no value', () => {
  const now = historyWith([3, 1])
  const lines = linesOf({ groups: now.groups.map((group) => ({ ...group, values: [[1, 2, 3]] })) }, 0)
  const before = previousLines({ groups: [{ group: 'eu-1', values: [[7, 8]], totals: [15] }] }, 0, lines)
  assert.deepEqual(
    before.map(({ name, colour, values, kind }) => [name, colour, values, kind]),
    [
      ['eu-0 before', 0, [null, null, null], 'previous'],
      ['eu-1 before', 1, [7, 8, null], 'previous'],
    ],
  )
})

test('stacked lines are compared with the sum of the period before', () => {
  const lines = linesOf(
    { groups: historyWith([3, 1]).groups.map((group) => ({ ...group, values: [[1, 2]] })) },
    0,
  )
  const [sum, ...others] = previousSum(lines)
  assert.deepEqual([sum?.values, sum?.kind, others], [[2, 4], 'previous', []])
})

test('a start without reports is left out if it is more than half of the range', () => {
  const starting = (values: readonly (number | null)[]) =>
    emptyStart({ groups: [{ group: 'eu', values: [[...values]], totals: [null] }] })
  assert.equal(starting([null, null, null, 4]), 3)
  assert.equal(starting([null, null, 3, 4]), 0)
  assert.equal(starting([null, null, null]), 0, 'nothing at all')
  assert.equal(starting([]), 0)
})
