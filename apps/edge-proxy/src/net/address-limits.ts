/** Who may come in: how many connections at once, in all and from one address. */
import { Tally } from './tally.ts'

export interface GateLimits {
  connectionsMax: number
  connectionsPerAddressMax: number
}

export class Gate {
  #total = 0
  /** Most at once since `forgetPeak`. */
  #peak = 0
  readonly #byAddress = new Tally()

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
    if (this.#byAddress.of(from) >= limits.connectionsPerAddressMax) return 'too-many-from-address'
    this.#add()
    this.#byAddress.add(from)
    return () => this.#leave(from)
  }

  #add(): void {
    if (++this.#total > this.#peak) this.#peak = this.#total
  }

  #leave(address: string): void {
    this.#total--
    this.#byAddress.remove(address)
  }
}
