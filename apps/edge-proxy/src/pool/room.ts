/**
 * Makes room for a login when the server, or this machine, has no room for one more connection: evicts idle connections,
 * and waits until the server has seen their end. A user is never locked out by her own idle connections, nor by those of
 * other users at a server that is full. Remembers the limits that it met, so that the next login evicts first.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ServerConnection } from '../server/server-connection.ts'
import type { Exhaustion } from '../net/socket-errors.ts'
import type { Lack } from '../server/too-many.ts'
import type { Connections, Dial } from './connections.ts'
import { fitsLogin, userKeyOf } from './key.ts'
import type { LeaseHolder, LeaseRequest, PoolContext } from './lease.ts'
import { LearnedLimits, type LimitScope } from './learned-limits.ts'

/** What the pool does for it. */
export interface RoomActions {
  /** Leases an idle connection that fits the login. */
  takeIdle(request: LeaseRequest): ServerConnection | undefined
  /** Logs a connection out that no session holds; settles when the server has ended it. */
  evict(connection: ServerConnection): Promise<void>
  /** Closes an idle connection at once. */
  drop(connection: ServerConnection, reason: string): void
  /** Whether the server has accepted this secret on a connection that is still open. */
  isProven(request: LeaseRequest): boolean
}

/** How often one login may evict. After that the server's refusal counts. */
const roundsMax: Readonly<Record<Lack, number>> = {
  'user-limit': 2,
  'user-busy': 1,
  'server-limit': 2,
  'no-greeting': 1,
  'out-of-files': 2,
  'out-of-ports': 2,
  'out-of-memory': 2,
}

/** The server or the system does not say that room is what the connection lacks. */
const unsure: readonly Lack[] = ['user-busy', 'no-greeting', 'out-of-ports']

/** Open files are scarce for all: one login and the clients that wait to be accepted need more than one. */
const evictedWhenExhausted = 8
/** A server needs this long to notice that a connection was closed without LOGOUT. */
const closeSeenAfterMs = 250
/** If evicting did not help for an unsure lack, it is not tried again for this time. */
const uselessForMs = 60_000

export class Room {
  readonly limits = new LearnedLimits()
  readonly #context: PoolContext
  readonly #connections: Connections
  readonly #actions: RoomActions
  /** When a connection of a user was last closed, by server and user; of the last seconds. */
  readonly #closedAt = new Map<string, number>()
  /** Until when evicting is known not to help, by server and lack. */
  readonly #uselessUntil = new Map<string, number>()

  constructor(context: PoolContext, connections: Connections, actions: RoomActions) {
    this.#context = context
    this.#connections = connections
    this.#actions = actions
  }

  for(dial: Dial): RoomOfDial {
    return new RoomOfDial(this, dial)
  }

  get now(): number {
    return this.#context.clock.now()
  }

  /** A connection was closed, and the server may not have seen it yet. */
  noteClosed(connection: ServerConnection): void {
    this.#closedAt.set(userKey(connection.serverName, connection.user), this.now)
  }

