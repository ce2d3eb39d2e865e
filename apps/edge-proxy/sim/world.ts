/**
 * One simulated world: the real edge, a server, clients and faults, all from one seed. A time with faults is followed by a time
 * without faults, in which all clients must be served (liveness).
 */
import { resolveConfig, mergeLayers, type EdgeConfig, type Layer } from '@imapfleet/config'
import { Log } from '@imapfleet/observe'
import { Clock } from '../src/edge/clock.ts'
import { Edge } from '../src/edge/edge.ts'
import { replaceRuntime, runtime } from '../src/runtime.ts'
import { carryOut } from '../src/ops/operations.ts'
import { Auditor } from './auditor.ts'
import { Chance } from './chance.ts'
import {
  condstoreFamilies,
  families,
  runScript,
  runVisit,
  runWild,
  wildFamily,
  type Script,
} from './client-script.ts'
import { Faults } from './faults.ts'
import { MailClient } from './mail-client.ts'
import { MailServer } from './mail-server.ts'
import { Account, secrets } from './mail-store.ts'
import { restartAtMs, troubledMs, type Plan, type PlannedClient } from './plan.ts'
import { Scheduler, startMs } from './scheduler.ts'
import { SessionRecord } from './session-record.ts'
import { simulatedRuntime } from './simulated-runtime.ts'
import { Switchboard } from './switchboard.ts'

/** Reasons against reuse that are caused neither by clients nor by settings. */
const surprises = [
  'unexpected-reply',
  'unexpected-continuation',
  'barrier-timed-out',
  'barrier-refused',
  'cannot-deselect',
  'closed-by-peer',
  'server-said-bye',
  'failed-here',
] as const

const edgePort = 1143
const edgeAddress = '10.0.1.1'
/** Addresses of the mail server. The second one is used in some worlds. */
const serverAddresses = ['10.0.0.1', '10.0.0.2'] as const

/** A world that has not ended after this many events is in an endless loop. */
const eventsMax = 600_000
/** How long clients may need after the faults. */
const recoveryMs = 300_000
/** After that, clients may continue while their connections carry bytes in each such interval. Some are byte by byte. */
const carryingMs = 60_000
const carryingSpansMax = 60
/** Time limit until an address that works again gets as many logins as before: checks, and a slow start. */
const returnMs = 120_000
/** Limit on bytes queued for a slow client: the buffers of kernels, and the limits of the edge. */
const queuedBytesMax = 350_000
/** Numbers of sessions have five digits. */
const sessionsMax = 99_999
/** Tolerance for a wait that is checked at intervals. */
const waitSlackMs = 2000
/** Number of events between two checks of the edge's registers. */
const lookEvery = 16

