/**
 * The edge as a whole: builds the parts once, starts, reloads, drains and stops them. Sessions are run by session.ts with
 * what this file hands them.
 */
import type { Socket } from 'node:net'
import type { EdgeConfig } from '@imapfleet/config'
import { Client } from './client/client.ts'
import type { Clock } from './clock.ts'
import { Link } from './link/link.ts'
import { Gate } from './listen/gate.ts'
import { Listener } from './listen/listener.ts'
import { Counters, type Counter } from './observe/counters.ts'
import type { Log } from './observe/log.ts'
import { Tracer } from './observe/tracer.ts'
import { Pool } from './pool/pool.ts'
import { reap } from './pool/reaper.ts'
import { routeOf } from './routes.ts'
import { runSession } from './session.ts'
import { SessionParts } from './session-parts.ts'
import { Sessions } from './sessions.ts'
import { Target } from './upstream/target.ts'

/** The configuration in force; replaced as a whole by a reload. */
export interface Settings {
  current: EdgeConfig
}

export class Edge {
  readonly settings: Settings
  readonly log: Log
  readonly clock: Clock
  readonly counters = new Counters()
  readonly sessions = new Sessions()
  readonly gate = new Gate()
  readonly pool: Pool
  readonly tracer: Tracer
  readonly #connections: Counter
  readonly #listeners: Listener[] = []
  readonly #parts: SessionParts
  #targets = new Map<string, Target>()
  #generation = 0
  #sweeper: NodeJS.Timeout | undefined
  #state: 'starting' | 'serving' | 'draining' | 'stopping' = 'starting'

  constructor(config: EdgeConfig, log: Log, clock: Clock) {
    this.settings = { current: config }
    this.log = log
    this.clock = clock
    this.pool = new Pool({ settings: this.settings, counters: this.counters, log, now: clock.now })
    this.tracer = new Tracer(clock.now)
    this.#connections = this.counters.counter('client_connections_total')
    this.#targets = this.#buildTargets(config)
    this.#parts = new SessionParts(this)
    this.counters.gauges(() => this.#gauges())
  }

  get state(): 'starting' | 'serving' | 'draining' | 'stopping' {
    return this.#state
  }

  get targets(): ReadonlyMap<string, Target> {
    return this.#targets
  }

  /** Where clients reach this edge, for people. */
  get listeners(): { name: string; address: string; port: number }[] {
    return this.#listeners.map(({ name, config }) => ({ name, address: config.address, port: config.port }))
  }

  targetFor(user: string, listener: string): Target {
    return this.#targets.get(routeOf(this.settings.current, user, listener))!
  }

  /** Binds every port, or throws and leaves none bound. */
  async start(): Promise<void> {
    const { listeners } = this.settings.current
    try {
      for (const [name, config] of Object.entries(listeners)) {
        const listener = new Listener(name, config, (socket) => this.#accept(socket, listener))
        await listener.listen()
        this.#listeners.push(listener)
      }
    } catch (error) {
      for (const listener of this.#listeners) listener.close()
      throw error
    }
    this.#sweeper = setInterval(() => this.#sweep(), 1000)
    this.#state = 'serving'
  }

  /**
   * Puts another configuration in force: all of it or, if it throws, nothing. Sessions go on; connections to an
   * upstream whose settings have changed are not handed out again.
   */
  apply(config: EdgeConfig): void {
    const targets = this.#buildTargets(config)
    this.settings.current = config
    this.#targets = targets
    this.log.level = config.log.level
    this.#parts.refresh()
    for (const upstream of [...this.pool.states.idle])
      if (targets.get(upstream.name)?.generation !== upstream.generation)
        this.pool.drop(upstream, 'config-changed')
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
    this.#parts.close()
  }

  #accept(socket: Socket, listener: Listener): void {
    this.#connections.value++
    const address = socket.remoteAddress ?? ''
    const link = new Link(socket)
    const entry =
      this.#state === 'serving' ? this.gate.enter(address, this.settings.current.clients) : 'draining'
    if (entry !== 'in') {
      this.counters.counter('client_refusals_total', { reason: entry }).value++
      link.write(
        `* BYE ${entry === 'draining' ? 'Server is draining, try again' : 'Too many connections'}\r\n`,
      )
      return link.closeWhenWritten(1000)
    }
    socket.once('close', () => this.gate.leave(address))
    const client = new Client({
      link,
      listener: listener.name,
      address,
      secure: false,
      limits: this.settings.current.clients,
      now: this.clock.now(),
    })
    this.sessions.arriving.add(client)
    runSession(client, this.#parts)
      .catch((error: unknown) => {
        // A bug ends its session and nothing else; the connection it held was never given back and is dropped.
        this.log.error('session_failed', { error: error instanceof Error ? error.stack : String(error) })
        client.close()
      })
      .finally(() => this.#parts.onSessionEnd(client))
  }

  #sweep(): void {
    const config = this.settings.current
    const now = this.clock.now()
    reap(this.pool, config.pool, now)
    this.sessions.sweep(now, config.clients.idleTimeoutMs)
    this.tracer.sweep()
  }

  #buildTargets(config: EdgeConfig): Map<string, Target> {
    const built = Object.entries(config.upstreams).map(([name, settings]): [string, Target] => {
      const present = this.#targets.get(name)
      const isSame = present && JSON.stringify(present.config) === JSON.stringify(settings)
      return [name, isSame ? present : new Target(name, settings, ++this.#generation, this.counters)]
    })
    return new Map(built)
  }

  #gauges(): Record<string, number> {
    const { states } = this.pool
    return {
      clients_connected: this.gate.total,
      upstreams_dialing: states.dialingTotal,
      upstreams_leased: states.leased.size,
      upstreams_resetting: states.resetting.size,
      upstreams_idle: states.idle.size,
      traces_active: this.tracer.active,
    }
  }
}
