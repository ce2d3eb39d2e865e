/**
 * The client programs that enable CONDSTORE by a command, for each user. Their next login gets a connection that has it. All
 * other clients get a clean one, because the server would send them MODSEQ that they did not request.
 */

/**
 * A program is removed after this many sessions without CONDSTORE. Webmails use it on some of their pages only, such as a refresh
 * of a mailbox that has changed, and a program that was removed has to log in again.
 */
const unusedSessionsMax = 100

export class CondstoreFamilies {
  /** For each identity, its families, and how many more sessions without use each of them has. */
  readonly #left = new Map<string, Map<string, number>>()
  readonly #identitiesMax: number
  readonly #familiesMax: number

  constructor(identitiesMax = 50_000, familiesMax = 8) {
    this.#identitiesMax = identitiesMax
    this.#familiesMax = familiesMax
  }

  /** `client.family` is made only for users with a known family. */
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
    // Both maps are in the order of their last use, and the first entry is removed.
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
