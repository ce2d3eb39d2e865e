/**
 * One page of a list, and the cursor of the next page. One additional row is read, which tells whether there is a
 * next page.
 */
import { ServiceError } from '../errors.ts'

/** `C`: a cursor, such as an increasing number or the id of a row. */
export interface PageQuery<C> {
  limit: number
  /** The cursor of the previous page. */
  before?: C | undefined
}

/** `findCursor`: finds the row of a cursor that is an id, because the order of ids says nothing about the place in the list. */
export async function pageOf<P extends PageQuery<C>, Row, C extends number | string>(
  page: P,
  read: (page: P) => Promise<Row[]>,
  cursorOf: (row: Row) => C,
  findCursor?: (cursor: C) => Promise<unknown>,
): Promise<{ shown: Row[]; next: C | null }> {
  if (findCursor && page.before !== undefined && (await findCursor(page.before)) === undefined)
    throw new ServiceError(
      'request_invalid',
      `The list has no row ${String(page.before)}: to continue a list, send the \`next\` of its previous page.`,
    )
  const rows = await read({ ...page, limit: page.limit + 1 })
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  return { shown, next: rows.length > shown.length && last !== undefined ? cursorOf(last) : null }
}
