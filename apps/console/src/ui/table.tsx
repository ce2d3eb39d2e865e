/** A table. In a narrow window each row becomes a card whose cells show their titles. */
import type { ComponentChildren } from 'preact'

export interface TableColumn<Row> {
  title: string
  cell: (row: Row) => ComponentChildren
  /** `number`: right-aligned; `fixed`: not wrapped; `wide`: takes the remaining width; `head`: names the row. */
  kind?: 'number' | 'fixed' | 'wide' | 'head'
}

interface TableProps<Row> {
  /** For screen readers. */
  caption: string
  columns: readonly TableColumn<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string | number
}

export function Table<Row>({ caption, columns, rows, keyOf }: TableProps<Row>) {
  return (
    <div class="table-box">
      <table class="table" role="table">
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ title, kind }) => (
              <th key={title} scope="col" role="columnheader" class={kind}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} role="row">
              {columns.map(({ title, kind, cell }) => (
                <td key={title} role="cell" class={kind} data-label={title}>
                  <div>{cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
