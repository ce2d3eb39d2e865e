/**
 * Digests of secrets that a server has accepted, by server and user. They show whether an accepted secret is new for its
 * user. Their number is limited. A secret that was removed counts as new, which only causes additional logins.
 */
export class KnownSecrets {
  /** By server and user, ordered by the last proof of the user, oldest first. The list of a user has the oldest proof first. */
  readonly #digests = new Map<string, string[]>()
  readonly #perUserMax: number
  readonly #max: number
  #count = 0

  constructor(perUserMax = 16, max = 100_000) {
    this.#perUserMax = perUserMax
    this.#max = max
  }

  /** The server has accepted this secret. True: it was not known. */
  accepted(serverName: string, userKey: string, digest: string): boolean {
    const key = keyOf(serverName, userKey)
    const wasKnown = this.#remove(key, digest)
    const kept = this.#digests.get(key)
    if (kept && kept.length >= this.#perUserMax) this.#count -= kept.splice(0, 1).length
    this.#count++
    // Moves the user to the end. A new array is created, because a growing array reserves space for 17 entries.
    this.#digests.delete(key)
    this.#digests.set(key, kept ? [...kept, digest] : [digest])
    this.#evict()
    return !wasKnown
  }

  /** The server has refused this secret. True: it was known. */
  refused(serverName: string, userKey: string, digest: string): boolean {
    return this.#remove(keyOf(serverName, userKey), digest)
  }

  #remove(key: string, digest: string): boolean {
    const digests = this.#digests.get(key)
    const index = digests?.indexOf(digest) ?? -1
    if (!digests || index < 0) return false
    digests.splice(index, 1)
    this.#count--
    if (digests.length === 0) this.#digests.delete(key)
    return true
  }

  #evict(): void {
    for (const [key, digests] of this.#digests) {
      if (this.#count <= this.#max) return
      this.#count -= digests.length
      this.#digests.delete(key)
    }
  }
}

const keyOf = (serverName: string, userKey: string): string => `${serverName}\0${userKey}`
