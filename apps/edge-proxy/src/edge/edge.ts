/** The edge as a whole: starts, takes clients, reloads, drains and stops. Sessions are run by session.ts with what this file hands them. */
import type { EdgeConfig } from '@imapfleet/config'
import type { Log } from '@imapfleet/observe'
import { Client } from '../client/client.ts'
import type { Clock } from './clock.ts'
import { EdgeParts } from './edge-parts.ts'
import { stackOf } from '../errors.ts'
import { admit, type Admitted, type NotAdmitted } from '../net/accept.ts'
import type { OpenTransport } from '../net/transport.ts'
import { Link, linkFailures } from '../net/link.ts'
import { Listener } from '../net/listener.ts'
import { reap } from '../pool/reaper.ts'
import { runSession } from '../session/session.ts'
import { SessionParts } from '../session/session-parts.ts'
import { Health } from '../server/health.ts'

export class Edge extends EdgeParts {
  readonly #listeners: Listener[] = []
  readonly #sessionParts: SessionParts
  readonly #health: Health
  /** Connections whose PROXY header or TLS handshake is awaited. */
  #admitting = 0
  #sweeper: NodeJS.Timeout | undefined
  #state: 'starting' | 'serving' | 'draining' | 'stopping' = 'starting'

  constructor(config: EdgeConfig, log: Log, clock: Clock) {
    super(config, log, clock)
    this.#health = new Health(
      () => this.servers.values(),
      (server) =>
        log.warn(server.trouble ? 'upstream_down' : 'upstream_up', {
          upstream: server.name,
          detail: server.trouble,
        }),
    )
    this.#sessionParts = new SessionParts(this)
    this.#readGauges()
  }

  get state(): 'starting' | 'serving' | 'draining' | 'stopping' {
    return this.#state
  }

  /** Where clients reach this edge, for people. */
  get listeners(): { name: string; address: string; port: number }[] {
    return this.#listeners.map(({ name, config }) => ({ name, address: config.address, port: config.port }))
  }

  /** Binds every port, or throws and leaves none bound. */
  async start(): Promise<void> {
    const { listeners } = this.settings.current
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

  override apply(config: EdgeConfig): void {
    super.apply(config)
    this.#sessionParts.refresh()
  }

  /** New clients are refused; `resume` takes them again. */
  drain(): void {
    if (this.#state === 'serving') this.#state = 'draining'
  }

  resume(): void {
    if (this.#state === 'draining') this.#state = 'serving'
  }

  /** Takes no more clients, lets sessions end for a while, ends the rest, closes everything. */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#state = 'stopping'
    for (const listener of this.#listeners) listener.close()
    for (const client of this.sessions.arriving) client.bye('Server is stopping, try again')
    this.pool.close()
    if (!(await this.sessions.drained(drainTimeoutMs))) this.sessions.end('shutdown')
    for (const id of this.tracer.ids()) this.tracer.stop(id, 'edge-stopped')
    clearInterval(this.#sweeper)
    linkFailures.unsubscribe(this.#onFailure)
    this.protocolLog?.close()
  }

  #accept(open: OpenTransport, listener: Listener): void {
    this.metrics.counters.client_connections_total.value++
    const { clients } = this.settings.current
    if (this.#admitting >= clients.connectionsMax) {
      this.metrics.counters.client_refusals_total({ reason: 'too-many-clients' }).value++
      return new Link(open).close()
    }
    const admitted = admit(
      open,
      { config: this.listener(listener.name), context: this.tlsContext(listener.name) },
      clients.loginTimeoutMs,
    )
    if (admitted instanceof Promise) void this.#serveLater(admitted, listener)
    else if (this.#enter(admitted)) this.#serve(admitted, listener)
    else this.#turnAway(admitted)
  }

  /** Takes a place at the gate for as long as the connection lives. False: there is none, and that is counted. */
  #enter({ link, address }: Admitted): boolean {
    const entry =
      this.#state === 'serving' ? this.gate.enter(address, this.settings.current.clients) : 'draining'
    if (typeof entry === 'function') link.whenClosed(entry)
    else this.metrics.counters.client_refusals_total({ reason: entry }).value++
    return typeof entry === 'function'
  }

  /** A PROXY header or a TLS handshake comes first. Those on their way in are no more than may be in. */
  async #serveLater(admitting: Promise<Admitted | NotAdmitted>, listener: Listener): Promise<void> {
    this.#admitting++
    const result = await admitting
    this.#admitting--
    if (result.kind !== 'admitted') this.#notAdmitted(result)
    else if (this.#enter(result)) this.#serve(result, listener)
    else this.#turnAway(result)
  }

  #notAdmitted(result: NotAdmitted): void {
    if (result.kind === 'refused')
      this.metrics.counters.client_refusals_total({ reason: result.reason }).value++
  }

  #turnAway(admitted: Admitted): void {
    const reason =
      this.#state === 'serving' ? 'Too many connections, try again later' : 'Server is draining, try again'
    admitted.link.write(`* BYE ${reason}\r\n`)
    admitted.link.closeWhenWritten(1000)
  }

  #serve(admitted: Admitted, listener: Listener): void {
    const client = new Client({
      link: admitted.link,
      listener: listener.name,
      address: admitted.address,
      secure: admitted.secure,
      limits: this.settings.current.clients,
      now: this.clock.now(),
    })
    this.sessions.arriving.add(client)
    const ended = () => this.#sessionParts.onSessionEnd(client)
    runSession(client, this.#sessionParts).then(ended, (error: unknown) => {
      this.#onFailure(error)
      this.pool.abandon(client)
      this.sessions.abandon(client)
      ended()
    })
    admitted.link.resume()
  }

  /** A bug ends its session and nothing else. */
  readonly #onFailure = (error: unknown): void => this.log.error('session_failed', { error: stackOf(error) })

  #sweep(): void {
    const { pool, clients } = this.settings.current
    const now = this.clock.now()
    try {
      reap(this.pool, pool, now)
      this.sessions.sweep(now, clients.idleTimeoutMs)
      this.tracer.sweep()
      this.#health.sweep(now)
    } catch (error) {
      this.#onFailure(error)
    }
  }

  #readGauges(): void {
    const { metrics, pool, gate, tracer } = this
    metrics.gauge('clients_connected', () => gate.total)
    metrics.gauge('upstreams_dialing', () => pool.states.dialing)
    metrics.gauge('upstreams_leased', () => pool.states.leased.size)
    metrics.gauge('upstreams_resetting', () => pool.states.resetting.size)
    metrics.gauge('upstreams_idle', () => pool.states.idle.size)
    metrics.gauge('leases_waiting', () => pool.room.waitingTotal)
    metrics.gauge('traces_active', () => tracer.active)
    metrics.gauge('upstream_healthy', () =>
      [...this.servers].map(([upstream, { trouble }]) => [{ upstream }, trouble === undefined ? 1 : 0]),
    )
    metrics.gauge('memory_rss_bytes', () => process.memoryUsage.rss())
    metrics.counterFrom('cpu_seconds_total', () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    })
  }
}
