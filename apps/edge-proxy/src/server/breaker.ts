/**
 * The circuit breaker of one server. After a number of consecutive failures it opens: logins fail immediately instead of
 * waiting for a dead server. After each cool-down it allows one attempt at a time, until an attempt succeeds.
 */
export interface BreakerLimits {
  /** 0: never opens. */
  breakerFailures: number
  breakerCooldownMs: number
}

export class Breaker {
  #failures = 0
  /** 0: closed. */
  #openUntil = 0
  #isTrying = false

  /** Whether a connection may be tried now. While the breaker is open, one at a time; see `endTrial`. */
  allows(now: number): boolean {
    if (!this.isOpen) return true
    if (this.#isTrying || now < this.#openUntil) return false
    return (this.#isTrying = true)
  }

  get isOpen(): boolean {
    return this.#openUntil > 0
  }

  succeeded(): void {
    this.#failures = 0
    this.#openUntil = 0
    this.#isTrying = false
  }

  /** An attempt that began before the breaker opened, or a health check, does not prolong the cool-down. */
  failed(now: number, limits: BreakerLimits): void {
    this.#failures++
    const opens = limits.breakerFailures > 0 && this.#failures >= limits.breakerFailures
    if (this.isOpen ? this.#isTrying : opens) this.#openUntil = now + limits.breakerCooldownMs
    this.#isTrying = false
  }

  /** The attempt that was allowed has ended without a result that says anything about the server. Another one is allowed. */
  endTrial(): void {
    this.#isTrying = false
  }
}
