/**
 * Keeps one connection to a distant server ready for the next login: connected, with TLS if configured, and greeted. The
 * login then waits only for its own answer. The connection is opened after a login, and closed if no other login follows
 * soon. Nothing about a user is sent on it before the login that uses it.
 */
import type { EdgeMetrics } from '@imapfleet/observe'
import { runtime } from '../runtime.ts'
import { once } from './dial.ts'
import { dialAddress, type Dialed } from './dial-address.ts'
import type { Address } from './resolver.ts'
import type { Server } from './server.ts'
import type { DialPlace } from './shortage.ts'

/** Servers close a connection without a login after one minute or later, Dovecot after three. */
const keptMs = 45_000
/** Below this round trip, too little time is saved. */
const roundTripMinMs = 10
/** After an unused connection, none is opened before this many logins that would have used one. Servers log unused ones. */
const loginsPerUnused = 5
/** After a failure, for example because the server limits connections, none is opened for this time. */
const pauseMs = 600_000

export class ConnectAhead {
  readonly #server: Server
  readonly #counters: EdgeMetrics['counters']
  #ready: { readonly dialed: Dialed; readonly at: number } | undefined
  #opening: AbortController | undefined
  #pausedUntil = -Infinity
  #lastLoginAt = -Infinity
  /** After an unused connection: how many more such logins must come before the next one is opened. */
  #loginsMissing = 0
  #isOver = false

  constructor(server: Server, counters: EdgeMetrics['counters']) {
    this.#server = server
    this.#counters = counters
  }

  get state(): 'none' | 'opening' | 'ready' {
    if (this.#ready !== undefined) return 'ready'
    return this.#opening === undefined ? 'none' : 'opening'
  }

  /**
   * A login has succeeded. Opens a connection for the next one, if there is none and the server allows one more. Returns
   * immediately.
   */
  prepare({ hasRoom }: Pick<DialPlace, 'hasRoom'>): void {
    const now = runtime.now()
    if (now - this.#lastLoginAt < keptMs && this.#loginsMissing > 0) this.#loginsMissing--
    this.#lastLoginAt = now
    if (this.state !== 'none' || !hasRoom || !this.#isWorthwhile) return
    const address = this.#server.nextAddress()
    if (address !== undefined) void this.#open(address)
  }

  async #open(address: Address): Promise<void> {
    const opening = (this.#opening = new AbortController())
    const dialed = await dialAddress(this.#server, address, {
      signal: opening.signal,
      timeoutMs: this.#server.config.connectTimeoutMs,
      preamble: undefined,
      isTentative: true,
    })
    if (this.#opening === opening) this.#opening = undefined
    if (opening.signal.aborted) {
      // The dial may have ended just before the abort.
      if (dialed.kind === 'dialed') dialed.exchange.fail('closed-here')
    } else if (dialed.kind === 'dialed') this.#ready = { dialed, at: runtime.now() }
    else if (dialed.kind === 'dial-failed') {
      this.#pausedUntil = runtime.now() + pauseMs
      this.#count('failed')
    }
  }

  get #isWorthwhile(): boolean {
    const { config, ahead, knowledge, addresses, isPaused, downReason, gate } = this.#server
    const distanceMs = knowledge?.roundTripMs ?? 0
    return (
      !this.#isOver &&
      config.connectAhead &&
      ahead === 'on' &&
      distanceMs >= Math.max(roundTripMinMs, config.aheadRoundTripMinMs) &&
      // A PROXY header names the client.
      this.#server.proxyHeader() === undefined &&
      // Logins try an address that is down once more.
      addresses.areAllInUse &&
      !isPaused &&
      downReason === undefined &&
      // Logins that wait for their turn come first.
      gate.waiting === 0 &&
      this.#loginsMissing === 0 &&
      runtime.now() >= this.#pausedUntil
    )
  }

  /**
   * The connection for a login. Undefined: none can be used now, and the login dials. If the server allows no further connection,
   * the one that is ready or being opened is closed first.
   */
  take({ hasRoom }: Pick<DialPlace, 'hasRoom'>): Dialed | undefined {
    const dialed = this.#takeReady()
    if (dialed === undefined && !hasRoom) this.close()
    return dialed
  }

  #takeReady(): Dialed | undefined {
    const dialed = this.#ready?.dialed
    if (dialed === undefined) return undefined
    const { addresses, breaker, gate, config } = this.#server
    if (!this.#isUsable(runtime.now()) || !addresses.areAllInUse || breaker.isOpen) {
      this.close()
      return undefined
    }
    // The login waits for its turn at the gate.
    if (!gate.enterNow(dialed.address, config.connectsMax)) return undefined
    this.#ready = undefined
    this.#server.endTurn()
    this.#count('used')
    return { ...dialed, leaveTurn: once(() => gate.leave(dialed.address)) }
  }

  #isUsable(now: number): boolean {
    const { dialed, at } = this.#ready!
    const { resolver, config } = this.#server
    const isKnown = resolver.known(config).some(({ address }) => address === dialed.address.address)
    return isKnown && dialed.exchange.isQuiet && now - at < keptMs
  }

  /** Closes a connection that is too old, that the server has closed, or whose address is no longer one of the server. Call it each second. */
  sweep(): void {
    if (this.#ready !== undefined && !this.#isUsable(runtime.now())) this.close()
  }

  /** Closes the connection, if there is one. */
  close(): void {
    this.#opening?.abort()
    const dialed = this.#ready?.dialed
    this.#ready = undefined
    if (dialed === undefined) return
    this.#loginsMissing = loginsPerUnused
    this.#count('unused')
    // The reply is not awaited.
    void dialed.exchange.command('LOGOUT')
    dialed.link.closeWhenWritten(1000)
  }

  /** The edge stops, or the server has new settings. No further connection is opened. */
  end(): void {
    this.#isOver = true
    this.close()
  }

  #count(result: 'used' | 'unused' | 'failed'): void {
    this.#counters.upstream_connects_ahead_total({ upstream: this.#server.name, result }).value++
  }
}
