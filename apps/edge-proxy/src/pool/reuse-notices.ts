/**
 * Decides which users may get the notice XPROXYREUSE. Horde concludes from it that extensions that it enabled earlier are still
 * enabled. A user whose client has ever enabled an extension therefore gets no notice.
 */
export class ReuseNotices {
  readonly #enabling = new Set<string>()
  readonly #identitiesMax: number
  /** The set was full once. From then on, no user gets the notice. */
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
