/**
 * Limits the connections to a server, in total and per user, and queues the logins that wait for a place. A login takes a
 * place before its connection is dialed, and the connection keeps the place until it closes. The queue is bounded in length
 * and time, and is served in order.
 *
 * Over a limit, the oldest idle connection is evicted, but only after the login succeeded: a wrong password evicts no
 * connection. Until then, dials may exceed the limits by the number of spare connections, if there is an idle connection to
 * evict for each dial beyond the limit (docs/adr/0010-spare-connections.md).
 */
import { runtime } from '../runtime.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { Connections, Dial, Waiter } from './connections.ts'
import { fitsLogin, isSameSecret } from './key.ts'
import type { LeaseRequest, NoPlace } from './lease.ts'

/** The limits that apply: those of the user and those of the server. */
const scopes = ['user', 'server'] as const
type Scope = (typeof scopes)[number]

/**
 * With `connectionsPerUserMax: 0`, logins beyond this number evict idle connections of the user. Dovecot allows 10 by
 * default (`mail_max_userip_connections`), and one of them may be a spare connection.
 */
const keptPerUserMax = 9

export class Admission {
  readonly #connections: Connections
  readonly #isFit: (connection: ServerConnection) => boolean
  readonly #evict: (idle: ServerConnection) => Promise<void>
  #isServing = false

  /**
   * @param isFit whether the connection still proves that its secret is right
   * @param evict logs out on an idle connection, and settles when the server has closed it; its place is free immediately
   */
  constructor(
    connections: Connections,
    isFit: (connection: ServerConnection) => boolean,
    evict: (idle: ServerConnection) => Promise<void>,
  ) {
    this.#connections = connections
    this.#isFit = isFit
    this.#evict = evict
  }

