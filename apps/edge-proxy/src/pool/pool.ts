/**
 * Warm connections by identity. `lease` gives a session a connection that is logged in as exactly its user, warm if one
 * is there, else freshly opened; `giveBack` takes it again once, and only what is proven clean is kept.
 */
import type { PoolConfig } from '@imapfleet/config'
import type { Credentials } from '../credentials.ts'
import { expiryOf, userName } from '../credentials.ts'
import { oneLine } from '../imap/encode.ts'
import type { Counters } from '../observe/counters.ts'
import type { Log } from '../observe/log.ts'
import type { HandBack } from '../splice/ending.ts'
import { open } from '../upstream/open.ts'
import { prove, reset, type ResetResult } from '../upstream/reset.ts'
import type { Target } from '../upstream/target.ts'
import { Upstream } from '../upstream/upstream.ts'
import { Enablers } from './enablers.ts'
import { outlived, spoiled, unfitToLease } from './fitness.ts'
import { digestOf, identityOf } from './key.ts'
import { placeRefused, type Asker, type Leased, type Refused } from './lease.ts'
import { Room, type Place } from './room.ts'
import { States } from './states.ts'
import { Warm, type Wanted } from './warm.ts'

export interface PoolContext {
  /** Read at each use. */
  readonly settings: { readonly current: { pool: PoolConfig } }
  readonly counters: Counters
  readonly log: Log
  readonly now: () => number
}

export class Pool {
  readonly states = new States()
  readonly room = new Room()
  readonly #warm = new Warm()
  readonly #enablers = new Enablers()
  readonly #context: PoolContext
  /** What was purged while logins were under way. */
  readonly #purges: ((upstream: Upstream) => boolean)[] = []
  /** While true nobody is given a warm connection: what was revoked meanwhile is not known yet. */
  reuseIsSuspended = false
  #closing = false

  constructor(context: PoolContext) {
    this.#context = context
  }

  async lease(target: Target, credentials: Credentials, asker: Asker): Promise<Leased | Refused> {
    const wanted = {
      identity: identityOf(target.name, credentials),
      digest: digestOf(credentials.secret),
      enabled: '',
    }
    for (;;) {
      const warm = await this.#leaseWarm(target, wanted, asker)
      if (warm) return warm
      const place = await this.#takePlace(target, wanted.identity, asker)
      if (place === 'taken') return this.#open(target, credentials, wanted, asker)
      if (place === 'look-again') continue
      target.count.loginsFailed.value++
      return placeRefused(place)
    }
  }

