/**
 * The client programs that enable CONDSTORE by a command, for each user. Their next login gets a connection that has CONDSTORE.
 * Other clients get a clean connection, because with CONDSTORE the server would send MODSEQ data that they did not request.
 */

/**
 * A program is removed after this many sessions without CONDSTORE. The number is high because webmails use CONDSTORE only on some
 * pages, such as the refresh of a changed mailbox, and the first session of a removed program needs a new connection.
 */
const unusedSessionsMax = 100

export class CondstoreFamilies {
  /** For each identity, its families, and the number of sessions without CONDSTORE until each is removed. */
  readonly #left = new Map<string, Map<string, number>>()
  readonly #identitiesMax: number
  readonly #familiesMax: number

  constructor(identitiesMax = 50_000, familiesMax = 8) {
    this.#identitiesMax = identitiesMax
    this.#familiesMax = familiesMax
  }

  /** Reads `client.family`, which is computed on demand, only for users with a known family. */
  has(identity: string, client: { readonly family: string }): boolean {
    return this.#left.size > 0 && this.#left.get(identity)?.has(client.family) === true
  }

  /** A session has ended. */
  note(identity: string, client: { readonly family: string }, usedCondstore: boolean): void {
    if (usedCondstore) this.#used(identity, client.family)
    else if (this.has(identity, client)) this.#unused(identity, client.family)
  }

  #used(identity: string, family: string): void {
    const families = this.#left.get(identity) ?? new Map<string, number>()
    // Both maps are in the order of last use, so the first entry is removed.
    families.delete(family)
    families.set(family, unusedSessionsMax)
    if (families.size > this.#familiesMax) removeFirst(families)
    this.#left.delete(identity)
    this.#left.set(identity, families)
    if (this.#left.size > this.#identitiesMax) removeFirst(this.#left)
  }

  #unused(identity: string, family: string): void {
    const families = this.#left.get(identity)!
    const left = families.get(family)! - 1
    if (left > 0) families.set(family, left)
    else families.delete(family)
    if (families.size === 0) this.#left.delete(identity)
  }
}

function removeFirst<Key>(map: Map<Key, unknown>): void {
  for (const key of map.keys()) return void map.delete(key)
}