  /** Takes a place immediately, or waits for one. 'look-again': an idle connection now fits the login. */
  take(request: LeaseRequest): Dial | NoPlace | Promise<Dial | NoPlace | 'look-again'> {
    const dial = this.#enter(request)
    if (dial) return dial
    const { waiting } = this.#connections.at(request.server.name)
    const { queueMax, queueTimeoutMs } = request.server.config
    const { loginSignal } = request.holder
    const isUserFull = () => this.#isFull('user', request)
    if (waiting.size >= queueMax) this.#removeLeft(waiting)
    if (waiting.size >= queueMax) return isUserFull() ? 'too-many-of-user' : 'queue-full'
    return new Promise((resolve) => {
      const waiter: Waiter = {
        request,
        settle: (outcome) => {
          runtime.cancel(timer)
          loginSignal.removeEventListener('abort', onAbandoned)
          this.#connections.dequeue(waiter)
          resolve(outcome)
        },
      }
      const refuse = () => waiter.settle(isUserFull() ? 'too-many-of-user' : 'timed-out')
      const expire = () =>
        scopes.some((scope) => this.#isFull(scope, request))
          ? refuse()
          : waiter.settle(this.#connections.beginDial(request))
      const timer = runtime.after(queueTimeoutMs, expire)
      const onAbandoned = () => (loginSignal.reason === 'out-of-time' ? refuse() : waiter.settle('abandoned'))
      loginSignal.addEventListener('abort', onAbandoned)
      this.#connections.enqueue(waiter)
    })
  }

  /**
   * The login succeeded: leases the connection to its session and evicts idle connections over the limits. False: no idle
   * connection is left to evict. The place is then given up, and the caller must close the connection.
   */
  admit(dial: Dial, connection: ServerConnection): boolean {
    const { request } = dial
    const over = scopes.filter((scope) => this.#open(scope, request) >= this.#max(scope, request))
    if (!over.every((scope) => !isHard(scope, request) || this.#idleCount(scope, request) > 0)) {
      this.giveUp(dial)
      return false
    }
    this.#connections.endDial(dial)
    this.#connections.toLeased(connection, request.holder)
    for (const scope of scopes)
      if (this.#open(scope, request) > this.#max(scope, request)) void this.#evictOldest(scope, request)
    return true
  }

  /** The login failed: there is no connection, and the place goes to the next login. */
  giveUp(dial: Dial): void {
    this.#connections.endDial(dial)
    this.serveQueue(dial.request.server.name)
  }

  /** A connection has become idle: the login that has waited longest and that it fits gets it. Otherwise it may be evicted. */
  becameIdle(idle: ServerConnection): void {
    for (const { request, settle } of this.#connections.at(idle.serverName).waiting)
      if (request.holder.isConnected && fitsLogin(idle, request)) return settle('look-again')
    this.serveQueue(idle.serverName)
  }

  /**
   * Gives free places to waiting logins, in order. Also call it when a connection is no longer idle: a login that waited to
   * evict it need not wait any longer.
   */
  serveQueue(serverName: string): void {
    const { waiting } = this.#connections.at(serverName)
    // An eviction for a waiting login calls this method again. The freed place is already taken.
    if (waiting.size === 0 || this.#isServing) return
    this.#isServing = true
    try {
      for (const { request, settle } of [...waiting]) {
        const outcome = request.holder.isConnected ? this.#enter(request) : 'abandoned'
        if (outcome) settle(outcome)
      }
    } finally {
      this.#isServing = false
    }
  }

  /** Removes logins from the queue whose clients have disconnected. */
  #removeLeft(waiting: ReadonlySet<Waiter>): void {
    for (const { request, settle } of [...waiting]) if (!request.holder.isConnected) settle('abandoned')
  }

  #enter(request: LeaseRequest): Dial | undefined {
    const mayEvict = (scope: Scope) => this.#idleCount(scope, request) > this.#excess(scope, request)
    const full = scopes.filter(
      (scope) => this.#excess(scope, request) >= 0 && this.#isBinding(scope, request),
    )
    if (!full.every(mayEvict)) return undefined
    const evictsNow =
      full.length > 0 && (full.some((scope) => spareOf(scope, request) === 0) || this.isProven(request))
    if (!evictsNow && full.some((scope) => this.#excess(scope, request) >= spareOf(scope, request)))
      return undefined
    // The place is taken before the eviction, so that it is not given to the next waiting login.
    const dial = this.#connections.beginDial(request)
    if (evictsNow)
      for (const scope of scopes)
        if (this.#excess(scope, request) > 0) dial.awaitEviction(this.#evictOldest(scope, request))
    return dial
  }

  /**
   * Whether a login over this limit has to evict a connection, or wait until it can. Without a configured limit per user, this
   * holds only if enough connections of the user are idle or being reset. Otherwise the server decides. `keptPerUserMax` never
   * refuses a login: after `queueTimeoutMs` the login exceeds it.
   */
  #isBinding(scope: Scope, request: LeaseRequest): boolean {
    if (isHard(scope, request)) return true
    const { idle, resetting } = this.#connections.at(request.server.name)
    const own = this.#connections.of(request.identity)
    return own.filter((each) => idle.has(each) || resetting.has(each)).length > this.#excess(scope, request)
  }

  /** Whether a configured limit is reached. */
  #isFull(scope: Scope, request: LeaseRequest): boolean {
    return isHard(scope, request) && this.#excess(scope, request) >= 0
  }

  /** Whether an open connection proves that the server accepts this secret. The login may then evict before it is checked. */
  isProven(request: LeaseRequest): boolean {
    return this.#connections
      .of(request.identity)
      .some(
        (own) =>
          own.generation === request.server.generation &&
          isSameSecret(own.secretDigest, request.secretDigest) &&
          this.#isFit(own),
      )
  }

  #evictOldest(scope: Scope, request: LeaseRequest): Promise<void> {
    let oldest: ServerConnection | undefined
    const idle =
      scope === 'user'
        ? this.#connections.idleOf(request.identity)
        : this.#connections.at(request.server.name).idle
    for (const candidate of idle)
      if (oldest === undefined || candidate.lastUsedAt < oldest.lastUsedAt) oldest = candidate
    return oldest ? this.#evict(oldest) : Promise.resolve()
  }

  /** By how many open connections and dials a limit is exceeded. 0: the limit is reached. */
  #excess(scope: Scope, request: LeaseRequest): number {
    const dials =
      scope === 'user'
        ? this.#connections.dialsOf(request.identity).length
        : this.#connections.at(request.server.name).dialing.size
    return this.#open(scope, request) + dials - this.#max(scope, request)
  }

  #open(scope: Scope, { identity, server }: LeaseRequest): number {
    return scope === 'user' ? this.#connections.of(identity).length : this.#connections.at(server.name).open
  }

  #max(scope: Scope, { server }: LeaseRequest): number {
    const { connectionsMax, connectionsPerUserMax } = server.config
    if (scope === 'server') return connectionsMax
    return connectionsPerUserMax === 0 ? keptPerUserMax : connectionsPerUserMax
  }

  #idleCount(scope: Scope, request: LeaseRequest): number {
    return scope === 'user'
      ? this.#connections.idleOf(request.identity).length
      : this.#connections.at(request.server.name).idle.size
  }
}

/** Whether this limit was configured, so that no login may exceed it. */
const isHard = (scope: Scope, { server }: LeaseRequest): boolean =>
  scope === 'server' || server.config.connectionsPerUserMax > 0

/** How many dials may exceed the limit while the server checks their passwords. */
function spareOf(scope: Scope, { server }: LeaseRequest): number {
  const { connectionsSpareMax, connectionsPerUserSpareMax } = server.config
  return scope === 'server' ? connectionsSpareMax : Math.min(connectionsSpareMax, connectionsPerUserSpareMax)
}
