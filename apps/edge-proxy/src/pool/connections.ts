/**
 * The register of all server connections, by server, identity and state. The state of a connection is the set that contains
 * it, and only `#move` changes the state. Waiting logins are stored with the connections that they wait for. Limits,
 * gauges and lists are read from these sets. Only the peaks are stored separately.
 *
 * The usual moves; `allowed` has all of them:
 *
 *   dialing ──▶ leased ──▶ resetting ──▶ idle ──▶ leased …
 *      └──────────┴───────────┴───────────┴──▶ closed (in no set)
 */
import { LinkedMap, LinkedSet, type ReadonlyLinkedMap, type ReadonlyLinkedSet } from '../linked-members.ts'
import { userName } from '../imap/credentials.ts'
import type { DistrustReason, ServerConnection } from '../server/server-connection.ts'
import type { Link } from '../net/link.ts'
import { userKeyOf } from './key.ts'
import type { LeaseHolder, LeaseRequest, NoPlace } from './lease.ts'

/** State of an open connection. */
export type ConnectionState =
  /** In use by exactly one session, or being proven for it. */
  | 'leased'
  /** Being reset and proven clean. No session uses it. */
  | 'resetting'
  /** Clean and not in use. */
  | 'idle'

const states = ['leased', 'resetting', 'idle'] as const

/** Allowed moves. `closed` is also the state of a connection that is not registered yet. */
const allowed: Record<ConnectionState | 'closed', readonly (ConnectionState | 'closed')[]> = {
  closed: ['leased'],
  leased: ['resetting', 'idle', 'closed'],
  resetting: ['idle', 'leased', 'closed'],
  idle: ['leased', 'resetting', 'closed'],
}

/** A connection that is being dialed and logged in for one request. It holds a place until it is open or the dial has failed. */
export class Dial {
  readonly request: LeaseRequest
  #evictions: Promise<void>[] | undefined
  #distrustReason: DistrustReason | undefined

  constructor(request: LeaseRequest) {
    this.request = request
  }

  /** Like `user` of the connection that the dial opens. */
  get user(): string {
    return userName(this.request.credentials)
  }

  get openedBy(): string {
    return this.request.credentials.user.toString('utf8')
  }

  /** The place was freed by this eviction. The server may count the evicted connection until it has settled. */
  awaitEviction(eviction: Promise<void>): void {
    ;(this.#evictions ??= []).push(eviction)
  }

  /** Settles when the server has closed the connections that were evicted for this dial. Undefined: there were none. */
  get evictions(): Promise<unknown> | undefined {
    return this.#evictions && Promise.all(this.#evictions)
  }

  /** Set while the login waits to connect. Ends the wait after an idle connection was leased to the login. */
  onServed: ((connection: ServerConnection) => void) | undefined

  get identity(): string {
    return this.request.identity
  }

  get secretDigest(): string {
    return this.request.secretDigest
  }

  get distrustReason(): DistrustReason | undefined {
    return this.#distrustReason
  }

  /** The connection will serve its session, and be closed after it. The first reason is kept. */
  distrust(reason: DistrustReason): void {
    this.#distrustReason ??= reason
  }
}

/** A login that waits for the reset of its user's connection. */
export interface ResetWaiter {
  readonly holder: LeaseHolder
  /** Called once. True: the connection is clean and leased to the holder. */
  readonly settle: (isClean: boolean) => void
}

/** A login that waits for a place. */
export interface Waiter {
  readonly request: LeaseRequest
  /** Called once, with the place, with the reason for having none, or with 'look-again' if an idle connection fits. */
  readonly settle: (outcome: Dial | NoPlace | 'look-again') => void
}

/** The connections of one configured server, and the logins that wait for a place. Only the register changes these sets. */
export interface ServerSets {
  readonly dialing: ReadonlySet<Dial>
  readonly leased: ReadonlyLinkedMap<ServerConnection, LeaseHolder>
  readonly resetting: ReadonlyLinkedMap<ServerConnection, ResetWaiter | undefined>
  /** In the order in which they became idle. */
  readonly idle: ReadonlyLinkedSet<ServerConnection>
  /** In the order of arrival. */
  readonly waiting: ReadonlySet<Waiter>
  /** Number of logged-in connections. */
  readonly open: number
}

class MutableServerSets implements ServerSets {
  readonly dialing = new Set<Dial>()
  readonly leased = new LinkedMap<ServerConnection, LeaseHolder>()
  readonly resetting = new LinkedMap<ServerConnection, ResetWaiter | undefined>()
  readonly idle = new LinkedSet<ServerConnection>()
  readonly waiting = new Set<Waiter>()

  get open(): number {
    return this.leased.size + this.resetting.size + this.idle.size
  }
}

const none: readonly never[] = []
const closeNow = (link: Link): void => link.close()

export class Connections {
  readonly #servers = new Map<string, MutableServerSets>()
  /** Open connections in any state. The lists change only when a connection is opened or closed. */
  readonly #byIdentity = new Map<string, ServerConnection[]>()
  /** The same connections, by the user whose secret opened them. */
  readonly #byOpener = new Map<string, ServerConnection[]>()
  readonly #dialsByIdentity = new Map<string, Dial[]>()
  /** The highest counts since `resetPeaks`. */
  readonly #peaks = { leased: 0, idle: 0 }

  /** The sets of one server. */
  at(serverName: string): ServerSets {
    return this.#at(serverName)
  }

  #at(serverName: string): MutableServerSets {
    let server = this.#servers.get(serverName)
    if (!server) this.#servers.set(serverName, (server = new MutableServerSets()))
    return server
  }

  /** Open connections of one identity, in any state. */
  of(identity: string): readonly ServerConnection[] {
    return this.#byIdentity.get(identity) ?? none
  }

