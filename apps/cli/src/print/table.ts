/**
 * Aligns rows as text. Every cell passes through `safe` here, so no command can forget it. On a terminal, a table
 * that is too wide shortens its longest columns. In a pipe (no width) nothing is cut. Without rows it prints nothing,
 * not even titles.
 */
import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'
import type { Paint, Style } from './colour.ts'
import { safe } from './safe.ts'

export interface Column<Row> {
  title: string
  cell: (row: Row) => string
  align?: 'left' | 'right'
  /** Where to shorten: in the middle, if the end of the text matters too. */
  cut?: 'end' | 'middle'
  /** Undefined: plain. */
  style?: (row: Row) => Style | undefined
}

export interface TableLayout {
  /** Columns of the terminal; undefined: unlimited. */
  width: number | undefined
  paint: Paint
}

const gap = '  '
/** The smallest width of a shortened column. */
const widthMin = 8

export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  page: TableLayout,
): string[] {
  if (rows.length === 0) return []
  const cells = rows.map((row) => columns.map((column) => safe(column.cell(row))))
  const titles = columns.map((column) => column.title)
  const widths = fit(
    titles.map((title, index) =>
      Math.max(stringWidth(title), ...cells.map((line) => stringWidth(line[index] ?? ''))),
    ),
    page.width,
  )
  const line = (texts: readonly string[], style: (index: number) => Style | undefined) =>
    texts
      .map((text, index) => {
        const last = index === texts.length - 1
        const width = widths[index] ?? 0
        const cut = cliTruncate(text, width, { position: columns[index]?.cut ?? 'end' })
        const fitted = align(cut, width, columns[index]?.align, last)
        const wanted = style(index)
        return wanted === undefined ? fitted : page.paint(wanted, fitted)
      })
      .join(gap)
      .trimEnd()
  return [
    line(titles, () => 'bold'),
    ...rows.map((row, index) => line(cells[index] ?? [], (column) => columns[column]?.style?.(row))),
  ]
}

/** The width of the table without any shortening. */
export function tableWidth<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): number {
  const widths = columns.map(({ title, cell }) =>
    Math.max(stringWidth(title), ...rows.map((row) => stringWidth(safe(cell(row))))),
  )
  return widths.reduce((sum, width) => sum + width, gap.length * (columns.length - 1))
}

/** Name and value, one per line, for a single object. */
export function facts(pairs: readonly (readonly [string, string])[], page: TableLayout): string[] {
  const width = Math.max(0, ...pairs.map(([name]) => stringWidth(name)))
  return pairs.map(([name, value]) =>
    `${page.paint('bold', align(name, width, 'left', false))}${gap}${safe(value)}`.trimEnd(),
  )
}

/** Breaks a list into lines that fit the terminal. A part is never broken. */
export function wrapped(parts: readonly string[], between: string, width: number | undefined): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const line = lines.pop()
    const longer = line === undefined ? part : `${line}${between}${part}`
    if (line === undefined || width === undefined || stringWidth(longer) <= width) lines.push(longer)
    else lines.push(line, part)
  }
  return lines
}

function align(text: string, width: number, side: 'left' | 'right' = 'left', last: boolean): string {
  const blank = ' '.repeat(Math.max(0, width - stringWidth(text)))
  if (side === 'right') return blank + text
  return last ? text : text + blank
}

/** Shortens the widest column repeatedly, until all fit or none can be shortened. */
function fit(widths: number[], total: number | undefined): number[] {
  if (total === undefined) return widths
  const fitted = [...widths]
  let excess = fitted.reduce((sum, width) => sum + width, 0) + gap.length * (fitted.length - 1) - total
  while (excess > 0) {
    const widest = fitted.indexOf(Math.max(...fitted))
    const width = fitted[widest] ?? 0
    if (width <= widthMin) break
    fitted[widest] = width - 1
    excess -= 1
  }
  return fitted
}
