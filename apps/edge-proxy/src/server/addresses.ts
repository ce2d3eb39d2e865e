/**
 * Which addresses of one server do not answer, do not answer logins, or are far slower than the others. Logins try them last,
 * unless all are so. Health checks try them in the background, after pauses that double, and move them back when they
 * answer. Then they get logins gradually.
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

/** What an address that has greeted is known for. Times are from runtime.now(). */
interface Experience {
  greetedAt: number
  /** From the dial to the greeting, in milliseconds; recent dials count more. */
  greetingMs: number
  /** Logins since the last answer to one. */
  failedLogins: number
  /** When it came back after an outage; -Infinity: it had none. */
  returnedAt: number
}

const pauseMaxMs = 60_000
/** Logins in a row without an answer after which an address counts as down. */
const failedLoginsMax = 5
/** An address is slow if its greetings take this many times as long as those of another one, and at least `slowFromMs`. */
const slowFactor = 5
const slowFromMs = 1_000
/** The weight of the last greeting in the average. */
const lastWeight = 0.3
/** An address that has come back is first in a growing share of the dials for this long. */
const slowStartMs = 30_000

export class Addresses {
  /** By address. Those that answer have no entry. */
  readonly #entries = new Map<string, Entry>()
  readonly #experience = new Map<string, Experience>()

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
  inOrder(addresses: readonly Address[], now: number, tried: readonly Address[] = []): Address[] {
    const isLast = ({ address }: Address) =>
      this.#entries.has(address) && !tried.some((trial) => trial.address === address)
    const usable = addresses.filter((address) => !isLast(address))
    const waits = usable.map(({ address }) => this.#isWarmingUp(address, now))
    return [
      ...usable.filter((_, index) => !waits[index]),
      ...usable.filter((_, index) => waits[index]),
      ...addresses.filter(isLast),
    ]
  }

  /** At random, more rarely the longer the address has been back. */
  #isWarmingUp(address: string, now: number): boolean {
    const returnedMs = now - (this.#experience.get(address)?.returnedAt ?? -Infinity)
    return returnedMs < slowStartMs && runtime.jitter() > returnedMs / slowStartMs
  }

  /**
   * The address has greeted.
   * @param greetingMs time since the dial
   * @param pauseMs until it is checked if it is too slow
   */
  greeted(address: Address, greetingMs: number, now: number, pauseMs: number): void {
    const before = this.#experience.get(address.address)
    const experience: Experience = {
      failedLogins: 0,
      returnedAt: -Infinity,
      ...before,
      greetedAt: now,
      greetingMs: before ? before.greetingMs * (1 - lastWeight) + greetingMs * lastWeight : greetingMs,
    }
    this.#experience.set(address.address, experience)
    const others = this.#othersInUse(address)
    const fastestMs = Math.min(...others.map((other) => other.greetingMs))
    if (others.length > 0 && experience.greetingMs > Math.max(slowFromMs, fastestMs * slowFactor))
      return this.markDown(
        address,
        `${placeOf(address)}: slow: ${Math.round(experience.greetingMs)} ms to its greeting, ${Math.round(fastestMs)} ms at another address`,
        now,
        pauseMs,
      )
    if (this.isDown(address)) {
      experience.returnedAt = now
      experience.failedLogins = 0
    }
    this.#entries.delete(address.address)
  }

  /** The server has answered a login, whatever the answer. */
  loginAnswered({ address }: Address): void {
    const experience = this.#experience.get(address)
    if (experience) experience.failedLogins = 0
  }

  /** The address has greeted and then not answered a login: after some in a row it is tried last, if there is another one. */
  loginFailed(address: Address, detail: string, now: number, pauseMs: number): void {
    const experience = this.#experience.get(address.address)
    if (!experience) return
    experience.failedLogins++
    if (experience.failedLogins < failedLoginsMax || this.#othersInUse(address).length === 0) return
    const reason = `${placeOf(address)}: ${experience.failedLogins} logins in a row without an answer: ${detail}`
    this.markDown(address, reason, now, pauseMs)
  }

  /** Other addresses that have greeted and are not down. */
  #othersInUse({ address }: Address): Experience[] {
    return [...this.#experience].flatMap(([other, experience]) =>
      other === address || this.#entries.has(other) ? [] : experience,
    )
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
    const greetedAt = this.#experience.get(address.address)?.greetedAt ?? -Infinity
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
    if (this.#entries.size === 0 && this.#experience.size <= addresses.length) return
    const present = new Set(addresses.map(({ address }) => address))
    for (const known of [this.#entries, this.#experience])
      for (const address of known.keys()) if (!present.has(address)) known.delete(address)
  }
}

const placeOf = ({ host, address }: Address): string => (host === address ? host : `${host} (${address})`)
