import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linesOf } from './history-lines.ts'

const groupsOf = (totals: readonly (number | null)[]) =>
  totals.map((total, index) => ({ group: `eu-${index}`, values: [[total]], totals: [total] }))

test('a few groups are all drawn, in order', () => {
  const lines = linesOf({ groups: groupsOf([1, null, 3]) }, 0)
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
  const names = linesOf({ groups: groupsOf(totals) }, 0).map(({ name }) => name)
  assert.equal(names.length, 12)
  assert.deepEqual(names.slice(0, 3), ['eu-999', 'eu-997', 'eu-995'])
  assert.deepEqual(linesOf({ groups: groupsOf(totals) }, 0)[0]?.values, [999])
})
