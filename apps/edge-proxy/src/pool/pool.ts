/**
 * The pool of logged-in connections. `lease` gives a session a connection that is logged in as exactly its user: an idle
 * one, one whose reset is about to end, or a new one. `giveBack` resets the connection, and keeps it only if it is proven
 * clean. connections.ts has the state of each connection, and admission.ts decides which login may open a new one.
 */
import { oneLine, type ClosedValue } from '@imapfleet/observe'
import { stackOf } from '../errors.ts'
import type { Link } from '../net/link.ts'
import type { Exhaustion } from '../net/socket-errors.ts'
import { proofIn, type Credentials } from '../imap/credentials.ts'
import {
  beginReset,
  nothingLeft,
  type HandBack,
  type Leftovers,
  type ResetResult,
  type RunningReset,
} from '../server/reset.ts'
import { logOut } from '../server/log-out.ts'
import type { Server } from '../server/server.ts'
import {
  withCondstore,
  type DistrustReason,
  type OnLost,
  ServerConnection,
} from '../server/server-connection.ts'
import { Admission } from './admission.ts'
import { CondstoreFamilies } from './condstore-families.ts'
import { Connections, Dial } from './connections.ts'
import { openFor } from './dialer.ts'
import { Evidence } from './evidence.ts'
import { unfitToKeep, unfitToLease, unfitToRest } from './fitness.ts'
import { digestOf, fits, fitsLogin, identityOf } from './key.ts'
import {
  refusedAsAbandoned,
  refusedForPlace,
  type FollowersFor,
  type Leased,
  type LeaseHolder,
  type LeaseRequest,
  type PoolContext,
  type Refused,
} from './lease.ts'
import type { LearnedLimits } from './learned-limits.ts'
import type { MemoryState } from './memory.ts'
import { Capacity } from './capacity.ts'
import { ReuseNotices } from './reuse-notices.ts'

/** Why a connection is not reused; a label value of `reuse_refused_total`. */
type NotReused = ClosedValue<'reuse_refused_total', 'reason'>

/** Limit on idle connections that are proven in one sweep, so that a server does not get all the commands at once. */
const provenPerSweep = 100

export class Pool {
  readonly connections = new Connections()
  /** Evidence of servers and other edges about secrets. */
  readonly evidence = new Evidence(this.connections, (connection, reason) =>
    this.#distrust(connection, reason),
  )
  readonly #context: PoolContext
  readonly #admission: Admission
  readonly #capacity: Capacity
  readonly #reuseNotices = new ReuseNotices()
  readonly #condstoreFamilies = new CondstoreFamilies()
  /** Running resets of the connections in `resetting`. */
  readonly #resets = new WeakMap<ServerConnection, RunningReset>()
  /** Reasons why no connection is reused at present, one for each suspension. */
  readonly #suspensions = new Set<symbol>()
  #memory: MemoryState = 'enough'
  #isClosed = false

  /** One function for all idle connections. */
  readonly #onLost: OnLost = (connection, reason) => this.drop(connection, reason)

