import assert from 'node:assert/strict'
import { test } from 'node:test'
import { visibleRows, wholeMax } from './visible-rows.ts'

const look = { rowHeight: 34, windowHeight: 800 }

test('the rows in the window and some around them are shown, at every place of a long table', () => {
  for (let top = 500; top > -1_000 * 34; top -= 171) {
    const { first, end } = visibleRows(1_000, { ...look, top })
    assert.ok(end - first < 60, `${end - first} rows`)
    const [firstSeen, lastSeen] = [Math.max(0, -top / 34), Math.min(999, (800 - top) / 34)]
    assert.ok(first <= firstSeen && end > Math.floor(lastSeen), `${first} to ${end} at ${top}`)
  }
})

test('a table that became shorter than the place it was scrolled to shows its last rows', () => {
  const { first, end } = visibleRows(100, { ...look, top: -30_000 })
  assert.equal(end, 100)
  assert.ok(first < 80)
})

test('a short table is shown as a whole', () => {
  assert.deepEqual(visibleRows(wholeMax, { ...look, top: -900 }), { first: 0, end: wholeMax })
})
