/**
 * Which addresses of one server do not answer. Logins try them last. Health checks try them in the background, after pauses
 * that double, and move them back when they answer.
 */
import { runtime } from '../runtime.ts'
import type { Address } from './resolver.ts'

export interface AddressOutage extends Address {
  /** Milliseconds since 1970. */
  since: number
  /** For operators. */
  reason: string
}

interface Entry {
  readonly address: Address
  /** Undefined: a dial was abandoned before the address had answered. */
  outage: AddressOutage | undefined
  checkAt: number
  /** Until the check after the next one. */
  pauseMs: number
}

const pauseMaxMs = 60_000

export class Addresses {
  /** By address. Those that answer have no entry. */
  readonly #entries = new Map<string, Entry>()
  /** When each last greeted, from runtime.now(). */
  readonly #greetedAt = new Map<string, number>()

  get down(): AddressOutage[] {
    return [...this.#entries.values()].flatMap(({ outage }) => outage ?? [])
  }

  isDown({ address }: Address): boolean {
    return this.#entries.get(address)?.outage !== undefined
  }

  /**
   * Those that are down or suspected come last.
   * @param tried addresses that are tried as if they were not down
   */
  inOrder(addresses: readonly Address[], tried: readonly Address[] = []): Address[] {
    const isLast = ({ address }: Address) =>
      this.#entries.has(address) && !tried.some((trial) => trial.address === address)
    return addresses.some(isLast)
      ? [...addresses.filter((address) => !isLast(address)), ...addresses.filter(isLast)]
      : [...addresses]
  }

  /** The address has greeted. */
  markUp({ address }: Address, now: number): void {
    this.#entries.delete(address)
    this.#greetedAt.set(address, now)
  }

  /** The address could not be used. It is checked after `pauseMs`, and then after twice the pause each time. */
  markDown(address: Address, reason: string, now: number, pauseMs: number): void {
    const present = this.#entries.get(address.address)
    const outage = { ...address, since: present?.outage?.since ?? runtime.wall(), reason }
    if (present?.outage) Object.assign(present, { outage })
    else this.#entries.set(address.address, { address, outage, checkAt: now + pauseMs, pauseMs: pauseMs * 2 })
  }

  /**
   * A dial was abandoned before the address had answered: the next check finds out whether it does.
   * @param trustedMs an address that has greeted within this time is not suspected: its clients are impatient
   * @param untilCheckMs how long it comes last before it is checked
   */
  suspect(address: Address, now: number, trustedMs: number, untilCheckMs: number): void {
    const greetedAt = this.#greetedAt.get(address.address) ?? -Infinity
    if (now - greetedAt >= trustedMs && !this.#entries.has(address.address))
      this.#entries.set(address.address, {
        address,
        outage: undefined,
        checkAt: now + untilCheckMs,
        pauseMs: pauseMaxMs,
      })
  }

  /** The addresses to check now. The time of the next check of each begins to run. */
  takeDue(now: number): Address[] {
    const due = [...this.#entries.values()].filter(({ checkAt }) => checkAt <= now)
    for (const entry of due) {
      entry.checkAt = now + entry.pauseMs
      entry.pauseMs = Math.max(entry.pauseMs, Math.min(entry.pauseMs * 2, pauseMaxMs))
    }
    return due.map(({ address }) => address)
  }

  /** Forgets the addresses that the names no longer have. */
  keepOnly(addresses: readonly Address[]): void {
    if (this.#entries.size === 0 && this.#greetedAt.size <= addresses.length) return
    const present = new Set(addresses.map(({ address }) => address))
    for (const known of [this.#entries, this.#greetedAt])
      for (const address of known.keys()) if (!present.has(address)) known.delete(address)
  }
}
