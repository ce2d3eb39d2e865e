/**
 * Which users may be told XPROXYREUSE. Horde takes it to mean that its own earlier ENABLEs still hold, so a user whose
 * client has ever enabled an extension gets a clean connection without the notice.
 */
export class ReuseNotices {
  readonly #enabling = new Set<string>()
  readonly #identitiesMax: number
  /** The set was full once: from then on no user may be told. */
  #isIncomplete = false

  constructor(identitiesMax = 100_000) {
    this.#identitiesMax = identitiesMax
  }

  /** A client of this user has enabled an extension. */
  noteEnable(identity: string): void {
    if (this.#enabling.size < this.#identitiesMax) this.#enabling.add(identity)
    else if (!this.#enabling.has(identity)) this.#isIncomplete = true
  }

  mayTell(identity: string): boolean {
    return !this.#isIncomplete && !this.#enabling.has(identity)
  }
}
