import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { History } from '@imapfleet/api'
import { plain } from './colour.ts'
import { historyPlots, historyTable, metricFigure, shareFigure } from './history.ts'

const page = { width: undefined, paint: plain }
const at = (time: string) => new Date(`2026-03-01T${time}`).toISOString()
const history: History = {
  from: at('10:00:00'),
  to: at('10:03:00'),
  stepSeconds: 60,
  resolution: '1m',
  groupBy: 'region',
  metrics: ['logins_total', 'upstream_reuses_total', 'login_seconds:p95'],
  groups: [
    {
      group: 'eu',
      values: [
        [4, null, 0],
        [1, null, 0],
        [0.0125, null, null],
      ],
      totals: [4, 1, 0.0125],
    },
  ],
}
const figures = [
  metricFigure('logins_total'),
  shareFigure('RATIO', 'upstream_reuses_total', 'logins_total'),
  metricFigure('login_seconds:p95'),
]
const cells = (line: string) => line.trim().split(/ {2,}/)

test('each step is a row, the last row is the total, and each figure has its unit', () => {
  assert.deepEqual(historyTable(history, figures, page).map(cells), [
    ['TIME', 'REGION', 'logins_total', 'RATIO', 'login_seconds:p95'],
    ['10:00', 'eu', '4', '25.0 %', '12.5 ms'],
    ['10:01', 'eu', '-', '-', '-'],
    ['10:02', 'eu', '0', '-', '-'],
    ['TOTAL', 'eu', '4', '25.0 %', '12.5 ms'],
  ])
})

test('a history of the whole fleet has no column for the group', () => {
  const [titles] = historyTable({ ...history, groupBy: 'fleet' }, figures, page)
  assert.doesNotMatch(titles ?? '', /FLEET|REGION/)
})

test('a range over midnight shows the day, short steps show seconds', () => {
  const long = historyTable({ ...history, to: new Date('2026-03-02T10:03:00').toISOString() }, figures, page)
  assert.match(long[1] ?? '', /^03-01 10:00 /)
  assert.match(historyTable({ ...history, stepSeconds: 10 }, figures, page)[2] ?? '', /^10:00:10 /)
})

test('a last step that is cut short shows its end', () => {
  const times = historyTable({ ...history, to: at('10:02:20') }, figures, page).map((line) => cells(line)[0])
  assert.deepEqual(times, ['TIME', '10:00', '10:01', '10:02 to 10:02:20', 'TOTAL'])
})

test('a chart leaves out a step that is cut short, unless it is the only one', () => {
  const cut = historyPlots({ ...history, to: at('10:02:20') }, figures, page, 60).join('\n')
  assert.match(cut, /10:00 +10:02$/m)
  const only = {
    ...history,
    to: at('10:00:20'),
    groups: [{ group: 'eu', values: [[4], [1], [0.0125]], totals: [4, 1, 0.0125] }],
  }
  assert.match(historyPlots(only, figures, page, 60).join('\n'), /^ 12\.5 ms │█/m)
})

test('without reports there is no table', () => {
  assert.deepEqual(historyTable({ ...history, groups: [] }, figures, page), [])
})

test('steps before the first report are left out, and later gaps stay', () => {
  const values = [
    [null, 1, null, 2],
    [null, null, null, null],
    [null, null, null, null],
  ]
  const totals = [3, null, null]
  const late = { ...history, groups: [{ group: 'eu', values, totals }] }
  const times = historyTable(late, figures, page).map((line) => cells(line)[0])
  assert.deepEqual(times, ['TIME', '10:01', '10:02', '10:03', 'TOTAL'])
})

test('there is a chart for each group and figure, with its total and both ends of the time', () => {
  const text = historyPlots(history, figures, page, 60).join('\n')
  assert.match(text, /^eu {2}logins_total {2}4$/m)
  assert.match(text, /^eu {2}RATIO {2}25\.0 %$/m)
  assert.match(text, /^ 12\.5 ms │/m)
  assert.match(text, /10:00 +10:03$/m)
})
