/**
 * A table. In a narrow window each row becomes a card whose cells show their titles. The first rows of a long one are drawn
 * first, and all others soon after them.
 */
import type { routes } from '@imapfleet/api'
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { mayCall } from '../api/rights.ts'

export interface TableColumn<Row> {
  title: string
  cell: (row: Row) => ComponentChildren
  /** `number`: right-aligned; `fixed`: not wrapped; `wide`: takes the remaining width; `head`: names the row;
   * `actions`: buttons, at the right. */
  kind?: 'number' | 'fixed' | 'wide' | 'head' | 'actions'
  /** Only shown to those who may use this route. */
  needs?: keyof typeof routes
}

interface TableProps<Row> {
  /** For screen readers. */
  caption: string
  columns: readonly TableColumn<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string | number
}

/** Of a row, in pixels: none is lower, so the first rows are more than a window shows. */
const rowHeightMin = 24
/** Of later rows, so that a click or a key is not waited for long. */
const rowsAtOnce = 200

/** How many rows are drawn: more and more, until all are. */
function useDrawn(count: number): number {
  const [drawn, setDrawn] = useState(() => Math.ceil(window.innerHeight / rowHeightMin))
  const isPartial = drawn < count
  useEffect(() => {
    if (!isPartial) return undefined
    const timer = setTimeout(() => setDrawn(drawn + rowsAtOnce))
    return () => clearTimeout(timer)
  }, [drawn, isPartial])
  return drawn
}

export function Table<Row>({ caption, columns: all, rows, keyOf }: TableProps<Row>) {
  const columns = all.filter(({ needs }) => needs === undefined || mayCall(needs))
  const drawn = useDrawn(rows.length)
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
          {rows.slice(0, drawn).map((row) => (
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
