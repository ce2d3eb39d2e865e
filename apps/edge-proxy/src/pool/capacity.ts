/**
 * Frees capacity for a login when the server or this machine allows no further connection: evicts idle connections and
 * waits until the server has closed them. Idle connections of the user, or of other users of a full server, therefore never
 * prevent a login. Limits that are learned from refusals are remembered, so that the next login evicts first.
 */
import type { ServerConnection } from '../server/server-connection.ts'
import type { Exhaustion } from '../net/socket-errors.ts'
import { delay, runtime } from '../runtime.ts'
import type { Server } from '../server/server.ts'
import type { CapacityVerdict, DialPlace, Shortage } from '../server/shortage.ts'
import type { Connections, Dial } from './connections.ts'
import { fitsLogin, userKeyOf } from './key.ts'
import type { LeaseHolder, LeaseRequest, PoolContext } from './lease.ts'
import { LearnedLimits, type LimitScope } from './learned-limits.ts'

/** Operations of the pool. */
export interface CapacityActions {
  /** Leases an idle connection that fits the login. */
  takeIdle(request: LeaseRequest): ServerConnection | undefined
  /** Logs out on a connection that no session holds. Settles when the server has closed it. */
  evict(connection: ServerConnection): Promise<void>
  /** Closes an idle connection immediately. */
  drop(connection: ServerConnection, reason: Shortage): void
  /** Whether the server has accepted this secret on a connection that is still open. */
  isProven(request: LeaseRequest): boolean
}

/** How often one login is retried after an eviction. After that, the client gets the server's refusal. */
const retriesMax: Readonly<Record<Shortage, number>> = {
  'user-limit': 2,
  'user-busy': 1,
  'server-limit': 2,
  'no-greeting': 1,
  'out-of-files': 2,
  'out-of-ports': 2,
  'out-of-memory': 2,
}

/** Failures that may have other causes than a limit. */
const ambiguous: readonly Shortage[] = ['user-busy', 'no-greeting', 'out-of-ports']

/** More than one: clients that wait to be accepted also need open files. */
const evictedWhenExhausted = 8
/** Share of the idle connections that is closed each second while memory is short. */
const evictedWhenShort = 1 / 16
/** A server needs this long to notice that a connection was closed without LOGOUT. */
const closeNoticedMs = 250
/** After an eviction for an ambiguous shortage did not help, no connection is evicted for that shortage for this time. */
const evictionSuspendedMs = 60_000

export class Capacity {
  readonly limits = new LearnedLimits()
  readonly #context: PoolContext
  readonly #connections: Connections
  readonly #actions: CapacityActions
  /** When a connection of a user was last closed, by server and user; entries are kept for two seconds. */
  readonly #closedAt = new Map<string, number>()
  /** When eviction is tried again, by server and shortage. */
  readonly #suspendedUntil = new Map<string, number>()

  constructor(context: PoolContext, connections: Connections, actions: CapacityActions) {
    this.#context = context
    this.#connections = connections
    this.#actions = actions
  }

  for(dial: Dial): CapacityForDial {
    return new CapacityForDial(this, dial)
  }

  get now(): number {
    return this.#context.clock.now()
  }

  /** A connection was closed, and the server may not have noticed it yet. */
  noteClosed(connection: ServerConnection): void {
    this.#closedAt.set(userKey(connection.serverName, connection.user), this.now)
  }

