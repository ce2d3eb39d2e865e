/** What all tables of figures share. */
import type { Sql } from './sql.ts'
import type { WantedSeries } from './series.ts'

/** As history/packed.ts writes them; what was not asked for is not there. */
export interface PackedFigures {
  counters?: Uint8Array
  gauges?: Uint8Array
  histograms?: Uint8Array
}

/** The columns that are wanted, behind others. */
export const figureColumns = (sql: Sql, { kinds }: WantedSeries) => sql`
  ${kinds.has('counter') ? sql`, counters` : sql``} ${kinds.has('gauge') ? sql`, gauges` : sql``}
  ${kinds.has('histogram') ? sql`, histograms` : sql``}`

/** Beyond a limit whoever asks is told to ask for less, rather than that all of it is held in memory. */
export class TooManyRows extends Error {}

export function bounded<T extends readonly unknown[]>(rows: T, rowsMax: number): T {
  if (rows.length > rowsMax) throw new TooManyRows(`more than ${rowsMax} rows`)
  return rows
}
