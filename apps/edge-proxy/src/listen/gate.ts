/** Who may come in: how many connections at once, in all and from one address. */

export interface GateLimits {
  connectionsMax: number
  connectionsPerAddressMax: number
}

export class Gate {
  #total = 0
  readonly #byAddress = new Map<string, number>()

  get total(): number {
    return this.#total
  }

  /** Lets one in, or says which limit is full. Whoever is let in must `leave` once. */
  enter(address: string, limits: GateLimits): 'in' | 'too-many-clients' | 'too-many-from-address' {
    if (this.#total >= limits.connectionsMax) return 'too-many-clients'
    const here = this.#byAddress.get(address) ?? 0
    if (limits.connectionsPerAddressMax > 0 && here >= limits.connectionsPerAddressMax)
      return 'too-many-from-address'
    this.#total++
    this.#byAddress.set(address, here + 1)
    return 'in'
  }

  leave(address: string): void {
    this.#total--
    const left = (this.#byAddress.get(address) ?? 1) - 1
    if (left === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, left)
  }
}
