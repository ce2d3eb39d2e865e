/** What an edge is made of, and the configuration in force. Edge brings it to life; its parts know no more than this. */
import { awaitingRestart, type EdgeConfig, type ListenerConfig } from '@imapfleet/config'
import type { SecureContext } from 'node:tls'
import { edgeMetrics, Metrics, type EdgeMetrics, type Log } from '@imapfleet/observe'
import { readCertificates, type Certificates } from './certificates.ts'
import type { Clock } from './clock.ts'
import { Gate } from '../net/address-limits.ts'
import { ProtocolLog } from '../observe/protocol-log.ts'
import { Tracer } from '../observe/tracer.ts'
import { Pool } from '../pool/pool.ts'
import { routeOf, upstreamsOn } from '../server/routes.ts'
import { Sessions } from '../session/sessions.ts'
import { StatisticsBook } from '../observe/statistics.ts'
import { Server } from '../server/server.ts'

/** The configuration in force; replaced as a whole by a reload. */
export interface Settings {
  current: EdgeConfig
}

export class EdgeParts {
  readonly settings: Settings
  readonly log: Log
  readonly clock: Clock
  readonly metrics: EdgeMetrics = new Metrics(edgeMetrics)
  readonly sessions = new Sessions()
  readonly gate = new Gate()
  readonly pool: Pool
  readonly tracer: Tracer
  /** Undefined: no trace.file is configured. */
  readonly protocolLog: ProtocolLog | undefined
  readonly statistics: StatisticsBook
  /** What it was started with: the ports that are bound, the files that are open. */
  readonly #startedWith: EdgeConfig
  #certificates: Certificates
  #servers = new Map<string, Server>()
  #generation = 0

  constructor(config: EdgeConfig, log: Log, clock: Clock) {
    this.settings = { current: config }
    this.#startedWith = config
    this.log = log
    this.clock = clock
    this.pool = new Pool({ settings: this.settings, metrics: this.metrics, log, now: clock.now })
    this.tracer = new Tracer(this.metrics.counters.trace_lines_total)
    this.#certificates = readCertificates(config)
    this.#servers = this.#buildServers(config)
    this.protocolLog = config.trace.file === undefined ? undefined : new ProtocolLog(config.trace.file)
    this.statistics = new StatisticsBook(this)
  }

  get servers(): ReadonlyMap<string, Server> {
    return this.#servers
  }

  /** Every upstream that a client of this listener may end up at. */
  serversOn(listener: string): Server[] {
    return upstreamsOn(this.settings.current, listener).map((name) => this.#servers.get(name)!)
  }

  serverFor(user: string, listener: string): Server {
    return this.#servers.get(routeOf(this.settings.current, user, listener))!
  }

  /** Settings of a listener; those it was bound with, where a reload has taken it away. */
  listener(name: string): ListenerConfig {
    return this.settings.current.listeners[name] ?? this.#startedWith.listeners[name]!
  }

  tlsContext(listener: string): SecureContext | undefined {
    return this.#certificates.listeners.get(listener)
  }

  /** Keys of the configuration in force that only a start can put in force. */
  get awaitingRestart(): string[] {
    return awaitingRestart(this.#startedWith, this.settings.current)
  }

  /**
   * Puts another configuration in force: all of it or, if it throws, nothing. Sessions go on; connections to an
   * upstream whose settings have changed are not handed out again.
   */
  apply(config: EdgeConfig): void {
    this.#certificates = readCertificates(config)
    const servers = this.#buildServers(config)
    this.settings.current = config
    this.#servers = servers
    this.log.level = config.log.level
    const waiting = this.awaitingRestart
    if (waiting.length > 0) this.log.warn('restart_needed', { keys: waiting.join(' ') })
    for (const upstream of [...this.pool.states.idle])
      if (servers.get(upstream.name)?.generation !== upstream.generation)
        this.pool.drop(upstream, 'config-changed')
  }

  #buildServers(config: EdgeConfig): Map<string, Server> {
    const built = Object.entries(config.upstreams).map(([name, settings]): [string, Server] => {
      const context = this.#certificates.upstreams.get(name)
      const present = this.#servers.get(name)
      if (!present || JSON.stringify(present.config) !== JSON.stringify(settings))
        return [name, new Server(name, settings, ++this.#generation, this.metrics, context)]
      present.renewTls(context)
      return [name, present]
    })
    return new Map(built)
  }
}
