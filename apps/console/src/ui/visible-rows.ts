/** Which rows of a long table are in the window. */

/** Shorter tables are in the document as a whole, so that the browser can search and print them. */
export const wholeMax = 80
/** Rows above and below the window, so that a fast scroll shows no gaps. */
const beyond = 12

export interface RowWindow {
  /** Index of the first row, and of the one after the last. */
  first: number
  end: number
}

/** `top`: where the first row of all would be, in pixels from the top of the window. */
export function visibleRows(
  count: number,
  { top, rowHeight, windowHeight }: { top: number; rowHeight: number; windowHeight: number },
): RowWindow {
  if (count <= wholeMax) return { first: 0, end: count }
  const shown = Math.ceil(windowHeight / rowHeight) + 2 * beyond
  const wanted = Math.floor(-top / rowHeight) - beyond
  const first = Math.max(0, Math.min(wanted, count - shown))
  return { first, end: Math.min(count, first + shown) }
}
