import assert from 'node:assert/strict'
import { test } from 'node:test'
import stringWidth from 'string-width'
import fc from 'fast-check'
import { plain } from './colour.ts'
import { safe } from './safe.ts'
import { facts, table, type Column } from './table.ts'

interface Edge {
  id: string
  active: number
}
const columns: Column<Edge>[] = [
  { title: 'ID', cell: (row) => row.id },
  { title: 'ACTIVE', cell: (row) => String(row.active), align: 'right' },
  { title: 'NOTE', cell: () => 'fine' },
]
const piped = { width: undefined, paint: plain }

test('columns are aligned with their titles, and no line ends with blanks', () => {
  assert.deepEqual(
    table(
      columns,
      [
        { id: 'eu-1', active: 3 },
        { id: 'us-east-1', active: 12 },
      ],
      piped,
    ),
    ['ID         ACTIVE  NOTE', 'eu-1            3  fine', 'us-east-1      12  fine'],
  )
})

test('wide letters count as two columns', () => {
  const [, first, second] = table(
    columns,
    [
      { id: '山田', active: 1 },
      { id: 'abcd', active: 1 },
    ],
    piped,
  )
  assert.equal(stringWidth(first ?? ''), stringWidth(second ?? ''))
})

test('a control character in a cell is written out', () => {
  assert.match(table(columns, [{ id: 'e\x1b[31m', active: 1 }], piped).join('\n'), /e\\x1b\[31m/)
})

test('nothing is cut in a pipe', () => {
  const id = 'x'.repeat(500)
  assert.ok(
    table(columns, [{ id, active: 1 }], piped)
      .join('\n')
      .includes(id),
  )
})

test('on a terminal the longest column is cut until the table fits', () => {
  const lines = table(columns, [{ id: 'x'.repeat(500), active: 1 }], { width: 40, paint: plain })
  assert.equal(Math.max(...lines.map((line) => line.length)), 40)
  assert.match(lines[1] ?? '', /^x+… +1 {2}fine$/)
})

test('colours do not change the alignment', () => {
  const painted = table(
    [{ ...columns[0]!, style: () => 'red' as const }, columns[1]!],
    [{ id: 'a', active: 1 }],
    {
      width: undefined,
      paint: (style, text) => `<${String(style)}:${text}>`,
    },
  )
  assert.equal(painted[1], '<red:a >       1')
})

test('a table is never wider than the terminal, and does not change text that fits', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.nat(40),
      fc.constantFrom('end', 'middle'),
      (text, more, cut) => {
        const width = 8 + more
        const [, line = ''] = table([{ title: 'T', cell: (row: string) => row, cut }], [text], {
          width,
          paint: plain,
        })
        assert.ok(stringWidth(line) <= width)
        if (stringWidth(safe(text)) <= width) assert.equal(line, safe(text).trimEnd())
      },
    ),
  )
})

test('the values of facts are aligned', () => {
  assert.deepEqual(
    facts(
      [
        ['id', 'eu-1'],
        ['last seen', 'now'],
      ],
      piped,
    ),
    ['id         eu-1', 'last seen  now'],
  )
})
