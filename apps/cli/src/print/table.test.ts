import assert from 'node:assert/strict'
import { test } from 'node:test'
import { safe } from '@imapfleet/api'
import stringWidth from 'string-width'
import fc from 'fast-check'
import { plain } from './colour.ts'
import { csvLines, nameLines } from './csv.ts'
import { facts, table, type Column, type PlainTable } from './table.ts'

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

interface Item {
  id: string
  note: string
  when: string
  active: number
}
const items: Item[] = [
  {
    id: '0a9d2b6e-1111-4222-8333-444455556666',
    note: 'a long remark about it',
    when: '2026-03-01',
    active: 12,
  },
]
const itemColumns: Column<Item>[] = [
  { title: 'ID', cell: ({ id }) => id, cut: 'never' },
  { title: 'WHEN', cell: ({ when }) => when, raw: () => 'iso', hide: 'first' },
  { title: 'ACTIVE', cell: ({ active }) => String(active), align: 'right' },
  { title: 'EXTRA', cell: () => 'more', isExtra: true },
  { title: 'NOTE', cell: ({ note }) => note, hide: 'never' },
]
const titlesAt = (width: number) =>
  table(itemColumns, items, { width, paint: plain })[0]?.split(/ +/).filter(Boolean)

test('on a narrow terminal columns are hidden before ids and numbers would be cut, and no line wraps', () => {
  assert.deepEqual(titlesAt(90), ['ID', 'WHEN', 'ACTIVE', 'NOTE'])
  assert.deepEqual(titlesAt(60), ['ID', 'ACTIVE', 'NOTE'])
  assert.deepEqual(titlesAt(50), ['ID', 'NOTE'])
  assert.deepEqual(titlesAt(40), ['ID'])
  for (let width = 1; width < 100; width++)
    for (const line of table(itemColumns, items, { width, paint: plain }))
      assert.ok(stringWidth(line) <= width, `${width}: ${line}`)
  for (const width of [36, 46, 60, 90])
    assert.match(
      table(itemColumns, items, { width, paint: plain })[1]!,
      /^0a9d2b6e-1111-4222-8333-444455556666/,
    )
})

test('a wide table has all columns, uncut; without titles only the rows are printed', () => {
  const wide = table(itemColumns, items, { width: undefined, paint: plain, isWide: true })
  assert.match(wide[0]!, /^ID +WHEN +ACTIVE +EXTRA +NOTE$/)
  assert.equal(table(itemColumns, items, { width: undefined, paint: plain, hasTitles: false }).length, 1)
})

test('programs get all columns, with values that they can read', () => {
  const tables: PlainTable[] = []
  const collecting = { width: 20, paint: plain, collect: (its: PlainTable) => void tables.push(its) }
  const twice = [{ ...items[0]!, note: 'a "b", c' }, items[0]!]
  assert.deepEqual(table(itemColumns, twice, collecting), [])
  assert.deepEqual(facts([['a', 'b']], collecting), [])
  const { id } = items[0]!
  assert.deepEqual(csvLines(tables[0]!, true), [
    'id,when,active,extra,note',
    `${id},iso,12,more,"a ""b"", c"`,
    `${id},iso,12,more,a long remark about it`,
  ])
  assert.equal(csvLines(tables[0]!, false).length, 2)
  assert.deepEqual(nameLines(tables[0]!), [id])
  table(itemColumns, [], collecting)
  assert.deepEqual(csvLines(tables[1]!, true), ['id,when,active,extra,note'])
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
