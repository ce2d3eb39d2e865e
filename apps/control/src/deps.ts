/**
 * What every verb gets: the database, the bus, a clock, a log, metrics and the retention. Nothing else outlives a
 * request.
 */
import type { ControlMetrics, Log } from '@imapfleet/observe'
import type { Bus } from './bus/bus.ts'
import type { Issuer } from './bus/credentials/issuer.ts'
import type { Database } from './db/database.ts'
import type { Retention } from './history/kept.ts'

export interface Deps {
  db: Database
  bus: Bus
  /** Undefined if all edges share one credential for NATS, or need none. */
  issuer: Issuer | undefined
  log: Log
  metrics: ControlMetrics
  kept: Retention
  /** Milliseconds since 1970. */
  now: () => number
}
