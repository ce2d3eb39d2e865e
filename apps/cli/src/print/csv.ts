/** Tables for programs: as CSV (RFC 4180), or as the names in their first column. */
import type { PlainTable } from './table.ts'

/** Titles in lower case, such as `last_seen`. */
export function csvLines({ titles, rows }: PlainTable, hasTitles: boolean): string[] {
  const head = titles.map((title) =>
    title
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^_|_$/g, ''),
  )
  return [...(hasTitles ? [head] : []), ...rows].map((row) => row.map(quoted).join(','))
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

/** Each name once. */
export const nameLines = ({ rows }: PlainTable): string[] => [...new Set(rows.map(([name = '']) => name))]
