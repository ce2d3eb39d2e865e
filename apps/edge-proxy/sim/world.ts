/**
 * One simulated world: an edge as it is, a server, clients and faults, all from one seed. First there is trouble, then none:
 * everything must end well (liveness).
 */
import { resolveConfig, mergeLayers, type EdgeConfig, type Layer } from '@imapfleet/config'
import { Log } from '@imapfleet/observe'
import { Clock } from '../src/edge/clock.ts'
import { Edge } from '../src/edge/edge.ts'
import { replaceRuntime, runtime } from '../src/runtime.ts'
import { Auditor } from './auditor.ts'
import { Chance } from './chance.ts'
import { condstoreFamilies, runScript, runWild, wildFamily } from './client-script.ts'
import { Faults } from './faults.ts'
import { MailClient } from './mail-client.ts'
import { MailServer } from './mail-server.ts'
import { Account, secrets } from './mail-store.ts'
import { troubledMs, type Plan, type PlannedClient } from './plan.ts'
import { Scheduler } from './scheduler.ts'
import { SessionRecord } from './session-record.ts'
import { simulatedRuntime } from './simulated-runtime.ts'
import { Switchboard } from './switchboard.ts'

const edgePort = 1143
const edgeAddress = '10.0.1.1'
const serverAddress = '10.0.0.1'

/** A world that has not ended after so many events goes round in circles. */
const eventsMax = 600_000
/** How long clients may need after the trouble. */
const recoveryMs = 300_000
/** Events between two looks at the edge's own registers. */
const lookEvery = 16

export interface WorldResult {
  findings: readonly string[]
  /** Of everything that has happened. */
  hash: string
  events: number
  counts: Auditor['counts']
  lastEvents: (count: number) => string[]
}

export class World {
  readonly plan: Plan
  readonly scheduler = new Scheduler()
  readonly chance: Chance
  readonly auditor: Auditor
  readonly switchboard: Switchboard
  readonly accounts = new Map<string, Account>()
  readonly server: MailServer
  readonly clients = new Set<MailClient>()
  readonly logged: string[] = []
  /** Milliseconds that the edge's wall clock is wrong. */
  wallOffsetMs = 0
  config: EdgeConfig
  edge!: Edge
  #clock!: Clock
  readonly #timers = new Set<object>()
  #running = 0
  #lookAt = 0

  constructor(plan: Plan) {
    this.plan = plan
    this.chance = new Chance(plan.seed)
    this.auditor = new Auditor(this.scheduler, condstoreFamilies)
    this.auditor.expectsLogins = plan.isCalm
    this.switchboard = new Switchboard(this.scheduler, this.chance.derive('network'))
    for (const user of plan.users)
      this.accounts.set(user, new Account(user, secrets.slice(0, 2), this.chance.derive(`account ${user}`)))
    this.server = new MailServer({
      address: serverAddress,
      traits: plan.traits,
      accounts: this.accounts,
      scheduler: this.scheduler,
      chance: this.chance.derive('server'),
      watcher: this.auditor,
    })
    this.config = this.resolved({})
    this.noteLimits()
  }