  constructor(context: PoolContext) {
    this.#context = context
    this.#admission = new Admission(
      this.connections,
      (connection) => this.#unfit(connection) === undefined,
      (idle) => this.#evict(idle),
    )
    this.#capacity = new Capacity(context, this.connections, {
      takeIdle: (request) => this.#takeIdleForLogin(request),
      evict: (connection) => this.#evict(connection),
      drop: (connection, reason) => this.drop(connection, reason),
      isProven: (request) => this.#admission.isProven(request),
    })
  }

  /** Synchronous if a recently proven idle connection fits. The promise always settles, and does not reject for a server's fault. */
  lease(
    server: Server,
    credentials: Credentials,
    holder: LeaseHolder,
    followersFor?: FollowersFor,
  ): Leased | Promise<Leased | Refused> {
    const identity = identityOf(server.name, credentials)
    const request: LeaseRequest = {
      server,
      credentials,
      identity,
      secretDigest: digestOf(proofIn(credentials)),
      holder,
      usesCondstore: this.#condstoreFamilies.has(identity, holder),
      followersFor,
    }
    const idle = this.#takeIdleForLogin(request)
    if (idle && this.#isFresh(idle)) return this.#reused(request, idle)
    return this.#leaseLater(request, idle)
  }

  async #leaseLater(request: LeaseRequest, idle: ServerConnection | undefined): Promise<Leased | Refused> {
    const { metrics } = this.#context
    let candidate = idle
    for (;;) {
      const proven = await this.#proven(request, candidate)
      if (proven) return this.#reused(request, proven)
      // Another connection may have become idle. There must be no `await` from here until the login is in the queue.
      candidate = this.#takeIdleForLogin(request)
      if (candidate) continue
      if (request.holder.loginSignal.aborted) return refusedAsAbandoned(request.holder)
      const place =
        this.#memory === 'exhausted'
          ? 'out-of-memory'
          : await metrics.histograms.lease_wait_seconds.measure(this.#admission.take(request))
      if (place instanceof Dial) {
        const opened = await this.#open(place)
        if (opened instanceof ServerConnection) {
          candidate = opened
          continue
        }
        if (opened !== 'over-limit') return opened
      } else if (place !== 'look-again') {
        metrics.counters.logins_total({ upstream: request.server.name, result: 'failed' }).value++
        return refusedForPlace(place, request.holder)
      }
      candidate = this.#takeIdleForLogin(request)
    }
  }

  /** Proves `candidate`, or a connection whose reset the login waits for. Undefined: there is none that is clean. */
  async #proven(
    request: LeaseRequest,
    candidate: ServerConnection | undefined,
  ): Promise<ServerConnection | undefined> {
    if (!candidate && this.#isReuseSuspended) return undefined
    const found = candidate ?? (await this.#awaitReset(request))
    if (!found || !(await this.#proveOrClose(found))) return undefined
    if (!this.#isReuseSuspended) return found
    // Reuse was suspended while the connection was being proven.
    this.#putIdle(found)
    return undefined
  }

  /** Waits for a connection of this login that is being reset. Undefined: there is none, or it did not become clean. */
  async #awaitReset(request: LeaseRequest): Promise<ServerConnection | undefined> {
    const { resetting } = this.connections.at(request.server.name)
    const candidates = this.connections
      .of(request.identity)
      .filter((own) => resetting.has(own) && resetting.get(own) === undefined && fitsLogin(own, request))
    const connection = candidates.find(({ enabledKey }) => enabledKey !== '') ?? candidates[0]
    if (!connection) return undefined
    const isClean = await new Promise<boolean>((settle) => {
      this.connections.awaitReset(connection, { holder: request.holder, settle })
      const followers = this.#unfit(connection) === undefined ? request.followersFor?.(connection) : undefined
      if (followers !== undefined) this.#resets.get(connection)?.follow(followers)
    })
    return isClean ? connection : undefined
  }

  #reused({ server }: LeaseRequest, connection: ServerConnection): Leased {
    const { counters } = this.#context.metrics
    connection.beginUse()
    counters.upstream_reuses_total({ upstream: server.name }).value++
    counters.logins_total({ upstream: server.name, result: 'ok' }).value++
    const { identity, enabledKey } = connection
    const tellReuse =
      enabledKey === '' &&
      this.#reuseNotices.mayTell(identity) &&
      !this.connections.of(identity).some(hasEnabled)
    return { kind: 'leased', connection, reused: true, tellReuse, untagged: [], idsSent: false }
  }

  /**
   * Swaps a session's connection for an idle one of the same user on which exactly these extensions are enabled, and gives
   * back the first one. Undefined: there is no recently proven one, and the session keeps its connection.
   */
  swap(
    server: Server,
    enabledKey: string,
    handBack: HandBack,
    holder: LeaseHolder,
  ): ServerConnection | undefined {
    const { connection } = handBack
    const { identity, secretDigest } = connection
    const request = { server, holder, identity, secretDigest }
    // If a command of this session has enabled CONDSTORE, the new connection must have it. If the program usually enables it,
    // such a connection is preferred.
    const usesCondstore = connection.hasCondstoreByCommand || this.#condstoreFamilies.has(identity, holder)
    const other =
      (usesCondstore ? this.#takeIdle(request, withCondstore(enabledKey)) : undefined) ??
      (connection.hasCondstoreByCommand ? undefined : this.#takeIdle(request, enabledKey))
    if (!other) return undefined
    if (!this.#isFresh(other)) {
      // The session does not wait for a proof. It sends its own ENABLE, and the next session finds this connection proven.
      void this.refresh(other)
      return undefined
    }
    other.beginUse()
    void this.giveBack(handBack, holder)
    return other
  }

  /**
   * Ends a lease. The session must not use the connection again. Settles when the connection is idle, leased to a login that
   * waits for it, or closed.
   */
  giveBack(handBack: HandBack, holder: LeaseHolder): Promise<void> {
    const { connection } = handBack
    if (this.connections.holderOf(connection) !== holder)
      throw new Error('a connection was given back by a session that does not hold it')
    connection.endUse(this.#context.clock.now())
    const { identity } = connection
    if (hasEnabled(connection)) this.#reuseNotices.noteEnable(identity)
    if (handBack.usesCondstore !== undefined)
      this.#condstoreFamilies.note(identity, holder, handBack.usesCondstore)
    const refusal = handBack.refusal ?? this.#unfit(connection)
    if (refusal !== undefined) {
      this.#closeUnfit(connection, refusal)
      return Promise.resolve()
    }
    return this.#clean(connection, handBack)
  }

  /** A command of a session enables CONDSTORE. Call it while the client is connected: `family` needs its address. */
  noteCondstore(identity: string, holder: LeaseHolder): void {
    this.#condstoreFamilies.note(identity, holder, true)
  }

  /** Closes the connection of a session that has failed: the state of the connection is unknown. */
  abandon(holder: LeaseHolder): void {
    for (const [connection, state] of [...this.connections.all()])
      if (state === 'leased' && this.connections.holderOf(connection) === holder)
        this.#closeUnfit(connection, 'failed-here')
  }

  /** Proves an idle connection again, so that the next session need not wait for the proof. */
  refresh(connection: ServerConnection): Promise<void> {
    return this.#clean(connection, nothingLeft)
  }

  /** Closes an idle connection; `reason` is counted. */
  drop(connection: ServerConnection, reason: ClosedValue<'upstream_drops_total', 'reason'>): void {
    if (this.#close(connection)) this.#context.metrics.counters.upstream_drops_total({ reason }).value++
  }

  /**
   * Closes the idle connections of these users, and marks the others, including those that are being opened, to be closed after
   * their sessions. Returns how many open connections are affected.
   */
  purge(
    isMeant: (who: { readonly user: string; readonly openedBy: string }) => boolean,
    reason: DistrustReason,
  ): number {
    for (const dial of this.connections.dials()) if (isMeant(dial)) dial.distrust(reason)
    const meant = [...this.connections.all()].filter(([connection]) => isMeant(connection))
    for (const [connection] of meant) this.#distrust(connection, reason)
    return meant.length
  }

  #distrust(connection: ServerConnection, reason: DistrustReason): void {
    if (this.connections.isIdle(connection)) this.drop(connection, reason)
    else connection.distrust(reason)
  }

  /**
   * Until the returned function is called, every login gets a new connection, because the edge does not know which users
   * were revoked. Suspensions may overlap.
   */
  suspendReuse(): () => void {
    const suspension = Symbol()
    this.#suspensions.add(suspension)
    return () => void this.#suspensions.delete(suspension)
  }

  get #isReuseSuspended(): boolean {
    return this.#suspensions.size > 0
  }

  /**
   * This process or machine has run out of files or memory: closes some of the oldest idle connections. False: none is idle.
   */
  onExhausted(what: Exhaustion): boolean {
    return this.#capacity.evictForMachine(what)
  }

  get memory(): MemoryState {
    return this.#memory
  }

  /** Sets the memory state, and evicts idle connections if memory is short. Call it each second. */
  onMemory(state: MemoryState): void {
    this.#memory = state
    if (state !== 'enough') this.#capacity.evictForMemory()
  }

  /** The learned limits of servers on connections. */
  learnedLimits(): ReturnType<LearnedLimits['latest']> {
    return this.#capacity.limits.latest()
  }

  /** Closes idle connections that are too old, and proves the others again before they have to be. Call it each second. */
  sweep(): void {
    this.#capacity.sweep()
    const { settings, clock } = this.#context
    this.dropUnfit()
    const { proveIdleAfterMs } = settings.current.pool
    const now = clock.now()
    let proven = 0
    for (const connection of this.connections.idle())
      if (now - connection.provenAt > proveIdleAfterMs * 0.8 && proven++ < provenPerSweep)
        void this.refresh(connection)
  }

  /** Idle connections must be proven again before they are leased. */
  doubtIdle(): void {
    for (const connection of this.connections.idle()) connection.doubt()
  }

  /** Closes idle connections that no session may use any more. Call it after a change of the configuration. */
  dropUnfit(): void {
    const { settings, clock } = this.#context
    for (const connection of this.connections.idle()) {
      const generation = this.#generationFor(connection)
      const reason = unfitToRest(connection, generation, settings.current.pool, clock)
      if (reason !== undefined) this.drop(connection, reason)
    }
  }

  /** Closes connections that no session uses: idle, in reset, or held by an abandoned login. From now on, none is kept. */
  close(): void {
    this.#isClosed = true
    for (const connection of this.connections.idle()) this.drop(connection, 'shutdown')
    for (const [connection] of [...this.connections.all()])
      if (this.connections.holderOf(connection)?.loginSignal.aborted !== false) connection.link.abort()
  }

  /** Closes every connection. */
  cut(): void {
    for (const [connection] of [...this.connections.all()]) this.#closeUnfit(connection, 'shutdown')
  }

  /** Resets the connection: leased or idle → resetting → idle, leased to the login that waits for it, or closed. */
  async #clean(connection: ServerConnection, leftovers: Leftovers): Promise<void> {
    let isClean = false
    let waiter
    try {
      this.connections.toResetting(connection)
      const result = await this.#reset(connection, leftovers)
      waiter = this.connections.resetWaiterOf(connection)
      isClean = this.#afterReset(connection, result, waiter?.holder)
    } catch (error) {
      // A bug: the state of this connection is unknown.
      this.#context.log.error('reset_failed', { error: stackOf(error) })
      waiter ??= this.connections.resetWaiterOf(connection)
      this.#closeUnfit(connection, 'failed-here')
    }
    waiter?.settle(isClean)
  }

  #reset(connection: ServerConnection, leftovers: Leftovers): Promise<ResetResult> {
    const { settings, log } = this.#context
    const { resetTimeoutMs, resetBytesMax } = settings.current.pool
    const running = beginReset(connection, leftovers, {
      timeoutMs: resetTimeoutMs,
      bytesMax: resetBytesMax,
      onAlert: (line) => log.warn('alert', { user: connection.user, text: oneLine(line) }),
    })
    this.#resets.set(connection, running)
    return running.result
  }

  #afterReset(connection: ServerConnection, result: ResetResult, holder: LeaseHolder | undefined): boolean {
    if (!this.#keepOrClose(connection, result)) return false
    if (holder) this.#lease(connection, holder)
    else this.#putIdle(connection)
    return true
  }

  /** Records a successful proof. Closes the connection if the proof failed or if it is not fit for another session. */
  #keepOrClose(connection: ServerConnection, result: ResetResult): boolean {
    const refusal = this.#isClosed
      ? 'shutdown'
      : result.kind === 'dirty'
        ? result.reason
        : (spoiledSinceProof(connection) ?? this.#unfit(connection))
    if (refusal !== undefined) return this.#closeUnfit(connection, refusal)
    connection.proven(this.#context.clock.now())
    return true
  }

  /** Opens a connection. Returns a ServerConnection if one has become idle in the meantime and is leased to the login. */
  async #open(dial: Dial): Promise<Leased | Refused | ServerConnection | 'over-limit'> {
    const { counters } = this.#context.metrics
    const upstream = dial.request.server.name
    let isOpen = false
    try {
      return await openFor(
        dial,
        this.#capacity.for(dial),
        this.#context,
        this.evidence,
        (connection, login) => {
          isOpen = true
          if (!this.#admission.admit(dial, connection)) {
            connection.link.close()
            counters.upstream_drops_total({ reason: 'over-limit' }).value++
            return 'over-limit'
          }
          connection.beginUse()
          counters.upstream_connections_total({ upstream }).value++
          counters.logins_total({ upstream, result: 'ok' }).value++
          return { kind: 'leased', connection, reused: false, tellReuse: false, ...login }
        },
      )
    } finally {
      if (!isOpen) this.#admission.giveUp(dial)
    }
  }

  #takeIdleForLogin(request: LeaseRequest): ServerConnection | undefined {
    const found = request.usesCondstore ? this.#takeIdle(request, withCondstore('')) : undefined
    return found ?? this.#takeIdle(request)
  }

  /**
   * Leases the most recently used idle connection that fits. It is the most likely to be alive, and the others can reach their
   * idle timeout.
   */
  #takeIdle(
    request: Pick<LeaseRequest, 'server' | 'identity' | 'secretDigest' | 'holder'>,
    enabledKey = '',
  ): ServerConnection | undefined {
    if (this.#isReuseSuspended) return undefined
    const { settings, clock } = this.#context
    for (;;) {
      let found: ServerConnection | undefined
      for (const own of this.connections.of(request.identity))
        if (
          this.connections.isIdle(own) &&
          fits(own, request, enabledKey) &&
          (found === undefined || own.lastUsedAt >= found.lastUsedAt)
        )
          found = own
      if (!found) return undefined
      const reason = unfitToLease(found, request.server.generation, settings.current.pool, clock)
      if (reason === undefined) {
        this.#lease(found, request.holder)
        return found
      }
      this.drop(found, reason)
    }
  }

  /** idle or resetting → leased. */
  #lease(connection: ServerConnection, holder: LeaseHolder): void {
    this.connections.toLeased(connection, holder)
    this.#admission.serveQueue(connection.serverName)
  }

  /** Proves a connection unless its last proof is recent. False: it is not clean, and is closed. */
  async #proveOrClose(connection: ServerConnection): Promise<boolean> {
    // The connection may have become unfit since its reset ended.
    const refusal = this.#unfit(connection)
    if (refusal !== undefined) return this.#closeUnfit(connection, refusal)
    if (this.#isFresh(connection)) return true
    return this.#keepOrClose(connection, await this.#reset(connection, nothingLeft))
  }

  /** Whether the last proof is recent enough. */
  #isFresh(connection: ServerConnection): boolean {
    const { settings, clock } = this.#context
    return clock.now() - connection.provenAt <= settings.current.pool.proveIdleAfterMs
  }

  /** leased or resetting → idle. From now on, any byte from the server is unexpected. */
  #putIdle(connection: ServerConnection): void {
    this.connections.toIdle(connection)
    connection.rest(this.#context.settings.current.pool.resetBytesMax, this.#onLost)
    // A dial already has a place, so its login has waited longer than any login in the queue.
    if (this.#serveDial(connection)) return
    if (this.#isReuseSuspended) this.#admission.serveQueue(connection.serverName)
    else this.#admission.becameIdle(connection)
  }

  /** Leases an idle connection to a login of its user that waits to connect. The place of the dial becomes free. */
  #serveDial(idle: ServerConnection): boolean {
    const dial = this.connections
      .dialsOf(idle.identity)
      .find(({ onServed, request }) => onServed && request.holder.isConnected && fitsLogin(idle, request))
    const found = dial && this.#takeIdleForLogin(dial.request)
    if (!found) return false
    dial.onServed?.(found)
    return true
  }

  #closeUnfit(connection: ServerConnection, reason: NotReused): false {
    if (this.#close(connection)) this.#context.metrics.counters.reuse_refused_total({ reason }).value++
    return false
  }

  /** Logs out on an idle connection to make room for another one. Settles when the server has closed it. */
  #evict(connection: ServerConnection): Promise<void> {
    let ended: Promise<void> | undefined
    const isClosed = this.#close(connection, (link) => {
      ended = logOut(link)
    })
    if (isClosed) this.#context.metrics.counters.upstream_drops_total({ reason: 'evicted' }).value++
    return ended ?? Promise.resolve()
  }

  /** @param end closes the socket; immediately by default */
  #close(connection: ServerConnection, end?: (link: Link) => void): boolean {
    if (!this.connections.close(connection, end)) return false
    // After an eviction, the login waits until the server has closed the connection. No entry is needed.
    if (end === undefined) this.#capacity.noteClosed(connection)
    this.#admission.serveQueue(connection.serverName)
    return true
  }

  #unfit(connection: ServerConnection): NotReused | undefined {
    if (this.#isClosed) return 'shutdown'
    const { settings, clock } = this.#context
    return unfitToKeep(connection, this.#generationFor(connection), settings.current.pool, clock)
  }

  /** The generation of the settings in force. That of a request may be older, from before a reload. */
  #generationFor({ serverName }: ServerConnection): number | undefined {
    return this.#context.servers.get(serverName)?.generation
  }
}

/** Whether the connection was spoiled or closed after the last byte of its proof, before the promise settled. */
function spoiledSinceProof(connection: ServerConnection): NotReused | undefined {
  return connection.link.isOpen ? connection.spoilReason : 'closed-by-peer'
}

/** Whether a client has enabled an extension by ENABLE. An ENABLE without effect does not count. */
const hasEnabled = ({ extensions }: ServerConnection): boolean => extensions.size > 0
