/** What a service gets in unit tests: a new database on a real Postgres, a clock that stands still, no NATS. */
import { controlMetrics, Log, Metrics } from '@imapfleet/observe'
import type { Deps } from './deps.ts'
import { noAlerting } from './features/alerts/channels.ts'
import { GuessLimit } from './features/access/guess-limit.ts'
import { testDatabase } from './platform/db/postgres.test-support.ts'
import { Bus } from './platform/nats/bus.ts'
import { Intake } from './platform/nats/intake.ts'

export interface TestDeps extends Deps {
  /** Sets the clock. Milliseconds since 1970. */
  setNow: (now: number) => void
  /** The lines of the log, at the level debug. */
  lines: string[]
}

const dayMs = 86_400_000

/** The caller closes `db`. */
export async function testDeps(): Promise<TestDeps> {
  const lines: string[] = []
  const log = new Log({ level: 'debug', format: 'text' }, (line) => lines.push(line))
  const limits = { replicas: 1, reportsBytesMax: 1_048_576, tracesBytesMax: 1_048_576, tracesKeptMs: 60_000 }
  const metrics = new Metrics(controlMetrics)
  let now = Date.now()
  return {
    db: await testDatabase(),
    // It is never opened, so every use of it answers that NATS is unavailable.
    bus: new Bus({ access: { servers: ['127.0.0.1:1'] }, limits }, log),
    issuer: undefined,
    log,
    guesses: new GuessLimit(),
    metrics,
    intake: new Intake(log, metrics, () => now),
    kept: { reports: 7 * dayMs, minutes: 30 * dayMs, hours: 400 * dayMs },
    alerting: noAlerting,
    provider: undefined,
    now: () => now,
    replica: 'tests/1',
    timers: [],
    setNow: (to) => {
      now = to
    },
    lines,
  }
}