  /** The configuration of the edge with a layer over it. */
  resolved(layer: Layer): EdgeConfig {
    const base: Layer = {
      listeners: { imap: { address: edgeAddress, port: edgePort } },
      log: { level: 'error' },
    }
    const resolved = resolveConfig(mergeLayers(mergeLayers(base, this.plan.config), layer))
    if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems))
    return resolved.config
  }

  /** The auditor allows what any configuration so far has allowed. */
  noteLimits(): void {
    const { usesMax, lifetimeMaxMs } = this.config.pool
    const { limits } = this.auditor
    limits.uses = Math.max(limits.uses, usesMax)
    limits.ageMs = Math.max(limits.ageMs, lifetimeMaxMs)
  }

  async run(): Promise<WorldResult> {
    const restore = replaceRuntime(
      simulatedRuntime(this.scheduler, this.chance.derive('runtime'), this.#timers),
    )
    try {
      await this.#live()
    } catch (error) {
      this.auditor.finding(`an exception: ${(error as Error).stack}`)
    } finally {
      restore()
    }
    const { scheduler, auditor } = this
    return {
      findings: auditor.findings,
      hash: scheduler.log.hash,
      events: scheduler.events,
      counts: auditor.counts,
      lastEvents: (count) => scheduler.log.last(count),
    }
  }

  async #live(): Promise<void> {
    const { scheduler, switchboard, server, plan } = this
    switchboard.bind(server.address, server.port, server.accept)
    this.#clock = new Clock(100, () => runtime.wall() + this.wallOffsetMs)
    const log = new Log({ level: 'error', format: 'text' }, (line) => this.#onLogged(line))
    this.edge = new Edge(
      this.config,
      log,
      this.#clock,
      switchboard.networkOf({ name: 'e', address: edgeAddress }),
    )
    await this.edge.start()
    for (const client of plan.clients) scheduler.after(client.at, () => void this.#runClient(client))
    const faults = new Faults(this)
    for (const fault of plan.faults) scheduler.after(fault.at, () => faults.begin(fault))
    this.#changeMail()
    await this.#advance(troubledMs, () => false)
    if (this.#hasFailed) return
    faults.end()
    if (!(await this.#advance(recoveryMs, () => this.#running === 0)) && !this.#hasFailed)
      this.auditor.finding(`${this.#running} clients have not ended`)
    await this.#advance(recoveryMs, () => this.#isSettled)
    if (this.#hasFailed) return
    this.#checkSettled()
    await this.#stop()
  }

  get #hasFailed(): boolean {
    return this.auditor.findings.length > 0
  }

  #onLogged(line: string): void {
    this.logged.push(line)
    if (/session_failed|reset_failed/.test(line)) this.auditor.finding(`the edge logged ${line.trim()}`)
  }

  /** Runs for this time; ends early when it is done or something was found. */
  #advance(ms: number, isDone: () => boolean): Promise<boolean> {
    return this.scheduler.run(ms, () => {
      if (this.scheduler.events >= this.#lookAt) {
        this.#lookAt = this.scheduler.events + lookEvery
        this.#look()
      }
      return this.#hasFailed || isDone()
    })
  }

  async #runClient({ number, user, secret, family }: PlannedClient): Promise<void> {
    const { scheduler, auditor } = this
    const chance = this.chance.derive(`client ${number}`)
    const session = new SessionRecord({
      number,
      user,
      secret: secrets[secret]!,
      family,
      isWild: family === wildFamily,
    })
    auditor.sessions.set(number, session)
    this.#running++
    try {
      const from = { name: `c${number}`, address: `10.1.0.${1 + (number % 3)}` }
      const end = await this.switchboard
        .dial(from, { address: edgeAddress, port: edgePort })
        .catch(() => undefined)
      if (!end) return
      const client = new MailClient(session, end, auditor, scheduler)
      this.clients.add(client)
      client.onOver = () => void this.clients.delete(client)
      const run = session.isWild ? runWild : runScript
      await run({ client, chance, scheduler, stepsMax: this.plan.stepsMax })
    } finally {
      this.#running--
    }
  }

  /** Other clients change mailboxes all the time. */
  #changeMail(): void {
    const chance = this.chance.derive('others')
    const change = () => {
      if (this.#running === 0 && this.scheduler.now > 1_000_000 + troubledMs) return
      const account = chance.pick([...this.accounts.values()])
      account.changeByOthers(chance)
      for (const connection of this.server.connectionsOf(account.name)) connection.onChanged()
      this.scheduler.after(chance.between(10, 1500), change)
    }
    change()
  }

  /** The edge's registers agree with its sockets at every moment. */
  #look(): void {
    const { edge, auditor, server } = this
    const { pool, clientAdmission, settings } = edge.context
    const upstream = settings.current.upstreams['main']!
    for (const [connection, state] of pool.connections.all()) {
      if (state !== 'idle') continue
      if (!connection.link.isOpen) auditor.finding(`an idle connection of ${connection.user} is closed`)
      if (connection.distrustReason !== undefined)
        auditor.finding(`an idle connection of ${connection.user} is distrusted`)
    }
    const { open, dialing, waiting } = pool.connections.at('main')
    if (waiting.size > upstream.queueMax && !this.hasReloaded)
      auditor.finding(`${waiting.size} logins wait, more than ${upstream.queueMax}`)
    if (!this.hasReloaded && open > upstream.connectionsMax)
      auditor.finding(`${open} connections, more than ${upstream.connectionsMax}`)
    if (!this.hasReloaded && open + dialing.size > upstream.connectionsMax + upstream.connectionsSpareMax)
      auditor.finding(`${open} connections and ${dialing.size} dials exceed the limit`)
    const accepted = this.#edgeEnds(edgeAddress)
    if (clientAdmission.total > accepted)
      auditor.finding(`${clientAdmission.total} clients are counted, and ${accepted} are connected`)
    if (this.scheduler.events > eventsMax) auditor.finding(`no end after ${eventsMax} events`)
    void server
  }

  /** Set by a reload: limits may be lower than what is open. */
  hasReloaded = false

  /** Connections of clients that are open at the edge. */
  #edgeEnds(address: string): number {
    let count = 0
    for (const { near, far } of this.switchboard.wires)
      if (near.remoteAddress === address && !far.isClosed) count++
    return count
  }

  /** Connections to the server that are open at the edge. */
  get #serverEnds(): number {
    let count = 0
    for (const { near } of this.switchboard.wires)
      if (near.remoteAddress === serverAddress && !near.isClosed) count++
    return count
  }

  get #isSettled(): boolean {
    const { pool, sessions, clientAdmission } = this.edge.context
    const { connections } = pool
    const isIdle = (['dialing', 'leased', 'resetting', 'waiting'] as const).every(
      (state) => connections.count(state) === 0,
    )
    return (
      isIdle &&
      sessions.active.size + sessions.arriving.size + clientAdmission.total === 0 &&
      this.#serverEnds === connections.count('idle')
    )
  }

  #checkSettled(): void {
    const { pool, sessions, clientAdmission } = this.edge.context
    const { connections } = pool
    if (!this.#isSettled) {
      const states = (['dialing', 'leased', 'resetting', 'idle', 'waiting'] as const).map(
        (state) => `${connections.count(state)} ${state}`,
      )
      this.auditor.finding(
        `after all clients have ended: ${states.join(', ')}, ${this.#serverEnds} connections to the server, ` +
          `${sessions.active.size} sessions, ${sessions.arriving.size} without a login, ${clientAdmission.total} clients counted`,
      )
    }
    const { gauges } = this.edge.context.metrics.snapshot()
    if (gauges['upstreams_idle'] !== connections.count('idle') || gauges['clients_connected'] !== 0)
      this.auditor.finding(
        `the gauges say ${gauges['upstreams_idle']} idle, ${gauges['clients_connected']} clients`,
      )
    this.auditor.checkOpenCommands([this.server])
  }

  async #stop(): Promise<void> {
    let isStopped = false
    void this.edge.stop(5000).then(() => (isStopped = true))
    if (!(await this.#advance(60_000, () => isStopped)) && !this.#hasFailed)
      this.auditor.finding('the edge does not stop')
    this.#clock.stop()
    await this.#advance(10_000, () => this.#timers.size === 0)
    if (this.#timers.size > 0) this.auditor.finding(`${this.#timers.size} timers run after the stop`)
    if (this.#serverEnds + this.#edgeEnds(edgeAddress) > 0)
      this.auditor.finding('connections are open after the stop')
  }
}
