import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { plain } from './colour.ts'
import { formatCount } from './number.ts'
import { fitSteps, plot } from './plot.ts'

const chart = (values: (number | null)[]) => ({
  title: 'logins',
  values,
  print: formatCount,
  from: '10:00',
  to: '11:00',
})

test('the highest value fills its column, half of it fills half, and a gap is a dot', () => {
  const lines = plot(chart([0, 6, 12, null]), 14, plain)
  const bars = lines.slice(1, 7).map((line) => line.slice(line.indexOf('│') + 1).padEnd(8))
  assert.deepEqual(
    bars.map((line) => [line[4], line[2], line[0], line[6]].join('')),
    ['█   ', '█   ', '█   ', '██  ', '██  ', '██ ·'],
  )
})

test('the axis shows the highest value, zero, and both ends of the time', () => {
  const text = plot(chart([1, 2, 1500]), 60, plain).join('\n')
  assert.match(text, /^ 1,500 │/m)
  assert.match(text, /^ +0 └─+$/m)
  assert.match(text, /10:00 +11:00$/)
})

test('a small value next to a huge one is visible', () => {
  const bottom = plot(chart([1, 1_000_000]), 20, plain)[6] ?? ''
  assert.match(bottom, /▁+█+/)
})

test('only zeros, only gaps, and no values are drawn without bars', () => {
  for (const values of [[0, 0], [null], []])
    assert.doesNotMatch(plot(chart(values), 40, plain).join(''), /[▁-█]/)
})

test('any number of steps fits any width, and every value counts in the average', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 120 }),
      (values, width) => {
        const columns = fitSteps(values, width)
        assert.ok(columns.length <= width)
        assert.ok(
          columns.every(
            (value) => value !== null && value >= Math.min(...values) && value <= Math.max(...values),
          ),
        )
      },
    ),
  )
})

test('a column is a gap only if all its values are gaps', () => {
  assert.deepEqual(fitSteps([null, null, 4, null], 2), [null, 4])
})
