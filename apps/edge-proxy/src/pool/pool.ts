/**
 * Warm connections by identity. `lease` gives a session a connection that is logged in as exactly its user, warm if one
 * is there, else freshly opened; `giveBack` takes it again once, and only what is proven clean is kept.
 */
import type { PoolConfig } from '@imapfleet/config'
import type { Credentials } from '../credentials.ts'
import { userName } from '../credentials.ts'
import { oneLine } from '../imap/encode.ts'
import type { Counters } from '../observe/counters.ts'
import type { Log } from '../observe/log.ts'
import type { HandBack } from '../splice/ending.ts'
import { open, type Opened } from '../upstream/open.ts'
import { prove, reset } from '../upstream/reset.ts'
import type { Target } from '../upstream/target.ts'
import { Upstream } from '../upstream/upstream.ts'
import { digestOf, identityOf, isSameSecret } from './key.ts'
import { States } from './states.ts'

export interface Leased {
  kind: 'leased'
  upstream: Upstream
  reused: boolean
  /** What a fresh server said at its login, for this client. */
  untagged: string[]
}

/** The login is answered with `status text` and no connection is held. */
export interface Refused {
  kind: 'refused'
  cause: 'wrong-credentials' | 'unavailable' | 'limit'
  status: 'NO' | 'BAD'
  text: string
}

export interface PoolContext {
  /** Read at each use. */
  readonly settings: { readonly current: { pool: PoolConfig } }
  readonly counters: Counters
  readonly log: Log
  readonly now: () => number
}

export class Pool {
  readonly states = new States()
  readonly #byIdentity = new Map<string, Upstream[]>()
  /** Sessions that wait for a connection of their identity which is being reset. */
  readonly #claims = new Map<Upstream, (clean: boolean) => void>()
  readonly #context: PoolContext
  /** While true nobody is given a warm connection: what was revoked meanwhile is not known yet. */
  reuseIsSuspended = false
  #closing = false

  constructor(context: PoolContext) {
    this.#context = context
  }

  async lease(target: Target, credentials: Credentials, client: string): Promise<Leased | Refused> {
    const identity = identityOf(target.name, credentials)
    const digest = digestOf(credentials.secret)
    const warm =
      this.#takeIdle(target, identity, digest) ?? (await this.#awaitReset(target, identity, digest))
    if (warm && (this.#isFresh(warm) || (await this.#prove(warm)))) {
      warm.uses++
      warm.client = client
      target.count.reused.value++
      target.count.loginsOk.value++
      return { kind: 'leased', upstream: warm, reused: true, untagged: [] }
    }
    return this.#open(target, credentials, { identity, digest, client })
  }

  /** Ends a lease; the session must not touch the connection again. Settles when the connection is idle or dropped. */
  async giveBack(upstream: Upstream, handBack: HandBack): Promise<void> {
    const { pool } = this.#context.settings.current
    const refusal = handBack.refusal ?? this.#outlived(upstream)
    if (refusal !== undefined) return this.#refuse(upstream, refusal)
    this.states.move(upstream, 'resetting', this.#context.now())
    upstream.client = undefined
    const result = await reset(upstream, handBack, {
      timeoutMs: pool.resetTimeoutMs,
      bytesMax: pool.resetBytesMax,
      keepSelected: false,
      onAlert: (line) => this.#context.log.warn('alert', { user: upstream.user, text: oneLine(line) }),
    })
    const claim = this.#claims.get(upstream)
    this.#claims.delete(upstream)
    const refusalAfter = result.kind === 'dirty' ? result.reason : this.#outlived(upstream)
    if (refusalAfter !== undefined) this.#refuse(upstream, refusalAfter)
    else {
      upstream.provenAt = this.#context.now()
      if (claim) this.states.move(upstream, 'leased', this.#context.now())
      else this.#rest(upstream)
    }
    claim?.(refusalAfter === undefined)
  }

  /** Closes an idle connection; `reason` is counted. */
  drop(upstream: Upstream, reason: string): void {
    this.#forget(upstream)
    if (this.states.drop(upstream)) this.#context.counters.counter('upstream_drops_total', { reason }).value++
  }

  /** Drops every idle connection that `matches`, and keeps leased ones from coming back. */
  purge(matches: (upstream: Upstream) => boolean, reason: string): number {
    let purged = 0
    for (const [upstream, state] of [...this.states.all()]) {
      if (!matches(upstream)) continue
      purged++
      if (state === 'idle') this.drop(upstream, reason)
      else upstream.expiresAt = 0
    }
    return purged
  }

  /** Nothing is kept from now on. */
  close(): void {
    this.#closing = true
    for (const upstream of [...this.states.idle]) this.drop(upstream, 'shutdown')
  }

  async #open(
    target: Target,
    credentials: Credentials,
    facts: { identity: string; digest: Buffer; client: string },
  ): Promise<Leased | Refused> {
    const { counters, log, now } = this.#context
    const refused = this.#makeRoom(target, facts.identity)
    if (refused) return refused
    this.states.dialBegins(facts.identity)
    const begun = performance.now()
    let opened: Opened
    try {
      opened = await open(target, credentials)
    } finally {
      this.states.dialEnds(facts.identity)
    }
    counters.timings('upstream_dial_seconds').observe(performance.now() - begun)
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
      return {
        kind: 'refused',
        cause: 'unavailable',
        status: 'NO',
        text: '[UNAVAILABLE] Mail server is not available, try again later',
      }
    }
    const upstream = new Upstream({
      link: opened.link,
      name: target.name,
      identity: facts.identity,
      secretDigest: facts.digest,
      user: userName(credentials),
      generation: target.generation,
      capabilities: opened.capabilities,
      loginText: opened.text,
      now: now(),
    })
    upstream.uses = 1
    upstream.client = facts.client
    this.states.move(upstream, 'leased', now())
    target.count.opened.value++
    target.count.loginsOk.value++
    return { kind: 'leased', upstream, reused: false, untagged: opened.untagged }
  }

  /** A place for one more connection, if need be that of the connection idle longest. */
  #makeRoom(target: Target, identity: string): Refused | undefined {
    const { connectionsMax, connectionsPerUserMax } = target.config
    const limit = (text: string): Refused => {
      target.count.loginsFailed.value++
      return { kind: 'refused', cause: 'limit', status: 'NO', text: `[LIMIT] ${text}` }
    }
    if (connectionsPerUserMax > 0) {
      const own = [...this.states.all()].filter(([upstream]) => upstream.identity === identity).length
      if (own + (this.states.dialing.get(identity) ?? 0) >= connectionsPerUserMax)
        return limit('Too many connections of this user')
    }
    if (this.states.total < connectionsMax) return undefined
    const [oldest] = this.states.idle
    if (!oldest) return limit('Too many connections, try again later')
    this.drop(oldest, 'made-room')
    return undefined
  }

