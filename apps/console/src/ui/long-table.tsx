/**
 * A table of any length with a head that stays visible. Only the rows in the window, and some around them, are in the
 * document, so all rows must have the same height. In a narrow window each row becomes a card.
 */
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { useRowWindow } from './row-window.ts'
import './long-table.css'

export interface LongColumn<Row, Key extends string> {
  key: Key
  title: string
  /** Hovering over the title shows it. */
  help?: string
  cell: (row: Row) => ComponentChildren
  /** Also sets the width. */
  class: string
}

interface LongTableProps<Row, Key extends string> {
  /** For screen readers. */
  caption: string
  columns: readonly LongColumn<Row, Key>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  sort: { key: string; isDescending: boolean }
  onSort: (key: Key) => void
}

export function LongTable<Row, Key extends string>(props: LongTableProps<Row, Key>) {
  const { caption, columns, rows, keyOf, sort, onSort } = props
  const table = useRef<HTMLTableElement>(null)
  const { first, end } = useRowWindow(table, rows.length)
  return (
    <table class="long-table" role="table" aria-rowcount={rows.length + 1} ref={table}>
      <caption class="unseen">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row" aria-rowindex={1}>
          {columns.map(({ key, title, help, class: kind }) => {
            const direction = sort.isDescending ? 'descending' : 'ascending'
            return (
              <th
                key={key}
                scope="col"
                role="columnheader"
                class={kind}
                aria-sort={sort.key === key ? direction : 'none'}
              >
                <button type="button" title={help} onClick={() => onSort(key)}>
                  {title}
                </button>
              </th>
            )
          })}
        </tr>
      </thead>
      <tbody class="before" aria-hidden="true">
        <tr>
          <td />
        </tr>
      </tbody>
      <tbody class="rows" role="rowgroup">
        {rows.slice(first, end).map((row, index) => (
          <tr key={keyOf(row)} role="row" aria-rowindex={first + index + 2}>
            {columns.map(({ key, title, class: kind, cell }) => (
              <td key={key} role="cell" class={kind} data-label={title}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
      <tbody class="after" aria-hidden="true">
        <tr>
          <td />
        </tr>
      </tbody>
    </table>
  )
}
