import assert from 'node:assert/strict'
import { test } from 'node:test'
import { historyCsv } from './history-csv.ts'

test('one row for each step and group; a gap is empty, not zero; quotes and commas are escaped', () => {
  const csv = historyCsv({
    from: '2026-11-27T10:00:00.000Z',
    to: '2026-11-27T10:02:00.000Z',
    stepSeconds: 60,
    resolution: '1m',
    groupBy: 'region',
    metrics: ['logins_total{upstream="a",result="ok"}', 'upstreams_idle'],
    groups: [
      {
        group: 'eu',
        values: [
          [1, null],
          [0.5, 0],
        ],
        totals: [1, 0.25],
      },
      {
        group: 'us',
        values: [
          [2, 3],
          [null, null],
        ],
        totals: [5, null],
      },
    ],
  })
  assert.equal(
    csv,
    [
      'time,region,"logins_total{upstream=""a"",result=""ok""}",upstreams_idle',
      '2026-11-27T10:00:00.000Z,eu,1,0.5',
      '2026-11-27T10:00:00.000Z,us,2,',
      '2026-11-27T10:01:00.000Z,eu,,0',
      '2026-11-27T10:01:00.000Z,us,3,',
      '',
    ].join('\r\n'),
  )
})
