/**
 * The circuit breaker of one server. After a number of consecutive failures it opens: logins fail immediately instead of
 * waiting for a dead server. After each cool-down it allows one attempt, until an attempt succeeds.
 */
export interface BreakerLimits {
  /** 0: never opens. */
  breakerFailures: number
  breakerCooldownMs: number
}

export class Breaker {
  #failures = 0
  #openUntil = 0

  /** Whether a connection may be tried now. If the breaker is open, allowing an attempt starts a new cool-down. */
  allows(now: number, { breakerCooldownMs }: BreakerLimits): boolean {
    if (now < this.#openUntil) return false
    if (this.isOpen) this.#openUntil = now + breakerCooldownMs
    return true
  }

  get isOpen(): boolean {
    return this.#openUntil > 0
  }

  succeeded(): void {
    this.#failures = 0
    this.#openUntil = 0
  }

  failed(now: number, limits: BreakerLimits): void {
    this.#failures++
    if (limits.breakerFailures > 0 && this.#failures >= limits.breakerFailures)
      this.#openUntil = now + limits.breakerCooldownMs
  }
}
