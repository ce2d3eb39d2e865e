/** A circuit breaker: after some failures in a row nobody waits for a dead server; after a while one may try. */
export class Breaker {
  #failures = 0
  #openUntil = 0

  /** Whether a connection may be tried now. The first one after the cool-down closes or re-opens it for all. */
  allows(now: number): boolean {
    return now >= this.#openUntil
  }

  get isOpen(): boolean {
    return this.#openUntil > 0
  }

  succeeded(): void {
    this.#failures = 0
    this.#openUntil = 0
  }

  failed(now: number, limits: { breakerFailures: number; breakerCooldownMs: number }): void {
    this.#failures++
    if (limits.breakerFailures > 0 && this.#failures >= limits.breakerFailures)
      this.#openUntil = now + limits.breakerCooldownMs
  }
}
