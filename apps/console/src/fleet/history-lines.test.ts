import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linesOf } from './history-lines.ts'

const range = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:01:00.000Z', stepSeconds: 60 }
const historyWith = (totals: readonly (number | null)[]) => ({
  ...range,
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

test('a line leaves out a step that is cut short, unless it is the only one', () => {
  const groups = [{ group: 'eu', values: [[5, 5, 1]], totals: [11] }]
  assert.deepEqual(linesOf({ ...range, to: '2026-01-01T00:02:10.000Z', groups }, 0)[0]?.values, [5, 5])
  const only = [{ group: 'eu', values: [[1]], totals: [1] }]
  assert.deepEqual(linesOf({ ...range, to: '2026-01-01T00:00:10.000Z', groups: only }, 0)[0]?.values, [1])
})
