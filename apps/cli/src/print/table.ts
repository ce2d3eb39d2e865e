/**
 * Aligns rows as text. Every cell passes through `safe` here, so no command can forget it. On a terminal, a table
 * that is too wide loses columns and shortens others, so that no line wraps. In a pipe (no width) nothing is cut.
 * Without rows it prints nothing, not even titles.
 */
import { safe } from '@imapfleet/api'
import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'
import type { Paint, Style } from './colour.ts'

export interface Column<Row> {
  title: string
  cell: (row: Row) => string
  /** For CSV, where a program reads the value: a moment in ISO 8601 instead of `3 s ago`. */
  raw?: (row: Row) => string
  /** Numbers are aligned to the right, and are not shortened. */
  align?: 'left' | 'right'
  /** Where to shorten: in the middle, if the end of the text matters too. `never`: an id that is copied. */
  cut?: 'end' | 'middle' | 'never'
  /** On a narrow terminal, columns are hidden from right to left; these before others, or not at all. */
  hide?: 'first' | 'never'
  /** The least width. Other columns are hidden before this one gets narrower. Default: 8. */
  room?: number
  /** Only with `--output wide` and in CSV. */
  isExtra?: true
  /** Undefined: plain. */
  style?: (row: Row) => Style | undefined
}

/** A table as data, for CSV and lists of names: titles, and the cells of each row. */
export interface PlainTable {
  titles: readonly string[]
  rows: readonly (readonly string[])[]
}

export interface TableLayout {
  /** Columns of the terminal; undefined: unlimited. */
  width: number | undefined
  paint: Paint
  /** False: without the line of titles. */
  hasTitles?: boolean
  isWide?: boolean
  /** Takes the tables instead of printing them. */
  collect?: (table: PlainTable) => void
}

const gap = '  '
/** The smallest width of a shortened column. */
const widthMin = 8

export function table<Row>(all: readonly Column<Row>[], rows: readonly Row[], page: TableLayout): string[] {
  if (page.collect) {
    const cells = (row: Row) => all.map((column) => safe((column.raw ?? column.cell)(row)))
    page.collect({ titles: all.map(({ title }) => title), rows: rows.map(cells) })
    return []
  }
  if (rows.length === 0) return []
  const shown = page.isWide ? all : all.filter(({ isExtra }) => !isExtra)
  const sized = shown.map((column) => {
    const cells = rows.map((row) => safe(column.cell(row)))
    return {
      column,
      cells,
      width: Math.max(stringWidth(column.title), ...cells.map((cell) => stringWidth(cell))),
    }
  })
  const fitted = fit(page.isWide ? sized : visible(sized, page.width), page.width)
  const line = (textOf: (at: number) => string, style: (at: number) => Style | undefined) =>
    fitted
      .map(({ column, width }, at) => {
        const { align, cut = 'end' } = column
        const text = cliTruncate(textOf(at), width, { position: cut === 'never' ? 'end' : cut })
        const cell = aligned(text, width, align, at === fitted.length - 1)
        const wanted = style(at)
        return wanted === undefined ? cell : page.paint(wanted, cell)
      })
      .join(gap)
      .trimEnd()
  return [
    ...(page.hasTitles === false
      ? []
      : [
          line(
            (at) => fitted[at]?.column.title ?? '',
            () => 'bold',
          ),
        ]),
    ...rows.map((row, index) =>
      line(
        (at) => fitted[at]?.cells[index] ?? '',
        (at) => fitted[at]?.column.style?.(row),
      ),
    ),
  ]
}

interface Sized<Row> {
  column: Column<Row>
  cells: readonly string[]
  width: number
}

const total = (widths: readonly number[]) =>
  widths.reduce((sum, width) => sum + width, gap.length * Math.max(0, widths.length - 1))

/** How narrow a column may become. */
const narrowest = ({ column, width }: Sized<never>): number =>
  column.align === 'right' || column.cut === 'never' ? width : Math.min(width, column.room ?? widthMin)

/** Without the columns for which there is no room. The first one always stays. */
function visible<Row>(columns: readonly Sized<Row>[], width: number | undefined): readonly Sized<Row>[] {
  const kept = [...columns]
  const isTooWide = () => width !== undefined && total(kept.map(narrowest)) > width
  const hideOne = (may: (column: Column<Row>) => boolean) => {
    const at = kept.findLastIndex(({ column }, index) => index > 0 && may(column))
    if (at > 0) kept.splice(at, 1)
    return at > 0
  }
  while (isTooWide()) {
    const isHidden =
      hideOne(({ hide }) => hide === 'first') ||
      hideOne(({ hide }) => hide !== 'never') ||
      hideOne(() => true)
    if (!isHidden) break
  }
  return kept
}

/** The width of the table if only columns with a `room` are shortened. */
export function tableWidth<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): number {
  const widths = columns.map(({ title, cell, room = Infinity }) =>
    Math.max(stringWidth(title), ...rows.map((row) => Math.min(room, stringWidth(safe(cell(row)))))),
  )
  return total(widths)
}

/** Name and value, one per line, for a single object. */
export function facts(pairs: readonly (readonly [string, string])[], page: TableLayout): string[] {
  if (page.collect) return []
  const width = Math.max(0, ...pairs.map(([name]) => stringWidth(name)))
  return pairs.map(([name, value]) =>
    `${page.paint('bold', aligned(name, width, 'left', false))}${gap}${safe(value)}`.trimEnd(),
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

function aligned(text: string, width: number, side: 'left' | 'right' = 'left', last: boolean): string {
  const blank = ' '.repeat(Math.max(0, width - stringWidth(text)))
  if (side === 'right') return blank + text
  return last ? text : text + blank
}

/** Shortens the widest text repeatedly, until all fit or none can be shortened; then whatever is widest. */
function fit<Row>(columns: readonly Sized<Row>[], width: number | undefined): readonly Sized<Row>[] {
  if (width === undefined) return columns
  const widths = columns.map((column) => column.width)
  for (const least of [columns.map(narrowest), columns.map(() => 1)]) {
    while (total(widths) > width) {
      const room = widths.map((its, at) => (its > (least[at] ?? 0) ? its : 0))
      const widest = room.indexOf(Math.max(...room))
      if (!room[widest]) break
      widths[widest] = room[widest] - 1
    }
  }
  return columns.map((column, at) => ({ ...column, width: widths[at] ?? 0 }))
}