  async #leaseWarm(target: Target, wanted: Wanted, asker: Asker): Promise<Leased | undefined> {
    if (this.reuseIsSuspended) return undefined
    const warm = this.#takeIdle(target, wanted) ?? (await this.#warm.claim(wanted))
    if (!warm || !(await this.#isUsable(target, warm))) return undefined
    warm.uses++
    warm.client = asker
    target.count.reused.value++
    target.count.loginsOk.value++
    const tellReuse = this.#enablers.mayTell(wanted.identity)
    return { kind: 'leased', upstream: warm, reused: true, tellReuse, untagged: [] }
  }

  /** An idle connection of the same user on which exactly these extensions are enabled, in exchange for a clean one. */
  takeEnabled(upstream: Upstream, target: Target, enabled: string): Upstream | undefined {
    this.#enablers.add(upstream.identity)
    if (this.reuseIsSuspended) return undefined
    const twin = this.#takeIdle(target, {
      identity: upstream.identity,
      digest: upstream.secretDigest,
      enabled,
    })
    if (!twin) return undefined
    twin.uses++
    twin.client = upstream.client
    return twin
  }

  /** Ends a lease; the session must not touch the connection again. Settles when the connection is idle or dropped. */
  async giveBack(upstream: Upstream, handBack: HandBack): Promise<void> {
    upstream.client = undefined
    upstream.lastUsedAt = this.#context.now()
    if (upstream.session.enabled.size > 0) this.#enablers.add(upstream.identity)
    const refusal = handBack.refusal ?? this.#outlived(upstream)
    if (refusal !== undefined) {
      this.#refuse(upstream, refusal)
      return
    }
    await this.#clean(upstream, (limits) => reset(upstream, handBack, limits))
  }

  /** Proves an idle connection alive, so that its user does not have to wait for that. */
  async refresh(upstream: Upstream): Promise<void> {
    this.#warm.removeIdle(upstream)
    await this.#clean(upstream, (limits) => prove(upstream, limits))
  }

  /** Closes an idle connection; `reason` is counted. */
  drop(upstream: Upstream, reason: string): void {
    this.#warm.removeIdle(upstream)
    if (this.#close(upstream)) this.#context.counters.counter('upstream_drops_total', { reason }).value++
  }

  /** Drops every idle connection that `matches`, and keeps leased ones from coming back. */
  purge(matches: (upstream: Upstream) => boolean, reason: string): number {
    // Logins under way are not connections yet: they are looked at when they are.
    if (this.states.dialing > 0) this.#purges.push(matches)
    const meant = [...this.states.all()].filter(([upstream]) => matches(upstream))
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
  async #clean(
    upstream: Upstream,
    run: (limits: Parameters<typeof prove>[1]) => Promise<ResetResult>,
  ): Promise<void> {
    const { settings, log, now } = this.#context
    const { pool } = settings.current
    this.states.move(upstream, 'resetting')
    this.#warm.resetBegins(upstream)
    const result = await run({
      timeoutMs: pool.resetTimeoutMs,
      bytesMax: pool.resetBytesMax,
      onAlert: (line) => log.warn('alert', { user: upstream.user, text: oneLine(line) }),
    })
    const claim = this.#warm.resetEnds(upstream)
    const refusal = result.kind === 'dirty' ? result.reason : (spoiled(upstream) ?? this.#outlived(upstream))
    if (refusal !== undefined) this.#refuse(upstream, refusal)
    else {
      upstream.provenAt = now()
      if (claim) this.states.move(upstream, 'leased')
      else this.#rest(upstream)
    }
    claim?.(refusal === undefined)
  }

  async #open(
    target: Target,
    credentials: Credentials,
    wanted: Wanted,
    asker: Asker,
  ): Promise<Leased | Refused> {
    const { counters, log, now } = this.#context
    // The list is emptied only while nobody dials.
    if (this.states.dialing === 0) this.#purges.length = 0
    const purgesBefore = this.#purges.length
    this.states.dialBegins()
    const begun = performance.now()
    const opened = await open(target, credentials, asker).finally(() => this.states.dialEnds())
    counters.timings('upstream_dial_seconds').observe(performance.now() - begun)
    if (opened.kind !== 'opened') this.room.leave(target.name, wanted.identity)
    if (opened.kind === 'login-refused') {
      target.count.loginsRefused.value++
      return { kind: 'refused', cause: 'wrong-credentials', status: opened.status, text: opened.text }
    }
    if (opened.kind === 'unavailable') {
      target.count.loginsFailed.value++
      counters.counter('upstream_failures_total', { upstream: target.name, reason: opened.reason }).value++
      log.warn('upstream_unavailable', {
        upstream: target.name,
        reason: opened.reason,
        detail: opened.detail,
      })
      const text = '[UNAVAILABLE] Mail server is not available, try again later'
      return { kind: 'refused', cause: 'unavailable', status: 'NO', text }
    }
    const upstream = new Upstream({
      link: opened.link,
      name: target.name,
      identity: wanted.identity,
      secretDigest: wanted.digest,
      user: userName(credentials),
      generation: target.generation,
      capabilities: opened.capabilities,
      loginText: opened.text,
      now: now(),
    })
    upstream.client = asker
    upstream.expiresAt = expiryOf(credentials)
    if (this.#purges.slice(purgesBefore).some((matches) => matches(upstream))) upstream.expiresAt = 0
    this.states.move(upstream, 'leased')
    target.count.opened.value++
    target.count.loginsOk.value++
    return { kind: 'leased', upstream, reused: false, tellReuse: false, untagged: opened.untagged }
  }

  async #takePlace(target: Target, identity: string, asker: Asker): Promise<Place> {
    const begun = performance.now()
    const place = await this.room.take(target.name, identity, target.config, {
      free: (of) =>
        this.#freeOne((idle) => (of === 'user' ? idle.identity === identity : idle.name === target.name)),
      isWanted: () => asker.isThere,
    })
    this.#context.counters.timings('lease_wait_seconds').observe(performance.now() - begun)
    return place
  }

  /** Closes the one of these connections that has been idle for longest. */
  #freeOne(isMeant: (idle: Upstream) => boolean): void {
    let oldest: Upstream | undefined
    for (const idle of this.states.idle)
      if (isMeant(idle) && (oldest === undefined || idle.lastUsedAt < oldest.lastUsedAt)) oldest = idle
    if (oldest) this.drop(oldest, 'made-room')
  }

  #takeIdle(target: Target, wanted: Wanted): Upstream | undefined {
    const { settings, now } = this.#context
    const { pool } = settings.current
    for (let found = this.#warm.findIdle(wanted); found; found = this.#warm.findIdle(wanted)) {
      const reason = unfitToLease(found, target, pool, now())
      if (reason !== undefined) {
        this.drop(found, reason)
        continue
      }
      this.#warm.removeIdle(found)
      this.states.move(found, 'leased')
      return found
    }
    return undefined
  }

  /** A connection that was not proven lately is proven now, or dropped. */
  async #isUsable(target: Target, upstream: Upstream): Promise<boolean> {
    const { pool } = this.#context.settings.current
    if (upstream.generation !== target.generation) return this.#refuse(upstream, 'config-changed')
    if (this.#context.now() - upstream.provenAt <= pool.proveIdleAfterMs) return true
    const result = await prove(upstream, { timeoutMs: pool.resetTimeoutMs, bytesMax: pool.resetBytesMax })
    const reason = result.kind === 'dirty' ? result.reason : spoiled(upstream)
    if (reason !== undefined) return this.#refuse(upstream, reason)
    upstream.provenAt = this.#context.now()
    return true
  }

  /** resetting -> idle. From here on any byte of the server is a surprise. */
  #rest(upstream: Upstream): void {
    const isForWaiter = this.room.wake(upstream.name, upstream.identity)
    if (!isForWaiter && this.room.isWaitedFor(upstream.name)) {
      this.#refuse(upstream, 'made-room')
      return
    }
    this.states.move(upstream, 'idle')
    this.#warm.addIdle(upstream)
    upstream.rest(this.#context.settings.current.pool.resetBytesMax, {
      onEnd: (end) => this.drop(upstream, end),
      onSurprise: (reason) => this.drop(upstream, reason),
    })
  }

  #refuse(upstream: Upstream, reason: string): false {
    if (this.#close(upstream)) this.#context.counters.counter('reuse_refused_total', { reason }).value++
    return false
  }

  #close(upstream: Upstream): boolean {
    if (!this.states.drop(upstream)) return false
    this.room.leave(upstream.name, upstream.identity)
    return true
  }

  #outlived(upstream: Upstream): string | undefined {
    if (this.#closing) return 'shutdown'
    return outlived(upstream, this.#context.settings.current.pool, this.#context.now())
  }
}
