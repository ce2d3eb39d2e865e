/** A column with a moment: the local time for people, ISO 8601 in CSV. */
import type { Column } from './table.ts'
import { dayAndClock } from './time.ts'

/** Hidden before others on a narrow terminal, but never shortened. */
export const timeColumn = <Row>(title: string, at: (row: Row) => string): Column<Row> => ({
  title,
  cell: (row) => dayAndClock(at(row)),
  raw: at,
  cut: 'never',
  hide: 'first',
})
