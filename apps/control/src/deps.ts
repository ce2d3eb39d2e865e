/**
 * The dependencies of every operation: the database, the bus, a clock, a log, metrics and the retention. Nothing else
 * outlives a request.
 */
import type { ControlMetrics, Log } from '@imapfleet/observe'
import type { Bus } from './platform/nats/bus.ts'
import type { Alerting } from './features/alerts/channels.ts'
import type { GuessLimit } from './features/access/guess-limit.ts'
import type { Intake } from './platform/nats/intake.ts'
import type { Provider } from './features/people/provider.ts'
import type { Issuer } from './features/enrolments/issuer.ts'
import type { Database } from './platform/db/database.ts'
import type { Retention } from './features/history/window.ts'

export interface Deps {
  db: Database
  bus: Bus
  /** Undefined if all edges share one credential for NATS, or need none. */
  issuer: Issuer | undefined
  log: Log
  metrics: ControlMetrics
  guesses: GuessLimit
  /** Admits messages from edges. */
  intake: Intake
  kept: Retention
  /** Undefined: people sign in with tokens only. */
  provider: Provider | undefined
  /** Where alerts are sent. */
  alerting: Alerting
  /** Milliseconds since 1970. */
  now: () => number
  /** Host and process of this replica, for display. */
  replica: string
  /** The timers that the replicas share, and how often each runs. */
  timers: readonly { name: string; everyMs: number }[]
}
