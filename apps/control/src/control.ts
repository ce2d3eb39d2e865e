/** One process of control: builds the parts once, starts what its mode asks for, and stops all of it again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { controlMetrics, Metrics, type Log } from '@imapfleet/observe'
import { createApp, createHealthApp } from './app.ts'
import { Bus, type BusOptions } from './bus/bus.ts'
import { Issuer, type IssuerFile } from './bus/credentials/issuer.ts'
import type { DatabaseAddress } from './db/address.ts'
import { openDatabase } from './db/database.ts'
import { migrate } from './db/migrate.ts'
import { troubleOf } from './db/trouble.ts'
import type { Deps } from './deps.ts'
import type { Retention } from './history/kept.ts'
import { serveHttp, type Listening } from './http/listen.ts'
import { ingestPresence } from './ingest/presence.ts'
import { ingestReports } from './ingest/reports.ts'
import { Strangers } from './ingest/strangers.ts'
import { Outage } from './outage.ts'
import { runTicks } from './ticks/ticks.ts'
import { makePartitions } from './verbs/make-partitions.ts'

/** `api` answers requests, `ingest` takes in what edges send and does what is due, `all` does both. */
export type Mode = 'api' | 'ingest' | 'all'

export interface ControlOptions {
  mode: Mode
  database: DatabaseAddress
  bus: BusOptions
  issuer: IssuerFile | undefined
  host: string
  /** Without: no HTTP at all. */
  port: number | undefined
  kept: Retention
  /** Networks whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[]
  /** Where the built web console is. */
  consoleDirectory: string
}

export interface Control {
  port: number | undefined
  /** Settles when the process cannot go on; the error says why. */
  failed: Promise<never>
  stop: () => Promise<void>
}

const retryMs = 1_000
/** How long a stop waits for a batch or a tick that is under way. */
const finishMs = 1_000

/** Rejects if it cannot listen. Services that are away are waited for. */
export async function startControl(options: ControlOptions, log: Log): Promise<Control> {
  const stopping = new AbortController()
  const db = openDatabase(options.database)
  const bus = new Bus(options.bus, log)
  const issuer = options.issuer && new Issuer(options.issuer)
  const metrics = new Metrics(controlMetrics)
  const deps: Deps = { db, bus, issuer, log, metrics, kept: options.kept, now: Date.now }
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
  const working = work(options, deps, stopping.signal).catch(reject)
  return {
    port: listening?.port,
    failed,
    async stop() {
      stopping.abort()
      await listening?.stop()
      // What is under way may finish. With NATS or Postgres gone it cannot, and is cut short by closing both.
      await Promise.race([working, sleep(finishMs)])
      await bus.close()
      await db.close()
      await working
    },
  }
}

async function work(options: ControlOptions, deps: Deps, signal: AbortSignal): Promise<void> {
  await untilMigrated(options.database, deps, signal)
  if (options.mode === 'api' || signal.aborted) return
  const strangers = new Strangers(deps)
  await Promise.all([
    ingestPresence(deps, strangers, signal),
    ingestReports(deps, strangers, signal),
    runTicks(deps, signal),
  ])
}

/** Waits for a Postgres that is away; any other failure is one of ours. */
async function untilMigrated(database: DatabaseAddress, deps: Deps, signal: AbortSignal): Promise<void> {
  const outage = new Outage(deps.log, 'Postgres is unavailable', 'Postgres is available again')
  while (!signal.aborted) {
    try {
      await migrate(database)
      await makePartitions(deps)
      return outage.over()
    } catch (error) {
      if (troubleOf(error) !== 'away') throw error
      outage.began(error)
      await sleep(retryMs, undefined, { signal }).catch(() => {})
    }
  }
}