  /** Forgets what is over; call it each second. */
  sweep(): void {
    const { now } = this
    this.limits.forgetExpired(now)
    for (const [key, at] of this.#closedAt) if (now - at > 2000) this.#closedAt.delete(key)
    for (const [key, until] of this.#uselessUntil) if (until <= now) this.#uselessUntil.delete(key)
  }

  /** The server has accepted the login of this dial, which still counts as a dial. */
  noteAccepted(dial: Dial): void {
    if (this.limits.isEmpty) return
    const { name } = dial.request.server
    this.limits.accepted(name, dial.user, this.#openOf(dial) + 1)
    this.limits.accepted(name, undefined, this.#connections.at(name).open + 1)
  }

  /** @param connections what the server allows */
  noteLimit(scope: LimitScope, dial: Dial, connections = Math.max(1, this.count(scope, dial))): void {
    const { name } = dial.request.server
    if (this.limits.learn(name, scope === 'user' ? dial.user : undefined, connections, this.now))
      this.#context.log.warn('limit_learned', { upstream: name, scope, connections })
  }

  noteRefusal(upstream: string, lack: Lack): void {
    this.#context.metrics.counters.upstream_full_total({ upstream, reason: lack }).value++
  }

  isUseless(dial: Dial, lack: Lack): boolean {
    return (this.#uselessUntil.get(`${dial.request.server.name} ${lack}`) ?? 0) > this.now
  }

  noteUseless(dial: Dial, lack: Lack): void {
    this.#uselessUntil.set(`${dial.request.server.name} ${lack}`, this.now + uselessForMs)
  }

  /** Whether the dial would exceed a limit that is known. */
  isKnownFull(scope: LimitScope, dial: Dial): boolean {
    const { request, user } = dial
    const allowed = this.limits.of(request.server.name, scope === 'user' ? user : undefined, this.now)
    if (allowed === undefined || this.count(scope, dial) < allowed) return false
    // A limit of the server stands before the login. That of a user comes after the check of the password, so an
    // unknown secret is checked first: a wrong one evicts nothing.
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

  #openOf({ request, user }: Dial): number {
    const { name } = request.server
    const key = userKey(name, user)
    let count = 0
    for (const [own] of this.#connections.all())
      if (own.serverName === name && userKey(name, own.user) === key) count++
    return count
  }

  /** Closes idle connections of any server without LOGOUT, which frees their files at once. False: there are none. */
  evictForMachine(lack: Exhaustion): boolean {
    const idle = this.#connections.idle().toSorted((a, b) => a.lastUsedAt - b.lastUsedAt)
    for (const connection of idle.slice(0, evictedWhenExhausted)) this.#actions.drop(connection, lack)
    return idle.length > 0
  }

  /**
   * Evicts idle connections that count towards this limit, or finds one that fits the login.
   * @param isLast also evicts all others of the user: one was not enough
   */
  async evictFor(
    scope: LimitScope,
    { request, user }: Dial,
    isLast: boolean,
  ): Promise<'room' | 'none' | ServerConnection> {
    const { server, holder } = request
    for (;;) {
      if (holder.loginSignal.aborted) return 'none'
      const found = this.#actions.takeIdle(request)
      if (found) return found
      const isMeant = ({ user: other }: ServerConnection): boolean =>
        scope === 'server' || userKey(server.name, other) === userKey(server.name, user)
      const { idle, resetting } = this.#connections.at(server.name)
      const victims = [...idle].filter(isMeant).toSorted((a, b) => a.lastUsedAt - b.lastUsedAt)
      if (victims.length > 0) {
        const count = isLast && scope === 'user' ? victims.length : 1
        const evictions = victims.slice(0, count).map((victim) => this.#actions.evict(victim))
        await Promise.all(evictions)
        this.#closedAt.delete(userKey(server.name, user))
        return 'room'
      }
      const inReset = [...resetting].find(([own, waiter]) => waiter === undefined && isMeant(own))?.[0]
      if (inReset === undefined) return (await this.#closeSeen(server.name, user, holder)) ? 'room' : 'none'
      if (!(await this.#claim(inReset, request))) continue
      if (fitsLogin(inReset, request)) return inReset
      await this.#actions.evict(inReset)
      return 'room'
    }
  }

  /** Waits for the end of a reset. True: the connection is leased to the login. */
  #claim(connection: ServerConnection, { holder }: LeaseRequest): Promise<boolean> {
    return new Promise((settle) => this.#connections.awaitReset(connection, { holder, settle }))
  }

  /** Waits until the server must have seen the end of a connection of this user. False: none was closed just now. */
  async #closeSeen(serverName: string, user: string, { loginSignal: signal }: LeaseHolder): Promise<boolean> {
    if (!this.#closedAt.delete(userKey(serverName, user))) return false
    await delay(closeSeenAfterMs, undefined, { signal }).catch(() => {})
    return !signal.aborted
  }
}

/** Room for one login. */
export class RoomOfDial {
  readonly #room: Room
  readonly #dial: Dial
  #rounds = 0
  /** The last lack for which something was evicted. */
  #evictedFor: Lack | undefined
  #found: ServerConnection | undefined

  constructor(room: Room, dial: Dial) {
    this.#room = room
    this.#dial = dial
  }

  /** A connection that fits the login has become idle meanwhile, and is leased to it: the dial is not needed. */
  get found(): ServerConnection | undefined {
    return this.#found
  }

  /** Before the dial: evicts if it would exceed a limit that is known, or waits for what was evicted for it. */
  async prepare(): Promise<void> {
    if (this.#dial.evictions) await this.#dial.evictions
    if (this.#room.limits.isEmpty) return
    for (const scope of ['user', 'server'] as const)
      if (this.#found === undefined && this.#room.isKnownFull(scope, this.#dial))
        await this.#evict(scope, false)
  }

  readonly make = async (lack: Lack): Promise<boolean> => {
    const { request } = this.#dial
    this.#room.noteRefusal(request.server.name, lack)
    if (lack === 'user-limit') this.#room.noteLimit('user', this.#dial)
    if (lack === 'server-limit') this.#room.noteLimit('server', this.#dial)
    if (unsure.includes(lack) && this.#evictedFor === lack) this.#room.noteUseless(this.#dial, lack)
    if (++this.#rounds > roundsMax[lack] || this.#room.isUseless(this.#dial, lack)) return false
    // A port is free again when the server has closed the connection; a file, when the edge has.
    const isMade =
      lack === 'out-of-files' || lack === 'out-of-memory'
        ? this.#room.evictForMachine(lack)
        : await this.#evict(
            lack === 'user-limit' || lack === 'user-busy' ? 'user' : 'server',
            this.#rounds > 1,
          )
    // Sockets over TLS close their file a moment later.
    if (isMade) await new Promise(setImmediate)
    if (isMade) this.#evictedFor = lack
    return isMade
  }

  /** The server has accepted the login. */
  accepted(): void {
    this.#room.noteAccepted(this.#dial)
    // The server did not say so, but there was no room.
    if (this.#evictedFor === 'no-greeting')
      this.#room.noteLimit('server', this.#dial, this.#room.count('server', this.#dial) + 1)
  }

  async #evict(scope: LimitScope, isLast: boolean): Promise<boolean> {
    const result = await this.#room.evictFor(scope, this.#dial, isLast)
    if (typeof result === 'object') this.#found = result
    return result === 'room'
  }
}

const userKey = (serverName: string, user: string): string => `${serverName}\0${userKeyOf(user)}`
