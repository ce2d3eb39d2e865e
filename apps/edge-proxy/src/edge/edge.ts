/** The running edge: starts, accepts clients, reloads, drains and stops. session/session.ts runs the session of each client. */
import { awaitingRestart, type EdgeConfig } from '@imapfleet/config'
import type { ClosedValue, Log } from '@imapfleet/observe'
import { Client } from '../client/client.ts'
import { stackOf } from '../errors.ts'
import { acceptClient, refuseLink, tooMany, type AcceptedClient, type NotAccepted } from '../net/accept.ts'
import { Link, linkFailures, type OpenTransport } from '../net/link.ts'
import { InheritedSockets, type ListeningSocket } from '../net/inherited-sockets.ts'
import { Listener } from '../net/listener.ts'
import type { Network } from '../net/network.ts'
import { acceptErrorText, exhaustionOf } from '../net/socket-errors.ts'
import { systemNetwork } from '../net/system-network.ts'
import { runtime, type Timer } from '../runtime.ts'
import { HealthChecks } from '../server/health.ts'
import { memoryStateOf } from '../pool/memory.ts'
import { runSession } from '../session/session.ts'
import { readCertificates } from './certificates.ts'
import type { Clock } from './clock.ts'
import { createContext, type EdgeContext } from './context.ts'
import { FileReserve } from './open-files.ts'
import { connectionsEnd, endConnections } from './end-connections.ts'
import { SuspensionWatch } from './suspension.ts'

/** If accepting fails, it fails for every client, so it is logged only once in this time. */
const acceptFailureLogMs = 10_000

/** `retiring`: a new process serves the listeners. */
export type RunState = 'starting' | 'serving' | 'draining' | 'retiring' | 'stopping'

const draining = 'Server is draining, try again'
/** If a sweep is later than this, the process was paused. */
const pauseMs = 2_000
/** A delay of all sessions that users notice. */
const stallMs = 1_000
const never = new AbortController().signal
const memoryEvents = { enough: 'memory_enough', short: 'memory_short', exhausted: 'memory_exhausted' }

export class Edge {
  readonly context: EdgeContext
  readonly #listeners: Listener[] = []
  readonly #network: Network
  readonly #healthChecks: HealthChecks
  readonly #fileReserve = new FileReserve()
  #acceptFailureLoggedAt = -Infinity
  #sweeper: Timer | undefined
  readonly #reportedCertificates = new Set<string>()
  readonly #suspensions = new SuspensionWatch()
  #sweptAt = 0
  #state: RunState = 'starting'
  /** Why the last reload or handover failed, so that the edge does not run with its file or with the program on disk. */
  unmet: string | undefined

