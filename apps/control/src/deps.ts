/** What every verb is handed: the database, the bus, a clock and a log. Nothing else outlives a request. */
import type { Bus } from './bus/bus.ts'
import type { Database } from './db/database.ts'
import type { Log } from './log.ts'

export interface Deps {
  db: Database
  bus: Bus
  log: Log
  /** Milliseconds since 1970. */
  now: () => number
}
