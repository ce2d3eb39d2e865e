/** A circuit breaker: after some failures in a row nobody waits for a dead server; after a while one may try. */
export interface BreakerLimits {
  breakerFailures: number
  breakerCooldownMs: number
}

export class Breaker {
  #failures = 0
  #openUntil = 0

  /** Whether a connection may be tried now. After a cool-down one may, and its outcome is waited for. */
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