  constructor(config: EdgeConfig, log: Log, clock: Clock, network: Network = systemNetwork) {
    this.context = createContext(config, log, clock, network)
    this.#network = network
    this.#healthChecks = new HealthChecks(
      () => this.context.servers.all(),
      (event, facts) => log.warn(event, facts),
    )
    readGauges(this.context)
  }

  get state(): RunState {
    return this.#state
  }

  /** Addresses that clients connect to. */
  get listeners(): { name: string; address: string; port: number }[] {
    return this.#listeners.map(({ name, config }) => ({ name, address: config.address, port: config.port }))
  }

  /** The sockets of the listeners, for a handover to a new process. Undefined: Node does not expose their files. */
  get sockets(): ListeningSocket[] | undefined {
    const sockets = this.#listeners.flatMap(({ socket }) => socket ?? [])
    return sockets.length === this.#listeners.length ? sockets : undefined
  }

  /** Binds every port. Throws `listen_failed` and leaves no port bound if one cannot be bound. */
  async start(sockets = new InheritedSockets([])): Promise<void> {
    const { listeners } = this.context.settings.current
    try {
      for (const [name, config] of Object.entries(listeners)) {
        const listener = new Listener(
          name,
          config,
          (open, file) => this.#accept(open, file, listener),
          (error) => this.#onAcceptFailed(error, listener),
          this.#network,
        )
        await listener.listen(sockets.take(config))
        this.#listeners.push(listener)
      }
    } catch (error) {
      for (const listener of this.#listeners) listener.close()
      throw error
    }
    linkFailures.subscribe(this.#onFailure)
    this.#sweep()
    this.#sweptAt = this.context.clock.now()
    this.#sweeper = runtime.every(1000, () => this.#sweep())
    this.context.clock.onTick = this.#onTick
    this.#state = 'serving'
  }

  /** No session was served for this time. */
  readonly #onTick = (lateMs: number): void => {
    const { metrics, log } = this.context
    metrics.histograms.event_loop_delay_seconds.observe(lateMs)
    if (lateMs >= stallMs) log.warn('stalled', { ms: Math.round(lateMs) })
  }

  /**
   * Applies another configuration. Sessions continue. Idle connections to servers whose settings have changed are closed.
   * Throws `tls_unreadable` and changes nothing if a certificate or key cannot be used.
   * @param certificates `kept`: a certificate that cannot be read again stays in force if its settings have not changed
   */
  apply(config: EdgeConfig, { certificates: rule = 'read' }: { certificates?: 'read' | 'kept' } = {}): void {
    const { settings, servers, pool, log } = this.context
    const inForce = { config: settings.current, certificates: settings.certificates }
    const certificates = readCertificates(config, rule === 'kept' ? inForce : undefined)
    for (const reason of certificates.unread) log.warn('certificate_unread', { reason })
    settings.replace(config, certificates)
    servers.configure(config, certificates.upstreams)
    if (this.#state === 'retiring' || this.#state === 'stopping') this.#endConnectAhead()
    log.level = config.log.level
    this.#reportedCertificates.clear()
    this.#watchCertificates()
    this.#fileReserve.readLimit()
    const keys = this.keysAwaitingRestart
    if (keys.length > 0) log.warn('restart_needed', { keys: keys.join(' ') })
    pool.dropUnfit()
  }

  /** Keys of the configuration in force that take effect only after a restart. */
  get keysAwaitingRestart(): string[] {
    const { atStart, current } = this.context.settings
    return awaitingRestart(atStart, current)
  }

  /** Refuses new clients until `resume`. */
  drain(): void {
    if (this.#state === 'serving') this.#state = 'draining'
  }

  resume(): void {
    if (this.#state === 'draining') this.#state = 'serving'
  }

  /** A new process serves the listeners. This edge accepts no client and keeps no idle connection. Its sessions continue. */
  retire(): void {
    this.#state = 'retiring'
    for (const listener of this.#listeners) listener.close()
    this.#healthChecks.stop()
    this.#endConnectAhead()
    this.context.pool.close()
  }

  #endConnectAhead(): void {
    for (const { connectAhead } of this.context.servers.all()) connectAhead.end()
  }

  /** Resolves when the last client of a retiring edge has left, after the timeout, or at the signal. */
  async clientsLeave(timeoutMs: number, signal: AbortSignal): Promise<void> {
    await connectionsEnd(this.context, timeoutMs, signal)
  }

  /**
   * Stops accepting clients, waits for sessions to end, ends the others after the timeout, and closes everything. Settles when
   * the last connection is closed.
   * @param hurry ends all waits immediately
   */
  async stop(drainTimeoutMs: number, hurry: AbortSignal = never): Promise<void> {
    const { tracer, protocolLog } = this.context
    this.#state = 'stopping'
    for (const listener of this.#listeners) listener.close()
    this.#healthChecks.stop()
    this.#endConnectAhead()
    await endConnections(this.context, drainTimeoutMs, hurry)
    for (const id of tracer.ids()) tracer.stop(id, 'edge-stopped')
    runtime.cancel(this.#sweeper)
    linkFailures.unsubscribe(this.#onFailure)
    protocolLog?.close()
  }

  #accept(open: OpenTransport, file: number, listener: Listener): void {
    const { metrics, settings, clientAdmission, clock, pool } = this.context
    const { clients } = settings.current
    metrics.counters.client_connections_total.value++
    const { name } = listener
    const config = settings.listener(name)
    const context = settings.listenerTls(name)
    const link = new Link(open)
    if (!this.#serves) {
      this.#countRefusal('draining')
      return refuseLink(link, { config, context }, draining)
    }
    if (this.#fileReserve.isTouched(file) && !pool.onExhausted('out-of-files')) {
      this.#onAcceptFailed({ code: 'EMFILE' }, listener)
      return refuseLink(link, { config, context }, tooMany)
    }
    const entrance = { listener: name, config, context, admission: clientAdmission, limits: clients }
    const accepted = acceptClient(link, entrance, clients.loginTimeoutMs)
    if (accepted instanceof Promise) void this.#serveLater(accepted, clock.now())
    else this.#serve(accepted, clock.now())
  }

  /** Whether clients are served. Clients that were accepted before a handover are. */
  get #serves(): boolean {
    return this.#state === 'serving' || this.#state === 'retiring'
  }

  /** Serves a client after its PROXY header and TLS handshake. */
  async #serveLater(accepting: Promise<AcceptedClient | NotAccepted>, acceptedAt: number): Promise<void> {
    try {
      this.#serve(await accepting, acceptedAt)
    } catch (error) {
      this.#onFailure(error)
    }
  }

  #serve(accepted: AcceptedClient | NotAccepted, acceptedAt: number): void {
    if (accepted.kind === 'gone') return
    if (accepted.kind === 'refused') return this.#countRefusal(accepted.reason)
    const { link, place, address, secure } = accepted
    if (!this.#serves) {
      this.#countRefusal('draining')
      link.write(`* BYE ${draining}\r\n`)
      return link.closeWhenWritten(1000)
    }
    const limits = this.context.settings.current.clients
    const client = new Client({ link, place, address, secure, limits, acceptedAt })
    void runSession(client, this.context)
    link.resume()
  }

  /** A client could not be accepted. Closes idle connections, so that the next client can be. */
  #onAcceptFailed(error: unknown, listener: Listener): void {
    const { pool, log, clock } = this.context
    const what = exhaustionOf(error)
    this.#countRefusal(what ?? 'accept-failed')
    if (what !== undefined) pool.onExhausted(what)
    const now = clock.now()
    if (now - this.#acceptFailureLoggedAt < acceptFailureLogMs) return
    this.#acceptFailureLoggedAt = now
    log.error('accept_failed', { listener: listener.name, reason: acceptErrorText(error) })
  }

  #countRefusal(reason: ClosedValue<'client_refusals_total', 'reason'>): void {
    this.context.metrics.counters.client_refusals_total({ reason }).value++
  }

  /** Logs an exception in the handler of a link, which has ended its session, or in the sweep. Both are bugs. */
  readonly #onFailure = (error: unknown): void =>
    this.context.log.error('session_failed', { error: stackOf(error) })

  /** Logs each problem of a certificate once: after a start, after a reload, or when it begins. */
  #watchCertificates(): void {
    const { settings, clock, log } = this.context
    for (const { kind, detail } of settings.certificateProblems(clock.wall())) {
      const isNew = !this.#reportedCertificates.has(`${kind} ${detail}`)
      this.#reportedCertificates.add(`${kind} ${detail}`)
      if (isNew) log.warn(kind, { detail })
    }
  }

  /** Updates the memory state, and logs each change of it. */
  #watchMemory(): void {
    const { settings, pool, log } = this.context
    const { memoryBytesMax } = settings.current.process
    const before = pool.memory
    if (memoryBytesMax === 0 && before === 'enough') return
    const bytes = residentBytes()
    pool.onMemory(memoryStateOf(bytes, memoryBytesMax))
    if (pool.memory !== before) log.warn(memoryEvents[pool.memory], { bytes, bytesMax: memoryBytesMax })
  }

  #sweep(): void {
    const { settings, clock, pool, servers, sessions, tracer } = this.context
    const now = clock.now()
    const pausedMs = now - this.#sweptAt
    this.#sweptAt = now
    try {
      const wasSuspended = this.#suspensions.wasSuspended()
      if (wasSuspended) pool.doubtIdle()
      for (const { connectAhead } of servers.all()) {
        if (wasSuspended) connectAhead.close()
        else connectAhead.sweep()
      }
      this.#watchMemory()
      pool.sweep()
      // After a pause of the process (SIGSTOP), bytes that clients sent during the pause are read first.
      if (pausedMs < pauseMs) sessions.sweep(now, settings.current.clients.idleTimeoutMs)
      tracer.sweep()
      this.#watchCertificates()
      if (this.#state !== 'stopping' && this.#state !== 'retiring') this.#healthChecks.sweep(now)
    } catch (error) {
      this.#onFailure(error)
    }
  }
}

