/** A column with the id of an edge. */
import type { Column } from './table.ts'

/** Ids may have 63 characters. A long one is shortened before other columns are hidden for it. */
const room = 24

/** Cut in the middle: ids often share their beginning. */
export const edgeColumn = <Row>(title: string, cell: (row: Row) => string): Column<Row> => ({
  ...{ title, cell, room },
  cut: 'middle',
})