  /** Open connections, in any state and of any server, that a secret of this user opened. */
  openedBy(userKey: string): readonly ServerConnection[] {
    return this.#byOpener.get(userKey) ?? none
  }

  idleOf(identity: string): ServerConnection[] {
    return this.of(identity).filter((connection) => this.isIdle(connection))
  }

  /** Connections that are being opened for one identity. */
  dialsOf(identity: string): readonly Dial[] {
    return this.#dialsByIdentity.get(identity) ?? none
  }

  /** Number of connections in this state, or of waiting logins, over all servers. */
  count(what: ConnectionState | 'dialing' | 'waiting'): number {
    let total = 0
    for (const server of this.#servers.values()) total += server[what].size
    return total
  }

  /** No connection is open or being opened, and no login waits for one. */
  get isEmpty(): boolean {
    for (const { open, dialing, waiting } of this.#servers.values())
      if (open + dialing.size + waiting.size > 0) return false
    return true
  }

  peak(state: 'leased' | 'idle'): number {
    return this.#peaks[state]
  }

  resetPeaks(): void {
    for (const state of ['leased', 'idle'] as const) this.#peaks[state] = this.count(state)
  }

  stateOf(connection: ServerConnection): ConnectionState | 'closed' {
    const server = this.at(connection.serverName)
    if (server.idle.has(connection)) return 'idle'
    if (server.leased.has(connection)) return 'leased'
    return server.resetting.has(connection) ? 'resetting' : 'closed'
  }

  isIdle(connection: ServerConnection): boolean {
    return this.at(connection.serverName).idle.has(connection)
  }

  /** The session that holds a leased connection. */
  holderOf(connection: ServerConnection): LeaseHolder | undefined {
    return this.at(connection.serverName).leased.get(connection)
  }

  /** Every open connection with its state. The sets may change during the iteration. */
  *all(): IterableIterator<[ServerConnection, ConnectionState]> {
    for (const state of states)
      for (const server of this.#servers.values())
        for (const connection of server[state].keys()) yield [connection, state]
  }

  /** A new list of all idle connections. */
  idle(): ServerConnection[] {
    return [...this.#servers.values()].flatMap(({ idle }) => [...idle])
  }

  dials(): Dial[] {
    return [...this.#servers.values()].flatMap(({ dialing }) => [...dialing])
  }

  enqueue(waiter: Waiter): void {
    this.#at(waiter.request.server.name).waiting.add(waiter)
  }

  dequeue(waiter: Waiter): void {
    this.#at(waiter.request.server.name).waiting.delete(waiter)
  }

  /** Takes a place for a connection that will be dialed. */
  beginDial(request: LeaseRequest): Dial {
    const dial = new Dial(request)
    this.#at(request.server.name).dialing.add(dial)
    addTo(this.#dialsByIdentity, request.identity, dial)
    return dial
  }

  /** The dial has failed, or its connection is open: it no longer holds a place. */
  endDial(dial: Dial): void {
    const { server, identity } = dial.request
    if (this.#at(server.name).dialing.delete(dial)) removeFrom(this.#dialsByIdentity, identity, dial)
  }

  /** Leases a connection to one session: a new one, an idle one, or one whose reset has ended. */
  toLeased(connection: ServerConnection, holder: LeaseHolder): void {
    this.#move(connection, 'leased').leased.set(connection, holder)
    this.#updatePeak('leased')
  }

  /** leased or idle → resetting. */
  toResetting(connection: ServerConnection): void {
    this.#move(connection, 'resetting').resetting.set(connection, undefined)
  }

  /** leased or resetting → idle. */
  toIdle(connection: ServerConnection): void {
    this.#move(connection, 'idle').idle.add(connection)
    this.#updatePeak('idle')
  }

  /**
   * Removes the connection and closes its socket. False: it was closed already.
   * @param end closes the socket; immediately by default
   */
  close(connection: ServerConnection, end: (link: Link) => void = closeNow): boolean {
    if (this.stateOf(connection) === 'closed') return false
    this.#move(connection, 'closed')
    removeFrom(this.#byIdentity, connection.identity, connection)
    removeFrom(this.#byOpener, userKeyOf(connection.openedBy), connection)
    end(connection.link)
    return true
  }

  /** Registers the one login that waits for the end of this reset. */
  awaitReset(connection: ServerConnection, waiter: ResetWaiter): void {
    this.#at(connection.serverName).resetting.set(connection, waiter)
  }

  resetWaiterOf(connection: ServerConnection): ResetWaiter | undefined {
    return this.at(connection.serverName).resetting.get(connection)
  }

  /** Removes the connection from its set. The caller adds it to the next set. Throws for a move that is not allowed. */
  #move(connection: ServerConnection, to: ConnectionState | 'closed'): MutableServerSets {
    const server = this.#at(connection.serverName)
    const from = this.stateOf(connection)
    if (!allowed[from].includes(to)) throw new Error(`a connection may not go from ${from} to ${to}`)
    if (from === 'closed') {
      addTo(this.#byIdentity, connection.identity, connection)
      addTo(this.#byOpener, userKeyOf(connection.openedBy), connection)
    } else server[from].delete(connection)
    return server
  }

  #updatePeak(state: 'leased' | 'idle'): void {
    const size = this.count(state)
    if (size > this.#peaks[state]) this.#peaks[state] = size
  }
}

function addTo<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key)
  if (list) list.push(item)
  else lists.set(key, [item])
}

function removeFrom<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key)
  const index = list?.indexOf(item) ?? -1
  if (!list || index < 0) return
  if (list.length === 1) lists.delete(key)
  else list.splice(index, 1)
}
