/**
 * The circuit breaker of one server. After a number of consecutive failures it opens: logins fail immediately instead of
 * waiting for a server that is down. After each cool-down it allows one attempt at a time, until an attempt succeeds. The first
 * cool-downs are short, and logins wait for their end, because a server that restarts is usually available again soon.
 */
import { jittered, runtime } from '../runtime.ts'

export interface BreakerLimits {
  /** 0: never opens. */
  breakerFailures: number
  /** The longest cool-down. */
  breakerCooldownMs: number
}

/** The first cool-down, as a share of the longest one. */
const firstCooldown = 0.1
/** Ratio of each cool-down to the previous one. */
const growth = 1.5
/** Logins wait for the end of a cool-down up to this length. */
const awaitedCooldownMs = 2_000
/** Logins wait until this time after the breaker opened, even if an attempt to connect takes longer. */
const awaitedMs = 5_000

export class Breaker {
  #failures = 0
  #openedAt = 0
  /** 0: closed. */
  #openUntil = 0
  /** The present cool-down, without jitter. */
  #cooldownMs = 0
  #isTrying = false
  readonly #waiting = new Set<() => void>()

  /** Whether an attempt to connect is allowed now. While the breaker is open, one at a time; see `endTrial`. */
  allows(now: number): boolean {
    if (!this.isOpen) return true
    if (this.#isTrying || now < this.#openUntil) return false
    return (this.#isTrying = true)
  }

  get isOpen(): boolean {
    return this.#openUntil > 0
  }

  /** Whether the outage is so short that logins wait for its end. */
  isAwaited(now: number): boolean {
    return this.isOpen && this.#cooldownMs <= awaitedCooldownMs && now < this.#openedAt + awaitedMs
  }

  /** Settles when an attempt may be allowed, when an attempt has ended, when logins should wait no longer, or at the signal. */
  awaitNews(now: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const settle = () => {
        runtime.cancel(timer)
        this.#waiting.delete(settle)
        signal.removeEventListener('abort', settle)
        resolve()
      }
      const endsAt = this.#openedAt + awaitedMs
      // While an attempt is in progress, its end settles this promise.
      const until = this.#isTrying ? endsAt : Math.min(this.#openUntil, endsAt)
      const timer = runtime.after(Math.max(0, until - now), settle)
      this.#waiting.add(settle)
      signal.addEventListener('abort', settle)
    })
  }

  succeeded(): void {
    this.#failures = 0
    this.#openUntil = 0
    this.#isTrying = false
    this.#tellNews()
  }

  /** An attempt failed. One that began before the breaker opened, or a health check, does not prolong the cool-down. */
  failed(now: number, limits: BreakerLimits): void {
    this.#failures++
    const opens = limits.breakerFailures > 0 && this.#failures >= limits.breakerFailures
    if (this.isOpen ? this.#isTrying : opens) {
      const { breakerCooldownMs: longestMs } = limits
      if (!this.isOpen) this.#openedAt = now
      this.#cooldownMs = this.isOpen
        ? Math.min(this.#cooldownMs * growth, longestMs)
        : longestMs * firstCooldown
      this.#openUntil = now + jittered(this.#cooldownMs)
    }
    this.#isTrying = false
    this.#tellNews()
  }

  /** The allowed attempt has ended without a result about the server. Another one is allowed. */
  endTrial(): void {
    this.#isTrying = false
    this.#tellNews()
  }

  #tellNews(): void {
    for (const settle of [...this.#waiting]) settle()
  }
}
