import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawnLines, type ChartLine } from './chart-series.ts'

const line = (values: ChartLine['values'], kind?: ChartLine['kind']): ChartLine => ({
  name: 'eu',
  colour: 0,
  values,
  ...(kind && { kind }),
})

test('the unfinished step is drawn apart, connected to the last finished one', () => {
  const [drawn] = drawnLines([line([5, 6, 1])], { isStacked: false, isUnfinished: true })
  assert.deepEqual(drawn?.values, [5, 6, null])
  assert.deepEqual(drawn?.unfinished, [null, 6, 1])
})

test('a single step, a finished one, and the previous period have no unfinished part', () => {
  const of = (given: ChartLine, isUnfinished: boolean) =>
    drawnLines([given], { isStacked: false, isUnfinished })[0]
  assert.deepEqual(of(line([5]), true), { line: line([5]), values: [5] })
  assert.equal(of(line([5, 6]), false)?.unfinished, undefined)
  assert.deepEqual(of(line([5, 6], 'previous'), true)?.values, [5, 6])
})

test('stacked lines lie on each other; a gap counts as zero unless all have it; limits are not stacked', () => {
  const lines = [line([1, null, null]), line([10], 'limit'), line([2, 3, null])]
  const drawn = drawnLines(lines, { isStacked: true, isUnfinished: false })
  assert.deepEqual(
    drawn.map(({ values, on }) => [values, on]),
    [
      [[1, null, null], undefined],
      [[10], undefined],
      [[3, 3, null], 0],
    ],
  )
})
