/** Liveness, readiness and the metrics of this process. No token needed. */
import { controlMetrics, printPrometheus, prometheusContentType, reasonOf } from '@imapfleet/observe'
import { Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { tryWrite } from '../db/database.ts'
import { troubleOf } from '../db/trouble.ts'
import { stateOfTimers } from '../ticks/ticks.ts'
import type { Env } from './handlers.ts'

export interface HealthReport {
  ready: boolean
  /** `ok`; `read-only` or `full`, while reading works; or the reason why nothing works. */
  postgres: string
  nats: string
  /** `ok`, or which timers no replica finishes. The replica is ready nevertheless: it can answer. */
  timers: string
  /** `ok`, or why the desired state of the edges is not published. */
  desired: string
}

/** Undefined: the desired state is published. */
export type ReasonToHold = () => Promise<string | undefined>

const patienceMs = 3_000
/** How long an answer is repeated, however often it is asked for. The end of a start or of an outage is seen soon. */
const repeatedMs = { ready: 2_000, notReady: 200 }

type HealthDeps = Pick<Deps, 'db' | 'bus' | 'now' | 'timers'>

export class Health {
  readonly #deps: HealthDeps
  readonly #reasonToHold: ReasonToHold
  #last: { at: number; report: Promise<HealthReport>; repeatedMs: number } | undefined

  constructor(deps: HealthDeps, reasonToHold: ReasonToHold = async () => undefined) {
    this.#deps = deps
    this.#reasonToHold = reasonToHold
  }

  async report(): Promise<HealthReport> {
    const now = this.#deps.now()
    if (this.#last && Math.abs(now - this.#last.at) < this.#last.repeatedMs) return await this.#last.report
    // While a check runs, it counts as ready: checks of a Postgres that hangs do not pile up.
    const asked = {
      at: now,
      report: checkHealth(this.#deps, this.#reasonToHold),
      repeatedMs: repeatedMs.ready,
    }
    this.#last = asked
    const report = await asked.report
    if (!report.ready) asked.repeatedMs = repeatedMs.notReady
    return report
  }
}

async function checkHealth(
  { db, bus, timers: all }: HealthDeps,
  reasonToHold: ReasonToHold,
): Promise<HealthReport> {
  const [postgres, nats, timers, desired] = await Promise.all([
    checkPostgres({ db }),
    natsHealth({ bus }),
    stateOfTimers({ db, timers: all }).catch(() => 'unknown'),
    reasonToHold().then(
      (reason) => reason ?? 'ok',
      () => 'unknown',
    ),
  ])
  return { ready: postgres === 'ok' && nats === 'ok', postgres, nats, timers, desired }
}

/** Resolves to `ok` only if Postgres accepts writes. */
export async function checkPostgres({ db }: Pick<Deps, 'db'>): Promise<string> {
  return await standing(tryWrite(db))
}

/** Resolves to `ok`, or to the reason. */
export async function natsHealth({ bus }: Pick<Deps, 'bus'>): Promise<string> {
  return await standing(bus.ping())
}

async function standing(answer: Promise<void>): Promise<string> {
  const { promise: patience, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs / 1000} s`)), patienceMs)
  try {
    await Promise.race([answer, patience])
    return 'ok'
  } catch (error) {
    const trouble = troubleOf(error)
    return trouble === 'read-only' || trouble === 'full' ? trouble : reasonOf(error)
  } finally {
    clearTimeout(timer)
  }
}

export const healthRoutes = (deps: Deps, reasonToHold: ReasonToHold) => {
  const health = new Health(deps, reasonToHold)
  return new Hono<Env>()
    .get('/healthz', (context) => context.json({ alive: true }))
    .get('/readyz', async (context) => {
      const report = await health.report()
      return context.json(report, report.ready ? 200 : 503)
    })
    .get('/metrics', async (context) => {
      const { postgres, nats, desired } = await health.report()
      deps.metrics.gauge('control_desired_held', () => (desired === 'ok' || desired === 'unknown' ? 0 : 1))
      deps.metrics.gauge('control_dependency_up', () => [
        [{ dependency: 'postgres' }, postgres === 'ok' ? 1 : 0],
        [{ dependency: 'nats' }, nats === 'ok' ? 1 : 0],
      ])
      return context.body(printPrometheus(controlMetrics, [deps.metrics.snapshot()]), 200, {
        'content-type': prometheusContentType,
      })
    })
}
