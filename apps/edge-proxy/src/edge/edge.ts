/** The running edge: starts, accepts clients, reloads, drains and stops. session.ts runs each client from there. */
import type { EdgeConfig } from '@imapfleet/config'
import type { Log } from '@imapfleet/observe'
import { Client } from '../client/client.ts'
import { stackOf } from '../errors.ts'
import { acceptClient, type AcceptedClient, type NotAccepted } from '../net/accept.ts'
import { Link, linkFailures, type OpenTransport } from '../net/link.ts'
import { Listener } from '../net/listener.ts'
import { HealthChecks } from '../server/health.ts'
import { runSession } from '../session/session.ts'
import type { Clock } from './clock.ts'
import { createContext, listenerConfig, type EdgeContext } from './context.ts'
import { reload } from './reload.ts'

export type EdgeState = 'starting' | 'serving' | 'draining' | 'stopping'

export class Edge {
  readonly context: EdgeContext
  readonly #listeners: Listener[] = []
  readonly #healthChecks: HealthChecks
  /** Connections whose PROXY header or TLS handshake is awaited. */
  #handshakes = 0
  #sweeper: NodeJS.Timeout | undefined
  #state: EdgeState = 'starting'

  constructor(config: EdgeConfig, log: Log, clock: Clock) {
    this.context = createContext(config, log, clock)
    this.#healthChecks = new HealthChecks(
      () => this.context.servers.all(),
      (server) =>
        log.warn(server.downReason ? 'upstream_down' : 'upstream_up', {
          upstream: server.name,
          detail: server.downReason,
        }),
    )
    readGauges(this.context)
  }

  get state(): EdgeState {
    return this.#state
  }

  /** Addresses that clients connect to. */
  get listeners(): { name: string; address: string; port: number }[] {
    return this.#listeners.map(({ name, config }) => ({ name, address: config.address, port: config.port }))
  }

  /** Binds every port, or throws and leaves none bound. */
  async start(): Promise<void> {
    const { listeners } = this.context.settings.current
    try {
      for (const [name, config] of Object.entries(listeners)) {
        const listener = new Listener(name, config, (open) => this.#accept(open, listener))
        await listener.listen()
        this.#listeners.push(listener)
      }
    } catch (error) {
      for (const listener of this.#listeners) listener.close()
      throw error
    }
    linkFailures.subscribe(this.#onFailure)
    this.#sweeper = setInterval(() => this.#sweep(), 1000)
    this.#state = 'serving'
  }

  /** Puts another configuration in force; throws and changes nothing if it has a mistake. */
  apply(config: EdgeConfig): void {
    reload(this.context, config)
  }

  /** Refuses new clients until `resume`. */
  drain(): void {
    if (this.#state === 'serving') this.#state = 'draining'
  }

  resume(): void {
    if (this.#state === 'draining') this.#state = 'serving'
  }

  /** Accepts no more clients, lets sessions end for a while, ends the rest, closes everything. */
  async stop(drainTimeoutMs: number): Promise<void> {
    const { sessions, pool, tracer, protocolLog } = this.context
    this.#state = 'stopping'
    for (const listener of this.#listeners) listener.close()
    for (const client of sessions.arriving) client.bye('Server is stopping, try again')
    pool.close()
    if (!(await sessions.drained(drainTimeoutMs))) sessions.end('shutdown')
    for (const id of tracer.ids()) tracer.stop(id, 'edge-stopped')
    clearInterval(this.#sweeper)
    linkFailures.unsubscribe(this.#onFailure)
    protocolLog?.close()
  }

  #accept(open: OpenTransport, listener: Listener): void {
    const { metrics, settings } = this.context
    const { clients } = settings.current
    metrics.counters.client_connections_total.value++
    if (this.#handshakes >= clients.connectionsMax) {
      this.#countRefusal('too-many-clients')
      return new Link(open).close()
    }
    const config = listenerConfig(this.context, listener.name)
    const context = settings.listenerTls.get(listener.name)
    const accepted = acceptClient(open, { config, context }, clients.loginTimeoutMs)
    if (accepted instanceof Promise) void this.#serveAfterHandshake(accepted, listener)
    else this.#serve(accepted, listener)
  }

  /** Waits for the PROXY header or the TLS handshake; there are never more of them than clients may be connected. */
  async #serveAfterHandshake(
    accepting: Promise<AcceptedClient | NotAccepted>,
    listener: Listener,
  ): Promise<void> {
    this.#handshakes++
    const result = await accepting
    this.#handshakes--
    if (result.kind === 'accepted') this.#serve(result, listener)
    else if (result.kind === 'refused') this.#countRefusal(result.reason)
  }

  #serve({ link, address, secure }: AcceptedClient, listener: Listener): void {
    const { clientAdmission, settings, clock } = this.context
    const limits = settings.current.clients
    const leave = this.#state === 'serving' ? clientAdmission.enter(address, limits) : 'draining'
    if (typeof leave === 'string') {
      this.#countRefusal(leave)
      const reason =
        leave === 'draining' ? 'Server is draining, try again' : 'Too many connections, try again later'
      link.write(`* BYE ${reason}\r\n`)
      return link.closeWhenWritten(1000)
    }
    link.whenClosed(leave)
    const client = new Client({ link, listener: listener.name, address, secure, limits, now: clock.now() })
    void runSession(client, this.context)
    link.resume()
  }

  #countRefusal(reason: string): void {
    this.context.metrics.counters.client_refusals_total({ reason }).value++
  }

  /** An exception in a handler: a bug, which ends one session. */
  readonly #onFailure = (error: unknown): void =>
    this.context.log.error('session_failed', { error: stackOf(error) })

  #sweep(): void {
    const { settings, clock, pool, sessions, tracer } = this.context
    const now = clock.now()
    try {
      pool.sweep()
      sessions.sweep(now, settings.current.clients.idleTimeoutMs)
      tracer.sweep()
      this.#healthChecks.sweep(now)
    } catch (error) {
      this.#onFailure(error)
    }
  }
}

function readGauges({ metrics, pool, clientAdmission, tracer, servers }: EdgeContext): void {
  const { connections } = pool
  metrics.gauge('clients_connected', () => clientAdmission.total)
  metrics.gauge('upstreams_dialing', () => connections.count('dialing'))
  metrics.gauge('upstreams_leased', () => connections.count('leased'))
  metrics.gauge('upstreams_resetting', () => connections.count('resetting'))
  metrics.gauge('upstreams_idle', () => connections.count('idle'))
  metrics.gauge('leases_waiting', () => connections.count('waiting'))
  metrics.gauge('traces_active', () => tracer.active)
  metrics.gauge('upstream_healthy', () =>
    [...servers.all()].map(({ name, downReason }) => [{ upstream: name }, downReason === undefined ? 1 : 0]),
  )
  metrics.gauge('memory_rss_bytes', () => process.memoryUsage.rss())
  metrics.counterFrom('cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
}