  /** Removes expired entries; call it each second. */
  sweep(): void {
    const { now } = this
    this.limits.forgetExpired(now)
    for (const [key, at] of this.#closedAt) if (now - at > 2000) this.#closedAt.delete(key)
    for (const [key, until] of this.#suspendedUntil) if (until <= now) this.#suspendedUntil.delete(key)
  }

  /** The server has accepted the login of this dial, which still counts as a dial. */
  noteAccepted(dial: Dial): void {
    if (this.limits.isEmpty) return
    const { name } = dial.request.server
    this.limits.accepted(name, dial.user, this.#openOf(dial) + 1)
    this.limits.accepted(name, undefined, this.#connections.at(name).open + 1)
  }

  /** @param connections number of connections that the server allows */
  noteLimit(scope: LimitScope, dial: Dial, connections = Math.max(1, this.count(scope, dial))): void {
    const { name } = dial.request.server
    if (this.limits.learn(name, scope === 'user' ? dial.user : undefined, connections, this.now))
      this.#context.log.warn('limit_learned', { upstream: name, scope, connections })
  }

  noteRefusal(upstream: string, shortage: Shortage): void {
    this.#context.metrics.counters.upstream_full_total({ upstream, reason: shortage }).value++
  }

  isEvictionSuspended(dial: Dial, shortage: Shortage): boolean {
    return (this.#suspendedUntil.get(`${dial.request.server.name} ${shortage}`) ?? 0) > this.now
  }

  suspendEviction(dial: Dial, shortage: Shortage): void {
    this.#suspendedUntil.set(`${dial.request.server.name} ${shortage}`, this.now + evictionSuspendedMs)
  }

  /** Whether the dial would exceed a learned limit. */
  wouldExceedLimit(scope: LimitScope, dial: Dial): boolean {
    const { request, user } = dial
    const allowed = this.limits.of(request.server.name, scope === 'user' ? user : undefined, this.now)
    if (allowed === undefined || this.count(scope, dial) < allowed) return false
    // Servers check a limit per user after the password. A secret that is not proven is sent to the server first, so that a
    // wrong one evicts no connection.
    return scope === 'server' || this.#actions.isProven(request)
  }

  /** Connections that count towards a limit of the server, without this dial. */
  count(scope: LimitScope, dial: Dial): number {
    const { name } = dial.request.server
    const { dialing, open } = this.#connections.at(name)
    if (scope === 'server') return open + dialing.size - 1
    const key = userKey(name, dial.user)
    let count = 0
    for (const other of dialing) if (other !== dial && userKey(name, other.user) === key) count++
    return count + this.#openOf(dial)
  }

  /** Whether the server may get one more connection, without an eviction. */
  hasRoomAt({ name, config }: Server): boolean {
    const { dialing, open } = this.#connections.at(name)
    const allowed = this.limits.of(name, undefined, this.now) ?? Infinity
    return open + dialing.size < Math.min(config.connectionsMax, allowed)
  }

  #openOf({ request, user }: Dial): number {
    const { name } = request.server
    const key = userKey(name, user)
    let count = 0
    for (const [own] of this.#connections.all())
      if (own.serverName === name && userKey(name, own.user) === key) count++
    return count
  }

  /** Closes idle connections of any server without LOGOUT, which frees their files immediately. False: none is idle. */
  evictForMachine(shortage: Exhaustion): boolean {
    return this.#dropOldest(evictedWhenExhausted, shortage)
  }

  /** Closes a share of the idle connections. Call it each second while memory is short. */
  evictForMemory(): void {
    const count = Math.ceil(this.#connections.count('idle') * evictedWhenShort)
    this.#dropOldest(Math.max(evictedWhenExhausted, count), 'out-of-memory')
  }

  #dropOldest(count: number, reason: Exhaustion): boolean {
    const idle = this.#connections.idle().toSorted((a, b) => a.lastUsedAt - b.lastUsedAt)
    for (const connection of idle.slice(0, count)) this.#actions.drop(connection, reason)
    return idle.length > 0
  }

  /**
   * Evicts an idle connection that counts towards this limit, or leases one that fits the login.
   * @param isLast the last attempt: for a limit per user, evicts all idle connections of the user
   */
  async evictFor(
    scope: LimitScope,
    { request, user }: Dial,
    isLast: boolean,
  ): Promise<'freed' | 'none' | ServerConnection> {
    const { server, holder } = request
    for (;;) {
      if (holder.loginSignal.aborted) return 'none'
      const found = this.#actions.takeIdle(request)
      if (found) return found
      const countsToLimit = ({ user: other }: ServerConnection): boolean =>
        scope === 'server' || userKey(server.name, other) === userKey(server.name, user)
      const { idle, resetting } = this.#connections.at(server.name)
      const victims = [...idle].filter(countsToLimit).toSorted((a, b) => a.lastUsedAt - b.lastUsedAt)
      if (victims.length > 0) {
        const count = isLast && scope === 'user' ? victims.length : 1
        const evictions = victims.slice(0, count).map((victim) => this.#actions.evict(victim))
        await Promise.all(evictions)
        return 'freed'
      }
      const inReset = [...resetting].find(([own, waiter]) => waiter === undefined && countsToLimit(own))?.[0]
      if (inReset === undefined) return (await this.#awaitClose(server.name, user, holder)) ? 'freed' : 'none'
      if (!(await this.#claim(inReset, request))) continue
      if (fitsLogin(inReset, request)) return inReset
      await this.#actions.evict(inReset)
      return 'freed'
    }
  }

  /** Waits for the end of a reset. True: the connection is leased to the login. */
  #claim(connection: ServerConnection, { holder }: LeaseRequest): Promise<boolean> {
    return new Promise((settle) => this.#connections.awaitReset(connection, { holder, settle }))
  }

  /** Waits until the server has noticed that a connection of this user was closed. False: none was closed recently. */
  async #awaitClose(
    serverName: string,
    user: string,
    { loginSignal: signal }: LeaseHolder,
  ): Promise<boolean> {
    // The entry stays, because several logins may wait.
    if (!this.#closedAt.has(userKey(serverName, user))) return false
    await delay(closeNoticedMs, signal)
    return !signal.aborted
  }
}

/** Frees capacity for one dial, and ends its waits when the dial is no longer needed. */
export class CapacityForDial implements DialPlace {
  readonly #capacity: Capacity
  readonly #dial: Dial
  #attempts = 0
  /** The shortage for which a connection was evicted last. */
  #evictedFor: Shortage | undefined
  #found: ServerConnection | undefined

  constructor(capacity: Capacity, dial: Dial) {
    this.#capacity = capacity
    this.#dial = dial
  }

  /** An idle connection that was leased to the login in the meantime. The dial is then not needed. */
  get found(): ServerConnection | undefined {
    return this.#found
  }

  /** Call it before dialing. Waits for evictions in progress, and evicts if the dial would exceed a learned limit. */
  async prepare(): Promise<void> {
    if (this.#dial.evictions) await this.#dial.evictions
    if (this.#capacity.limits.isEmpty) return
    for (const scope of ['user', 'server'] as const)
      if (this.#found === undefined && this.#capacity.wouldExceedLimit(scope, this.#dial))
        await this.#evict(scope, false)
  }

  get hasRoom(): boolean {
    return this.#capacity.hasRoomAt(this.#dial.request.server)
  }

  get isOver(): boolean {
    return this.#found !== undefined || this.#dial.request.holder.loginSignal.aborted
  }

  /** Runs a wait of the login. A connection of its user that becomes idle in the meantime ends the wait and serves the login. */
  async wait<T>(begin: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
    const { loginSignal } = this.#dial.request.holder
    const ending = new AbortController()
    const end = () => ending.abort()
    loginSignal.addEventListener('abort', end)
    if (this.isOver) end()
    this.#dial.onServed = (connection) => {
      this.#dial.onServed = undefined
      this.#found = connection
      end()
    }
    try {
      return await begin(ending.signal)
    } finally {
      this.#dial.onServed = undefined
      loginSignal.removeEventListener('abort', end)
    }
  }

  /** Called after a failed attempt. */
  readonly free = async (shortage: Shortage): Promise<CapacityVerdict> => {
    const { request } = this.#dial
    this.#capacity.noteRefusal(request.server.name, shortage)
    if (shortage === 'user-limit') this.#capacity.noteLimit('user', this.#dial)
    if (shortage === 'server-limit') this.#capacity.noteLimit('server', this.#dial)
    if (ambiguous.includes(shortage) && this.#evictedFor === shortage)
      this.#capacity.suspendEviction(this.#dial, shortage)
    if (++this.#attempts > retriesMax[shortage] || this.#capacity.isEvictionSuspended(this.#dial, shortage))
      return 'none'
    // A port is free after the server has closed the connection, a file after the edge has.
    const isFreed =
      shortage === 'out-of-files' || shortage === 'out-of-memory'
        ? this.#capacity.evictForMachine(shortage)
        : await this.#evict(
            shortage === 'user-limit' || shortage === 'user-busy' ? 'user' : 'server',
            this.#attempts > 1,
          )
    // TLS sockets close their file in a later turn of the event loop.
    if (isFreed) await new Promise<void>((resolve) => runtime.afterEvents(resolve))
    if (isFreed) this.#evictedFor = shortage
    if (this.#found) return 'not-needed'
    return isFreed ? 'freed' : 'none'
  }

  /** The server has accepted the login. */
  accepted(): void {
    this.#capacity.noteAccepted(this.#dial)
    // The login succeeded after an eviction, so the server was at its limit.
    if (this.#evictedFor === 'no-greeting')
      this.#capacity.noteLimit('server', this.#dial, this.#capacity.count('server', this.#dial) + 1)
  }

  async #evict(scope: LimitScope, isLast: boolean): Promise<boolean> {
    const result = await this.#capacity.evictFor(scope, this.#dial, isLast)
    if (typeof result === 'object') this.#found = result
    return result === 'freed'
  }
}

const userKey = (serverName: string, user: string): string => `${serverName}\0${userKeyOf(user)}`