  #takeIdle(target: Target, identity: string, digest: Buffer): Upstream | undefined {
    const list = this.reuseIsSuspended ? undefined : this.#byIdentity.get(identity)
    if (!list) return undefined
    for (let index = list.length - 1; index >= 0; index--) {
      const upstream = list[index]!
      if (!isSameSecret(upstream.secretDigest, digest)) continue
      const reason = upstream.generation === target.generation ? this.#outlived(upstream) : 'config-changed'
      if (reason !== undefined) {
        this.drop(upstream, reason)
        continue
      }
      this.#forget(upstream)
      this.states.move(upstream, 'leased', this.#context.now())
      return upstream
    }
    return undefined
  }

  /** The user's next click often comes while the last one's connection is being reset: that is nearer than a dial. */
  async #awaitReset(target: Target, identity: string, digest: Buffer): Promise<Upstream | undefined> {
    if (this.states.resetting.size === 0 || this.reuseIsSuspended) return undefined
    for (const upstream of this.states.resetting) {
      const fits =
        upstream.identity === identity &&
        upstream.generation === target.generation &&
        !this.#claims.has(upstream) &&
        isSameSecret(upstream.secretDigest, digest)
      if (!fits) continue
      const clean = await new Promise<boolean>((resolve) => this.#claims.set(upstream, resolve))
      return clean ? upstream : undefined
    }
    return undefined
  }

  #isFresh(upstream: Upstream): boolean {
    return this.#context.now() - upstream.provenAt <= this.#context.settings.current.pool.proveIdleAfterMs
  }

  async #prove(upstream: Upstream): Promise<boolean> {
    const { pool } = this.#context.settings.current
    const result = await prove(upstream, { timeoutMs: pool.resetTimeoutMs, bytesMax: pool.resetBytesMax })
    if (result.kind === 'clean') {
      upstream.provenAt = this.#context.now()
      return true
    }
    this.#refuse(upstream, result.reason)
    return false
  }

  /** leased or resetting -> idle. From here on any byte of the server is a surprise. */
  #rest(upstream: Upstream): void {
    this.states.move(upstream, 'idle', this.#context.now())
    const list = this.#byIdentity.get(upstream.identity)
    if (list) list.push(upstream)
    else this.#byIdentity.set(upstream.identity, [upstream])
    upstream.hand(
      {
        onData: (bytes) => upstream.scanner.scan(bytes),
        onDrain() {},
        onEnd: (end) => this.drop(upstream, end),
      },
      {
        onResponse: (kind, bytes, start) => {
          const isBye = (bytes[start + 2]! & 0xdf) === 66 && (bytes[start + 3]! & 0xdf) === 89
          if (kind !== 'untagged' || isBye)
            this.drop(upstream, isBye ? 'server-said-bye' : 'unexpected-reply')
          // Anything else is proven harmless before the next session, or not at all.
          upstream.provenAt = -Infinity
          return 'omit'
        },
        onPass() {},
      },
    )
  }

  #refuse(upstream: Upstream, reason: string): void {
    if (this.states.drop(upstream)) this.#context.counters.counter('reuse_refused_total', { reason }).value++
  }

  #forget(upstream: Upstream): void {
    const list = this.#byIdentity.get(upstream.identity)
    const index = list?.indexOf(upstream) ?? -1
    if (!list || index < 0) return
    if (list.length === 1) this.#byIdentity.delete(upstream.identity)
    else list.splice(index, 1)
  }

  #outlived(upstream: Upstream): string | undefined {
    const { pool } = this.#context.settings.current
    const now = this.#context.now()
    if (this.#closing) return 'shutdown'
    if (upstream.expiresAt <= now) return 'revoked'
    if (now - upstream.bornAt > pool.lifetimeMaxMs) return 'too-old'
    if (upstream.uses >= pool.usesMax) return 'used-up'
    return this.states.stateOf(upstream) === 'idle' && now - upstream.since > pool.idleTimeoutMs
      ? 'idle-timeout'
      : undefined
  }
}
