/** One page of a list, and where the next one begins: one row more than asked for tells whether there is one. */

interface Page {
  limit: number
  before?: number | undefined
}

export async function pageOf<P extends Page, Row>(
  page: P,
  read: (page: P) => Promise<Row[]>,
  cursorOf: (row: Row) => number,
): Promise<{ shown: Row[]; next: number | null }> {
  const rows = await read({ ...page, limit: page.limit + 1 })
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  return { shown, next: rows.length > shown.length && last !== undefined ? cursorOf(last) : null }
}