export interface WorldResult {
  findings: readonly string[]
  /** The hash of all events. */
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
  /** One server for each address. They have the same mail. */
  readonly servers: readonly MailServer[]
  readonly clients = new Set<MailClient>()
  readonly logged: string[] = []
  /** Error of the edge's wall clock in milliseconds. */
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
    const isTroubled = plan.mood === 'troubled'
    this.auditor.expectsLogins = !isTroubled && plan.mood !== 'restart'
    this.switchboard = new Switchboard(this.scheduler, this.chance.derive('network'), !isTroubled)
    for (const user of plan.users) {
      const chance = this.chance.derive(`account ${user}`)
      this.accounts.set(user, new Account(user, secrets.slice(0, 2), chance, plan.hasBigMail ? 0.1 : 0))
    }
    this.servers = serverAddresses.slice(0, plan.mood === 'restart' ? 2 : 1).map(
      (address) =>
        new MailServer({
          address,
          traits: plan.traits,
          accounts: this.accounts,
          scheduler: this.scheduler,
          chance: this.chance.derive(`server ${address}`),
          watcher: this.auditor,
        }),
    )
    this.config = this.resolved({})
    if (plan.mood === 'restart') this.auditor.loginMsMax = this.config.clients.loginTimeoutMs
    this.noteLimits()
  }

  /** The first server. */
  get server(): MailServer {
    return this.servers[0]!
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
    const { usesMax, lifetimeMaxMs, proveIdleAfterMs, replyTimeoutMs, resetBytesMax } = this.config.pool
    const { limits } = this.auditor
    limits.uses = Math.max(limits.uses, usesMax)
    limits.ageMs = Math.max(limits.ageMs, lifetimeMaxMs)
    limits.unprovenMs = Math.max(limits.unprovenMs, proveIdleAfterMs)
    limits.replyMs = Math.max(limits.replyMs, replyTimeoutMs)
    limits.idleMs = Math.min(limits.idleMs, this.config.clients.idleTimeoutMs)
    this.auditor.isAhead ||= this.config.upstreams['main']!.ahead === 'on'
    for (const server of this.servers)
      server.noisyLines = resetBytesMax > 20_000 ? 0 : Math.ceil(resetBytesMax / 60)
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
    const { scheduler, switchboard, servers, plan } = this
    for (const server of servers) switchboard.bind(server.address, server.port, server.accept)
    this.#clock = new Clock(100, () => runtime.wall() + this.wallOffsetMs)
    const log = new Log({ level: 'error', format: 'text' }, (line) => this.#onLogged(line))
    this.edge = new Edge(
      this.config,
      log,
      this.#clock,
      switchboard.networkOf({ name: 'e', address: edgeAddress }),
    )
    await this.edge.start()
    const isRestart = plan.mood === 'restart'
    for (const client of plan.clients)
      scheduler.after(
        client.at,
        () => void (isRestart ? this.#runUntilServed(client) : this.#runClient(client)),
      )
    const faults = new Faults(this)
    for (const fault of plan.faults) scheduler.after(fault.at, () => faults.begin(fault))
    this.#changeMail()
    await this.#advance(troubledMs, () => false)
    if (this.#hasFailed) return
    faults.end()
    if (!(await this.#untilClientsHaveEnded()) && !this.#hasFailed)
      this.auditor.finding(`${this.#running} clients have not ended`)
    await this.#advance(recoveryMs, () => this.#isSettled)
    if (plan.mood === 'restart') await this.#checkReturn()
    if (this.#hasFailed) return
    this.#checkSettled()
    await this.#stop()
  }

  async #untilClientsHaveEnded(): Promise<boolean> {
    const haveEnded = () => this.#running === 0
    if (await this.#advance(recoveryMs, haveEnded)) return haveEnded()
    for (let spans = 0; spans < carryingSpansMax; spans++) {
      const before = new Map([...this.clients].map((client) => [client, client.carried]))
      if (await this.#advance(carryingMs, haveEnded)) return haveEnded()
      for (const [client, carried] of before)
        if (this.clients.has(client) && client.carried === carried) return false
    }
    return false
  }

  get #hasFailed(): boolean {
    return this.auditor.findings.length > 0
  }

  #onLogged(line: string): void {
    this.logged.push(line)
    if (/session_failed|reset_failed/.test(line))
      this.auditor.finding(`the edge logged ${line.trim().replace(/^\S+ /, '')}`)
  }

  /** Runs for this time. Ends early when `isDone`, or after a finding. */
  #advance(ms: number, isDone: () => boolean): Promise<boolean> {
    return this.scheduler.run(ms, () => {
      if (this.scheduler.events >= this.#lookAt) {
        this.#lookAt = this.scheduler.events + lookEvery
        this.#look()
      }
      return this.#hasFailed || isDone()
    })
  }

  /** Connects again until it is served after the restart, like the users of a webmail. */
  async #runUntilServed(planned: PlannedClient): Promise<void> {
    const { scheduler } = this
    const restartedAt = startMs + restartAtMs
    const chance = this.chance.derive(`visits ${planned.number}`)
    const step = this.plan.clients.length
    this.#running++
    for (let number = planned.number; number <= sessionsMax; number += step) {
      const session = await this.#runClient({ ...planned, number }, runVisit)
      if ((session.loggedInAt ?? 0) > restartedAt) return void this.#running--
      await scheduler.sleep(chance.between(300, 2500))
    }
    this.auditor.finding(`client ${planned.number} was not served after the restart`)
  }

  async #runClient({ number, user, secret, family }: PlannedClient, script?: Script): Promise<SessionRecord> {
    const { scheduler, auditor } = this
    const account = this.accounts.get(user)!
    const chance = this.chance.derive(`client ${number}`)
    const session = new SessionRecord({
      number,
      user,
      secret: secret === 'latest' ? account.latestSecret : secrets[secret]!,
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
      if (!end) return session
      const client = new MailClient(session, end, auditor, scheduler)
      this.clients.add(client)
      client.onOver = () => void this.clients.delete(client)
      client.isBeginningOfMail = (text) => account.hasMailWith(text)
      const run = script ?? (session.isWild ? runWild : runScript)
      const { loginTimeoutMs } = this.config.clients
      await run({ client, chance, scheduler, loginTimeoutMs, stepsMax: this.plan.stepsMax })
      return session
    } finally {
      this.#running--
    }
  }

  /** Other clients change mailboxes continuously. */
  #changeMail(): void {
    const chance = this.chance.derive('others')
    const change = () => {
      if (this.#running === 0 && this.scheduler.now > startMs + troubledMs) return
      const account = chance.pick([...this.accounts.values()])
      account.changeByOthers(chance)
      for (const server of this.servers)
        for (const connection of server.connectionsOf(account.name)) connection.onChanged()
      this.scheduler.after(chance.between(10, 1500), change)
    }
    change()
  }

  /** An address that works again must get logins, and after some time as many as before. */
  async #checkReturn(): Promise<void> {
    const { roundRobin } = this.config.upstreams['main']!
    let number = sessionsMax
    const visit = async () => {
      const user = this.plan.users[number % this.plan.users.length]!
      void this.#runClient({ number: number--, at: 0, user, secret: 0, family: families[0] }, runVisit)
      await this.#advance(recoveryMs, () => this.#running === 0 && this.#isSettled)
      for (const each of this.plan.users) carryOut(this.edge.context, { kind: 'purge-idle', user: each })
    }
    // Health checks, or logins if there are none, detect that the address works. Then it gets logins gradually.
    for (let count = 0; count < 20; count++) {
      await visit()
      await this.#advance(returnMs / 20, () => false)
    }
    const before = this.servers.map(({ accepted }) => accepted)
    for (let count = 0; count < 8; count++) await visit()
    if (this.#hasFailed) return
    for (const [index, { accepted, address }] of this.servers.entries())
      if (accepted === before[index] && (roundRobin || index === 0))
        this.auditor.finding(`${address} works again, and gets no logins`)
  }

  #countsAsDown(address: string): boolean {
    const server = this.edge.context.servers.get('main')
    return server?.addresses.isDown({ host: '', address }) ?? false
  }

  /** The edge's registers must agree with its sockets at any time, and no login may wait too long. */
  #look(): void {
    const { edge, auditor } = this
    const { pool, clientAdmission, settings } = edge.context
    for (const [connection, state] of pool.connections.all()) {
      if (state !== 'idle') continue
      if (!connection.link.isOpen) auditor.finding(`an idle connection of ${connection.user} is closed`)
      if (connection.distrustReason !== undefined)
        auditor.finding(`an idle connection of ${connection.user} is distrusted`)
    }
    if (!this.hasReloaded) this.#checkLimits(settings.current.upstreams['main']!)
    this.#checkWaits(settings.current)
    let accepted = 0
    for (const { near, far } of this.switchboard.wires) {
      if (near.remoteAddress !== edgeAddress) continue
      if (!far.isClosed) accepted++
      if (far.queuedBytes > queuedBytesMax) auditor.finding(`${far.queuedBytes} bytes wait for a client`)
    }
    if (clientAdmission.total > accepted)
      auditor.finding(`${clientAdmission.total} clients are counted, and ${accepted} are connected`)
    const max = eventsMax + this.plan.clients.length * 4000
    if (this.scheduler.events > max) auditor.finding(`no end after ${max} events`)
  }

  #checkLimits(upstream: EdgeConfig['upstreams'][string]): void {
    const { auditor } = this
    const { connections } = this.edge.context.pool
    const { connectionsMax, connectionsSpareMax, connectionsPerUserMax, queueMax, connectsMax } = upstream
    for (const { address, troubledAt } of this.servers) {
      const attempts = this.switchboard.attemptsAt(address)
      // A check of the address and a request for the server's ID do not wait for their turn.
      if (attempts > connectsMax + 2)
        auditor.finding(
          `${attempts} attempts to connect to ${address} at the same time, more than ${connectsMax}`,
        )
      if (this.plan.mood === 'restart' && troubledAt === undefined && this.#countsAsDown(address))
        auditor.finding(`${address} counts as down, although nothing was ever wrong with it`)
    }
    const { open, dialing, waiting } = connections.at('main')
    if (waiting.size > queueMax) auditor.finding(`${waiting.size} logins wait, more than ${queueMax}`)
    if (open > connectionsMax) auditor.finding(`${open} connections, more than ${connectionsMax}`)
    if (open + dialing.size > connectionsMax + connectionsSpareMax)
      auditor.finding(`${open} connections and ${dialing.size} dials exceed the limit`)
    const ahead = this.edge.context.servers.get('main')!.connectAhead.state === 'none' ? 0 : 1
    if (ahead > 0 && dialing.size === 0 && open + ahead > connectionsMax)
      auditor.finding(`${open} connections, and one that is opened ahead exceeds the limit`)
    if (connectionsPerUserMax === 0) return
    const byUser = new Map<string, number>()
    for (const [{ user }] of connections.all()) byUser.set(user, (byUser.get(user) ?? 0) + 1)
    for (const [user, count] of byUser)
      if (count > connectionsPerUserMax) auditor.finding(`${count} connections of ${user}`)
  }

  /** When each login that waits, and each dial, was first seen. */
  readonly #seenAt = new WeakMap<object, number>()

  #checkWaits({ upstreams, clients }: EdgeConfig): void {
    const { auditor, scheduler } = this
    const { connections } = this.edge.context.pool
    const { dialing, waiting, resetting } = connections.at('main')
    const ageOf = (what: object): number => {
      const since = this.#seenAt.get(what) ?? scheduler.now
      if (since === scheduler.now) this.#seenAt.set(what, since)
      // The edge does not run while time is frozen.
      return scheduler.now - Math.max(since, auditor.frozenUntil)
    }
    for (const waiter of waiting) {
      const age = ageOf(waiter)
      if (age > upstreams['main']!.queueTimeoutMs + waitSlackMs && !this.hasReloaded)
        auditor.finding(`a login waits for a place for ${age} ms`)
      if (age > waitSlackMs && !waiter.request.holder.isConnected)
        auditor.finding('the login of a client that has gone waits for a place')
    }
    for (const [, waiter] of resetting)
      if (waiter && ageOf(waiter) > clients.loginTimeoutMs + waitSlackMs)
        auditor.finding('a login waits for a reset for too long')
    // A login may wait for its turn until its time limit. The reply to a sent login is awaited after its client has disconnected.
    const dialMsMax = clients.loginTimeoutMs + upstreams['main']!.loginTimeoutMs + waitSlackMs
    for (const dial of dialing)
      if (ageOf(dial) > dialMsMax) auditor.finding(`a login is with the server for ${ageOf(dial)} ms`)
  }

  /** Set by a reload, after which limits may be lower than the numbers of open connections. */
  hasReloaded = false

  /** In a world without faults, no reset may find anything unexpected. */
  #checkResets(): void {
    if (this.plan.mood !== 'calm' && this.plan.mood !== 'busy') return
    const { counters } = this.edge.context.metrics.snapshot()
    for (const reason of surprises) {
      const count = counters[`reuse_refused_total{reason="${reason}"}`] ?? 0
      if (count > 0) this.auditor.finding(`${count} connections were closed after a session: ${reason}`)
    }
  }

  /** Number of client connections that are open at the edge. */
  #edgeEnds(address: string): number {
    let count = 0
    for (const { near, far } of this.switchboard.wires)
      if (near.remoteAddress === address && !far.isClosed) count++
    return count
  }

  /** Number of server connections that are open at the edge. */
  get #serverEnds(): number {
    let count = 0
    for (const { near } of this.switchboard.wires)
      if (near.remoteAddress !== edgeAddress && !near.isClosed) count++
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
    this.auditor.checkOpenCommands(this.servers)
    this.#checkResets()
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
