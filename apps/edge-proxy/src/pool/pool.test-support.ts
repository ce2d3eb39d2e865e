/** For tests: a pool with a scripted server and a clock that the test sets. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { resolveConfig, type Layer } from '@imapfleet/config'
import { edgeMetrics, Log, Metrics, type EdgeMetrics } from '@imapfleet/observe'
import type { Credentials } from '../imap/credentials.ts'
import type { HandBack } from '../server/reset.ts'
import {
  cleanHandBack,
  ScriptedServer,
  serverAt,
  wellBehaved,
} from '../server/scripted-server.test-support.ts'
import type { Server } from '../server/server.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { Leased, Refused } from './lease.ts'
import { Pool } from './pool.ts'

/** Gives back the connection for the session that holds it. */
export const giveBackTo = (
  pool: Pool,
  connection: ServerConnection,
  more: Partial<HandBack> = {},
): Promise<void> =>
  pool.giveBack({ ...cleanHandBack(connection), ...more }, pool.connections.holderOf(connection)!)

/** Requests another connection with these extensions for the session that holds this one. */
export const swapIn = (pool: Pool, server: Server, enabledKey: string, connection: ServerConnection) =>
  pool.swap(
    server,
    enabledKey,
    { ...cleanHandBack(connection), usesCondstore: undefined },
    pool.connections.holderOf(connection)!,
  )

/** `family`: the family of the client. */
type LoginOptions = Partial<Credentials> & { server?: Server; family?: string }

export interface PoolAtWork {
  pool: Pool
  scripted: ScriptedServer
  server: Server
  /** The servers in force, by name. */
  servers: Map<string, Server>
  clock: { now: number; wall: number }
  metrics: EdgeMetrics
  settings: { current: { pool: ReturnType<typeof poolConfig> } }
  /** Every log line. */
  logged: string[]
  logins: () => number
  login: (user: string, secret?: string, more?: LoginOptions) => Promise<Leased | Refused>
  /** A login that must succeed. */
  lease: (user: string, secret?: string, more?: LoginOptions) => Promise<Leased>
  /** Value of a counter, by series key. */
  count: (series: string) => number
  /** Settles when the server has as many connections as the pool. */
  accounted: () => Promise<void>
}

export function poolConfig(layer: Layer) {
  const resolved = resolveConfig({ pool: layer })
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems))
  return resolved.config.pool
}

export async function poolAtWork(settings: { pool?: Layer; limits?: Layer } = {}): Promise<PoolAtWork> {
  const scripted = await ScriptedServer.start()
  const server = serverAt(scripted.port, settings.limits)
  const clock = { now: 1_000_000, wall: 1_700_000_000_000 }
  const metrics = new Metrics(edgeMetrics)
  const logged: string[] = []
  const log = new Log({ level: 'debug', format: 'text' }, (line) => void logged.push(line))
  const current = { current: { pool: poolConfig(settings.pool ?? {}) } }
  /** The servers in force. A login to another object of the same name is a login after a reload. */
  const servers = new Map([[server.name, server]])
  const pool = new Pool({
    settings: current,
    servers,
    metrics,
    log,
    clock: { now: () => clock.now, wall: () => clock.wall },
  })
  const login: PoolAtWork['login'] = (
    user,
    secret = 'secret',
    { server: other, family = '', ...more } = {},
  ) => {
    if (other) servers.set(other.name, other)
    return Promise.resolve(
      pool.lease(
        other ?? server,
        {
          user: Buffer.from(user),
          authzid: Buffer.alloc(0),
          secret: Buffer.from(secret),
          mechanism: 'command',
          ...more,
        },
        { address: '192.0.2.7', isConnected: true, loginSignal: AbortSignal.any([]), family },
      ),
    )
  }
  return {
    pool,
    scripted,
    server,
    servers,
    clock,
    metrics,
    settings: current,
    logged,
    logins: () => scripted.asked.filter((text) => /^(LOGIN|AUTHENTICATE)/.test(text)).length,
    login,
    async lease(...who) {
      const leased = await login(...who)
      assert.ok(leased.kind === 'leased', inspect(leased))
      return leased
    },
    count: (series) => metrics.snapshot().counters[series] ?? 0,
    accounted: () =>
      untilTrue(() => {
        const open = (['leased', 'resetting', 'idle', 'dialing'] as const).map((state) =>
          pool.connections.count(state),
        )
        return scripted.open === open.reduce((sum, count) => sum + count, 0)
      }),
  }
}

/** A well-behaved server, except for its answers to these commands. Undefined: it does not answer. */
export function but(answers: Record<string, string | undefined>): ScriptedServer['script'] {
  return (asked) =>
    asked.verb in answers ? answers[asked.verb]?.replaceAll('TAG', asked.tag) : wellBehaved(asked)
}

/** Waits until a condition holds. Checks it at each turn of the event loop. */
export async function untilTrue(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000
  while (!isSo()) {
    assert.ok(performance.now() < deadline, `in time: ${String(isSo)}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
