/** One process of control: creates the parts, starts what its mode needs, and stops everything. */
import { X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { controlMetrics, Metrics, type Log } from '@imapfleet/observe'
import { retry } from '@imapfleet/retry'
import { createApp, createHealthApp } from './app.ts'
import { Bus, type BusOptions } from './platform/nats/bus.ts'
import { GuessLimit } from './features/access/guess-limit.ts'
import type { Alerting } from './features/alerts/channels.ts'
import { keepReplicaReport } from './features/alerts/replica-report.ts'
import { Issuer, type IssuerFile } from './features/enrolments/issuer.ts'
import { Provider, type ProviderOptions } from './features/people/provider.ts'
import type { DatabaseAddress } from './platform/db/address.ts'
import { openDatabase } from './platform/db/database.ts'
import { migrate } from './platform/db/migrate.ts'
import { isPassing } from './platform/db/trouble.ts'
import type { Deps } from './deps.ts'
import type { Retention } from './features/history/window.ts'
import { serveHttp, type Listening } from './platform/http/listen.ts'
import { ingestPresence } from './features/edges/ingest.ts'
import { ingestReports } from './features/history/ingest.ts'
import { keepRefusals } from './features/refusals/service.ts'
import { Intake } from './platform/nats/intake.ts'
import { Outage } from './platform/outage.ts'
import { runTicks } from './platform/ticks/ticks.ts'
import { timers } from './timers.ts'
import { withLease } from './platform/ticks/leases.ts'
import { makePartitions } from './features/history/partitions.ts'

/** `api` answers requests. `ingest` stores what edges send and runs the timers. `all` does both. */
export type Mode = 'api' | 'ingest' | 'all'

export interface ControlOptions {
  mode: Mode
  /** Host and process of this replica, for display. */
  replica: string
  database: DatabaseAddress
  bus: BusOptions
  issuer: IssuerFile | undefined
  host: string
  /** Undefined: no HTTP server. */
  port: number | undefined
  kept: Retention
  alerting: Alerting
  provider: ProviderOptions | undefined
  /** Networks whose X-Forwarded-For is trusted. */
  trustedProxies: readonly string[]
  /** The directory of the built web console. */
  consoleDirectory: string
}

export interface Control {
  port: number | undefined
  /** Rejects when the process cannot continue. */
  failed: Promise<never>
  stop: () => Promise<void>
}

const pauses = { firstMs: 500, lastMs: 2_000 }
/** How long a stop waits for a batch or a timer in progress. */
const finishMs = 1_000

/** Rejects if it cannot listen. It waits for NATS and Postgres. */
export async function startControl(options: ControlOptions, log: Log): Promise<Control> {
  const stopping = new AbortController()
  const db = openDatabase(options.database, `imapfleet-control ${options.replica}`)
  const bus = new Bus(options.bus, log)
  const issuer = options.issuer && new Issuer(options.issuer)
  const metrics = new Metrics(controlMetrics)
  const guesses = new GuessLimit()
  const certificate = options.bus.access.tls?.cert
  if (certificate !== undefined) {
    const expiresAt = Date.parse(new X509Certificate(certificate).validTo)
    metrics.gauge('control_certificate_expiry_seconds', () => [[{ owner: 'nats' }, expiresAt / 1000]])
  }
  const { expiresAt } = options.bus.access
  if (expiresAt) metrics.gauge('control_credential_expiry_seconds', () => expiresAt.getTime() / 1000)
  const intake = new Intake(log, metrics, () => performance.now())
  const deps: Deps = {
    db,
    bus,
    issuer,
    log,
    metrics,
    guesses,
    intake,
    kept: options.kept,
    alerting: options.alerting,
    provider: options.provider && new Provider(options.provider, log, Date.now),
    now: Date.now,
    replica: options.replica,
    timers,
  }
  const app =
    options.mode === 'ingest'
      ? createHealthApp(deps)
      : createApp(deps, { ...options, stopping: stopping.signal })
  let listening: Listening | undefined
  try {
    if (options.port !== undefined) listening = await serveHttp(app.fetch, options.host, options.port)
  } catch (error) {
    await db.close()
    throw error
  }
  bus.open()
  const { promise: failed, reject } = Promise.withResolvers<never>()
  const place = `${hostname()}:${listening?.port ?? options.mode}`
  const working = work(options, deps, place, stopping.signal).catch(reject)
  return {
    port: listening?.port,
    failed,
    async stop() {
      stopping.abort()
      await listening?.stop()
      // Work in progress can finish. If NATS or Postgres is down it cannot, and closing both ends it.
      await Promise.race([working, sleep(finishMs)])
      await bus.close()
      await db.close()
      await working
    },
  }
}

/** `place`: the name of this process in the list of replicas. It stays the same over a restart. */
async function work(options: ControlOptions, deps: Deps, place: string, signal: AbortSignal): Promise<void> {
  await untilMigrated(options.database, deps, signal)
  const always = [keepRefusals(deps, signal), keepReplicaReport(deps, place, signal)]
  if (options.mode === 'api' || signal.aborted) return void (await Promise.all(always))
  await Promise.all([
    ...always,
    ingestPresence(deps, signal),
    ingestReports(deps, signal),
    runTicks(timers, deps, signal),
  ])
}

/** Waits for a Postgres that is unavailable. Any other failure is a bug. */
async function untilMigrated(database: DatabaseAddress, deps: Deps, signal: AbortSignal): Promise<void> {
  const outage = new Outage(deps.log, 'the database is not ready', 'the database is ready')
  const prepare = async () => {
    await migrate(database)
    // Another replica that does this now is enough.
    await withLease(deps, 'partitions', async (lease) => await makePartitions(deps, lease))
  }
  try {
    await retry(prepare, { ...pauses, isPassing, onFailure: (error) => outage.began(error), signal })
    outage.over()
  } catch (error) {
    // Control stops before Postgres was available.
    if (!signal.aborted || !isPassing(error)) throw error
  }
}
