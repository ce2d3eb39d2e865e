/**
 * Warm connections by identity. `lease` gives a session a connection that is logged in as exactly its user, warm if one
 * is there, else freshly opened; `giveBack` takes it again once, and only what is proven clean is kept.
 */
import type { PoolConfig } from '@imapfleet/config'
import { type EdgeMetrics, type Log, oneLine } from '@imapfleet/observe'
import type { Credentials } from '../imap/credentials.ts'
import { stackOf } from '../errors.ts'
import type { HandBack } from '../splice/ending.ts'
import { nothingLeft, prove, reset, type Leftovers, type ResetResult } from '../server/reset.ts'
import type { Server } from '../server/server.ts'
import type { RestListener, ServerConnection } from '../server/server-connection.ts'
import { claimOf, type Claimed } from './claim.ts'
import { Enablers } from './enablers.ts'
import { outlived, spoiled, unfitToLease } from './fitness.ts'
import { digestOf, identityOf } from './key.ts'
import { placeRefused, type Ask, type Asker, type Leased, type Refused } from './lease.ts'
import { Openings, type Meant } from './openings.ts'
import { Room, type Claim } from './room.ts'
import { States } from './states.ts'
import { Warm, type Wanted } from './warm.ts'

export interface PoolContext {
  /** Read at each use. */
  readonly settings: { readonly current: { pool: PoolConfig } }
  readonly metrics: EdgeMetrics
  readonly log: Log
  readonly now: () => number
}

