/** Markdown tables with aligned columns, readable on a terminal and unchanged by prettier. */

export function alignedTable(header: string[], rows: string[][]): string {
  const widths = header.map((_, column) =>
    Math.max(3, ...[header, ...rows].map((row) => width(row[column] ?? ''))),
  )
  const line = (cells: string[]) =>
    `| ${widths.map((wide, column) => pad(cells[column] ?? '', wide)).join(' | ')} |`
  const rule = `| ${widths.map((wide) => '-'.repeat(wide)).join(' | ')} |`
  return [line(header), rule, ...rows.map(line)].join('\n')
}

function width(text: string): number {
  return Array.from(text).length
}

function pad(text: string, wide: number): string {
  return text + ' '.repeat(wide - width(text))
}

/** Three significant digits, with a thousands separator: 0.0412, 1.23, 45.6, 7,890. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return Number(value.toPrecision(3)).toString()
}
