/**
 * Users whose client has enabled an extension. Horde takes XPROXYREUSE to mean that its own earlier ENABLEs still hold,
 * so those who have ever enabled something are handed a clean connection without being told.
 */
export class Enablers {
  readonly #identities = new Set<string>()
  readonly #max: number
  /** Once something was forgotten, nobody can be sure of anybody. */
  #isIncomplete = false

  constructor(max = 100_000) {
    this.#max = max
  }

  add(identity: string): void {
    if (this.#identities.size < this.#max) this.#identities.add(identity)
    else if (!this.#identities.has(identity)) this.#isIncomplete = true
  }

  /** Whether sessions of this user may be told that their connection is reused. */
  mayTell(identity: string): boolean {
    return !this.#isIncomplete && !this.#identities.has(identity)
  }
}
