/** Limits how many clients are connected at the same time, in total and from one address. */

export interface ClientLimits {
  connectionsMax: number
  /** 0: no limit. */
  connectionsPerAddressMax: number
}

export class ClientAdmission {
  #total = 0
  #peak = 0
  readonly #byAddress = new Map<string, number>()

  get total(): number {
    return this.#total
  }

  /** The highest total since `resetPeak`. */
  get peak(): number {
    return this.#peak
  }

  resetPeak(): void {
    this.#peak = this.#total
  }

  /**
   * Admits one client, or returns the limit that is reached.
   * @param address called only if there is a limit per address, because it costs a system call
   * @returns a function to call once, when the client has left
   */
  enter(
    address: () => string,
    limits: ClientLimits,
  ): (() => void) | 'too-many-clients' | 'too-many-from-address' {
    if (this.#total >= limits.connectionsMax) return 'too-many-clients'
    if (limits.connectionsPerAddressMax === 0) {
      this.#add()
      return () => void this.#total--
    }
    const from = address()
    const present = this.#byAddress.get(from) ?? 0
    if (present >= limits.connectionsPerAddressMax) return 'too-many-from-address'
    this.#add()
    this.#byAddress.set(from, present + 1)
    return () => this.#leave(from)
  }

  #add(): void {
    if (++this.#total > this.#peak) this.#peak = this.#total
  }

  #leave(address: string): void {
    this.#total--
    const left = (this.#byAddress.get(address) ?? 1) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
  }
}
