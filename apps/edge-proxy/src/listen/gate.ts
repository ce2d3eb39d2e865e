/** Who may come in: how many connections at once, in all and from one address. */

export interface GateLimits {
  connectionsMax: number
  connectionsPerAddressMax: number
}

export class Gate {
  #total = 0
  /** Most at once since `forgetPeak`. */
  #peak = 0
  readonly #byAddress = new Map<string, number>()

  get total(): number {
    return this.#total
  }

  get peak(): number {
    return this.#peak
  }

  forgetPeak(): void {
    this.#peak = this.#total
  }

  /**
   * Lets one in, or says which limit is full.
   * @param address asked only where a limit needs it, because asking costs a system call
   * @returns for whoever is let in, the function that gives the place back, to be called once
   */
  enter(
    address: () => string,
    limits: GateLimits,
  ): (() => void) | 'too-many-clients' | 'too-many-from-address' {
    if (this.#total >= limits.connectionsMax) return 'too-many-clients'
    if (limits.connectionsPerAddressMax === 0) {
      this.#add()
      return () => void this.#total--
    }
    const from = address()
    const here = this.#byAddress.get(from) ?? 0
    if (here >= limits.connectionsPerAddressMax) return 'too-many-from-address'
    this.#add()
    this.#byAddress.set(from, here + 1)
    return () => this.#leave(from)
  }

  #add(): void {
    if (++this.#total > this.#peak) this.#peak = this.#total
  }

  #leave(address: string): void {
    this.#total--
    const left = (this.#byAddress.get(address) ?? 1) - 1
    if (left === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, left)
  }
}