let lastResidentBytes = 0

/** The resident memory, or its last value if no open file is free for reading it. */
function residentBytes(): number {
  try {
    lastResidentBytes = process.memoryUsage.rss()
  } catch {
    // EMFILE
  }
  return lastResidentBytes
}

function readGauges({ settings, metrics, pool, clientAdmission, tracer, servers }: EdgeContext): void {
  const { connections } = pool
  metrics.gauge('clients_connected', () => clientAdmission.total)
  metrics.gauge('clients_limit', () => settings.current.clients.connectionsMax)
  metrics.gauge('upstreams_dialing', () => connections.count('dialing'))
  metrics.gauge('upstreams_leased', () => connections.count('leased'))
  metrics.gauge('upstreams_resetting', () => connections.count('resetting'))
  metrics.gauge('upstreams_idle', () => connections.count('idle'))
  metrics.gauge(
    'upstreams_ahead',
    () => [...servers.all()].filter(({ connectAhead }) => connectAhead.state !== 'none').length,
  )
  metrics.gauge('leases_waiting', () => connections.count('waiting'))
  metrics.gauge('traces_active', () => tracer.active)
  metrics.gauge('upstream_healthy', () =>
    [...servers.all()].map(({ name, downReason }) => [{ upstream: name }, downReason === undefined ? 1 : 0]),
  )
  metrics.gauge('upstream_paused', () =>
    [...servers.all()].map(({ name, isPaused }) => [{ upstream: name }, isPaused ? 1 : 0]),
  )
  metrics.gauge('upstream_connections_limit', () =>
    [...servers.all()].map(({ name, config }) => [{ upstream: name }, config.connectionsMax]),
  )
  metrics.gauge('upstream_connections_used', () =>
    [...servers.all()].map(({ name }) => {
      const { dialing, leased, resetting } = connections.at(name)
      return [{ upstream: name }, dialing.size + leased.size + resetting.size]
    }),
  )
  metrics.gauge('upstream_addresses_down', () =>
    [...servers.all()].map(({ name, addresses }) => [{ upstream: name }, addresses.down.length]),
  )
  metrics.gauge('connects_waiting', () =>
    [...servers.all()].map(({ name, gate }) => [{ upstream: name }, gate.waiting]),
  )
  metrics.gauge('upstream_connections_allowed', () =>
    [...pool.learnedLimits()].map(({ server, scope, connections: allowed }) => [
      { upstream: server, scope },
      allowed,
    ]),
  )
  metrics.gauge('certificate_expiry_seconds', () =>
    settings.certificateDates.map(({ owner, until }) => [{ owner }, until / 1000]),
  )
  metrics.gauge('memory_rss_bytes', residentBytes)
  metrics.counterFrom('cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
}
