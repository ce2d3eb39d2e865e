/** The size of a terminal. One that does not know its own, as in `script` or `expect` without a window, says 0. */

const usual = { columns: 80, rows: 24 }

export const widthOf = ({ columns }: { columns: number }): number => columns || usual.columns
export const heightOf = ({ rows }: { rows: number }): number => rows || usual.rows