export class Pool {
  readonly states = new States()
  readonly room = new Room()
  readonly #warm = new Warm(this.states)
  readonly #enablers = new Enablers()
  readonly #context: PoolContext
  readonly #openings: Openings
  /** While true nobody is given a warm connection: what was revoked meanwhile is not known yet. */
  reuseIsSuspended = false
  #closing = false
  readonly #claimed: Claimed = {
    states: this.states,
    warm: this.#warm,
    reuses: () => !this.reuseIsSuspended,
    now: () => this.#context.now(),
    makeRoom: (idle) => this.drop(idle, 'made-room'),
  }
  readonly #restListener: RestListener = {
    onEnd: (upstream, end) => this.drop(upstream, end),
    onSurprise: (upstream, reason) => this.drop(upstream, reason),
  }

  constructor(context: PoolContext) {
    this.#context = context
    this.#openings = new Openings(this.states, context)
  }

  /** A connection that is idle and was proven lately is there at once. */
  lease(server: Server, credentials: Credentials, asker: Asker): Leased | Promise<Leased | Refused> {
    const wanted = {
      identity: identityOf(server.name, credentials),
      digest: digestOf(credentials.secret),
      enabled: '',
    }
    const idle = this.#takeIdle(server, wanted)
    if (idle && this.#isFresh(idle)) return this.#reused(server, idle, asker)
    return this.#leaseLater({ server, credentials, wanted, asker }, idle)
  }

  async #leaseLater(ask: Ask, idle: ServerConnection | undefined): Promise<Leased | Refused> {
    const { server, wanted, asker } = ask
    let found = idle
    for (;;) {
      const warm = await this.#provenWarm(ask, found)
      if (warm) return this.#reused(server, warm, asker)
      // Another one may have become idle meanwhile. From here to its place in the queue nothing can happen.
      found = this.#takeIdle(server, wanted)
      if (found) continue
      const claim = claimOf(ask, this.#claimed)
      const waits = this.#context.metrics.histograms.lease_wait_seconds
      const place = await waits.measure(this.room.take(claim))
      if (place === 'look-again') continue
      if (place !== 'taken') {
        server.count.loginsFailed.value++
        return placeRefused(place)
      }
      const opened = await this.#open(ask, claim)
      if (opened !== 'no-room') return opened
    }
  }

  /** `found`, an idle connection or one whose reset ends well, once it is known to be alive and clean. */
  async #provenWarm(
    { server, wanted, asker }: Ask,
    found: ServerConnection | undefined,
  ): Promise<ServerConnection | undefined> {
    if (!found && this.reuseIsSuspended) return undefined
    const warm = found ?? this.#takeIdle(server, wanted) ?? (await this.#warm.claim(wanted))
    if (!warm) return undefined
    warm.client = asker
    if (!(await this.#isUsable(server, warm))) return undefined
    if (!this.reuseIsSuspended) return warm
    // Since this was begun.
    warm.client = undefined
    this.#rest(warm)
    return undefined
  }

  #reused(server: Server, warm: ServerConnection, asker: Asker): Leased {
    warm.uses++
    warm.client = asker
    server.count.reused.value++
    server.count.loginsOk.value++
    const tellReuse = this.#enablers.mayTell(warm.identity)
    return { kind: 'leased', upstream: warm, reused: true, tellReuse, untagged: [] }
  }

  /** An idle connection of the same user on which exactly these extensions are enabled, in exchange for a clean one. */
  takeEnabled(upstream: ServerConnection, server: Server, enabled: string): ServerConnection | undefined {
    this.#enablers.add(upstream.identity)
    const twin = this.#takeIdle(server, {
      identity: upstream.identity,
      digest: upstream.secretDigest,
      enabled,
    })
    if (!twin) return undefined
    if (!this.#isFresh(twin)) {
      // The session would have to wait for the proof: it enables its own, and the next one finds this one proven.
      void this.refresh(twin)
      return undefined
    }
    twin.uses++
    twin.client = upstream.client
    return twin
  }

  /** Ends a lease; the session must not touch the connection again. Settles when the connection is idle or dropped. */
  giveBack(upstream: ServerConnection, handBack: HandBack): Promise<void> {
    upstream.client = undefined
    upstream.lastUsedAt = this.#context.now()
    if (upstream.session.enabled.size > 0) this.#enablers.add(upstream.identity)
    const refusal = handBack.refusal ?? this.#outlived(upstream)
    if (refusal !== undefined) {
      this.#refuse(upstream, refusal)
      return Promise.resolve()
    }
    return this.#clean(upstream, handBack)
  }

  /** Drops what a session holds that has failed and cannot say where it stood. */
  abandon(asker: Asker): void {
    for (const upstream of [...this.states.leased])
      if (upstream.client === asker) this.#refuse(upstream, 'failed-here')
  }

  /** Proves an idle connection alive, so that its user does not have to wait for that. */
  refresh(upstream: ServerConnection): Promise<void> {
    return this.#clean(upstream, nothingLeft)
  }

  /** Closes an idle connection; `reason` is counted. */
  drop(upstream: ServerConnection, reason: string): void {
    if (this.#close(upstream)) this.#context.metrics.counters.upstream_drops_total({ reason }).value++
  }

  /** Drops every idle connection that is meant, and keeps leased ones from coming back. */
  purge(isMeant: Meant, reason: string): number {
    this.#openings.purge(isMeant)
    const meant = [...this.states.all()].filter(([upstream]) => isMeant(upstream))
    for (const [upstream, state] of meant) {
      if (state === 'idle') this.drop(upstream, reason)
      else upstream.expiresAt = 0
    }
    return meant.length
  }

  /** Nothing is kept from now on. */
  close(): void {
    this.#closing = true
    for (const upstream of [...this.states.idle]) this.drop(upstream, 'shutdown')
  }

  /** leased or idle -> resetting -> idle, or to whoever has claimed it, or dropped. */
  async #clean(upstream: ServerConnection, leftovers: Leftovers): Promise<void> {
    const { settings, log } = this.#context
    const { pool } = settings.current
    let isClean = false
    try {
      this.states.move(upstream, 'resetting')
      const result = await reset(upstream, leftovers, {
        timeoutMs: pool.resetTimeoutMs,
        bytesMax: pool.resetBytesMax,
        onAlert: (line) => log.warn('alert', { user: upstream.user, text: oneLine(line) }),
      })
      isClean = this.#cleaned(upstream, result)
    } catch (error) {
      // A bug: nobody can say where this connection stands.
      log.error('reset_failed', { error: stackOf(error) })
      this.#refuse(upstream, 'failed-here')
    }
    this.#warm.takeClaim(upstream)?.(isClean)
  }

  #cleaned(upstream: ServerConnection, result: ResetResult): boolean {
    const refusal = result.kind === 'dirty' ? result.reason : (spoiled(upstream) ?? this.#outlived(upstream))
    if (refusal !== undefined) return this.#refuse(upstream, refusal)
    upstream.provenAt = this.#context.now()
    if (this.#warm.isClaimed(upstream)) this.states.move(upstream, 'leased')
    else this.#rest(upstream)
    return true
  }

  async #open(ask: Ask, claim: Claim): Promise<Leased | Refused | 'no-room'> {
    let isOpen = false
    try {
      return await this.#openings.open(ask, (upstream, untagged) => {
        isOpen = true
        if (this.room.admit(claim)) return this.#opened(upstream, untagged, ask.server)
        upstream.link.close()
        this.#context.metrics.counters.upstream_drops_total({ reason: 'no-room' }).value++
        return 'no-room'
      })
    } finally {
      if (!isOpen) this.room.giveUp(claim)
    }
  }

  #opened(upstream: ServerConnection, untagged: readonly string[], { count }: Server): Leased {
    this.states.move(upstream, 'leased')
    this.#warm.add(upstream)
    count.opened.value++
    count.loginsOk.value++
    return { kind: 'leased', upstream, reused: false, tellReuse: false, untagged }
  }

  #takeIdle(server: Server, wanted: Wanted): ServerConnection | undefined {
    if (this.reuseIsSuspended) return undefined
    const { settings, now } = this.#context
    const { pool } = settings.current
    for (let found = this.#warm.findIdle(wanted); found; found = this.#warm.findIdle(wanted)) {
      const reason = unfitToLease(found, server, pool, now())
      if (reason !== undefined) {
        this.drop(found, reason)
        continue
      }
      this.states.move(found, 'leased')
      return found
    }
    return undefined
  }

  /** A connection that was not proven lately is proven now, or dropped. */
  async #isUsable(server: Server, upstream: ServerConnection): Promise<boolean> {
    const { pool } = this.#context.settings.current
    if (upstream.generation !== server.generation) return this.#refuse(upstream, 'config-changed')
    if (this.#isFresh(upstream)) return true
    const result = await prove(upstream, { timeoutMs: pool.resetTimeoutMs, bytesMax: pool.resetBytesMax })
    const reason = result.kind === 'dirty' ? result.reason : (spoiled(upstream) ?? this.#outlived(upstream))
    if (reason !== undefined) return this.#refuse(upstream, reason)
    upstream.provenAt = this.#context.now()
    return true
  }

  /** Whether it was proven so lately that it is believed. */
  #isFresh(upstream: ServerConnection): boolean {
    const { settings, now } = this.#context
    return now() - upstream.provenAt <= settings.current.pool.proveIdleAfterMs
  }

  /** resetting -> idle. From here on any byte of the server is a surprise. */
  #rest(upstream: ServerConnection): void {
    this.states.move(upstream, 'idle')
    upstream.rest(this.#context.settings.current.pool.resetBytesMax, this.#restListener)
    this.room.rested(upstream)
  }

  #refuse(upstream: ServerConnection, reason: string): false {
    if (this.#close(upstream)) this.#context.metrics.counters.reuse_refused_total({ reason }).value++
    return false
  }

  #close(upstream: ServerConnection): boolean {
    if (!this.states.drop(upstream)) return false
    this.#warm.remove(upstream)
    this.room.leave(upstream.name, upstream.identity)
    return true
  }

  #outlived(upstream: ServerConnection): string | undefined {
    if (this.#closing) return 'shutdown'
    return outlived(upstream, this.#context.settings.current.pool, this.#context.now())
  }
}
