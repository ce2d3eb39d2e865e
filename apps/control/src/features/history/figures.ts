/** What all tables of figures share. */
import type { Sql } from '../../platform/db/sql.ts'
import type { WantedSeries } from './series.ts'

/** As history/packed.ts writes them. What was not requested is missing. */
export interface PackedFigures {
  counters?: Uint8Array
  gauges?: Uint8Array
  histograms?: Uint8Array
}

/** The requested columns, to follow other columns. */
export const figureColumns = (sql: Sql, { kinds }: WantedSeries) => sql`
  ${kinds.has('counter') ? sql`, counters` : sql``} ${kinds.has('gauge') ? sql`, gauges` : sql``}
  ${kinds.has('histogram') ? sql`, histograms` : sql``}`

/** Above this limit the caller must request less, so that control need not hold all of it in memory. */
export class TooManyRows extends Error {}

export function bounded<T extends readonly unknown[]>(rows: T, rowsMax: number): T {
  if (rows.length > rowsMax) throw new TooManyRows(`more than ${rowsMax} rows`)
  return rows
}
