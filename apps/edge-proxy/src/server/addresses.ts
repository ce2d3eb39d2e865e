/**
 * Tracks which addresses of one server do not answer, fail logins, or are far slower than the others. Logins try such addresses
 * last. Health checks try them in the background, after pauses that double. When an address answers again, it gets logins
 * gradually. An address that greets but fails logins, or accepts them slowly, stays out of use for a time that grows with
 * each repetition, because its greeting does not show that logins work.
 */
import { jittered, runtime } from '../runtime.ts'
import type { Address } from './resolver.ts'

export interface AddressOutage extends Address {
  /** Milliseconds since 1970. */
  since: number
  /** For operators. */
  reason: string
}

interface Entry {
  readonly address: Address
  /** Undefined: the address is only suspected, because a dial was abandoned before it had answered. */
  outage: AddressOutage | undefined
  checkAt: number
  /** The pause after the next check. */
  pauseMs: number
  /** Until then, a greeting does not end the outage. */
  heldUntil: number
}

/** Statistics of an address that has greeted. Times are from runtime.now(). */
interface Experience {
  greetedAt: number
  /** Weighted average of the time from the dial to the greeting, in milliseconds. */
  greetingMs: number
  logins: Logins
  /** When it came back into use after an outage; -Infinity: it had none. */
  returnedAt: number
  /** How often it was taken out of use because of its logins within a short time. */
  ejections: number
}

/** Logins at an address since it came into use. Averages are weighted: recent logins count more. */
interface Logins {
  count: number
  /** Consecutive logins without an answer, or whose answer says that the server cannot check them now. */
  failed: number
  failedShare: number
  accepted: number
  /** From sending a login to its acceptance, in milliseconds. */
  acceptedMs: number
}

const noLogins = (): Logins => ({ count: 0, failed: 0, failedShare: 0, accepted: 0, acceptedMs: 0 })

const pauseMaxMs = 60_000
/** After this many consecutive failed logins, an address counts as down. */
const failedLoginsMax = 5
/** Above this share of failed logins, an address counts as down, if it has had at least `tellingLogins`. */
const failedShareMax = 0.3
const tellingLogins = 20
/** An address is slow if it takes this many times as long as another one, and at least `slowFromMs`. */
const slowFactor = 5
const slowFromMs = 1_000
/** The weight of the newest value in an average. There are more logins than greetings. */
const greetingWeight = 0.3
const loginWeight = 0.1
/** For this long after an outage, an address is preferred in only a growing share of the dials. */
const slowStartMs = 30_000
/** After this long in use, earlier ejections of an address are not counted. */
const recordMs = 600_000
/** How long an address is kept out of use for its logins, at most. */
const heldMaxMs = 300_000

export class Addresses {
  /** Down or suspected addresses, by address. */
  readonly #entries = new Map<string, Entry>()
  readonly #experience = new Map<string, Experience>()

  get down(): AddressOutage[] {
    return [...this.#entries.values()].flatMap(({ outage }) => outage ?? [])
  }

  isDown({ address }: Address): boolean {
    return this.#entries.get(address)?.outage !== undefined
  }

  /** Whether no address is down or suspected. */
  get areAllInUse(): boolean {
    return this.#entries.size === 0
  }

  /**
   * Whether the address is tried last, because it is down or suspected.
   * @param tried addresses that are tried although they are down
   */
  isLast({ address }: Address, tried: readonly Address[] = []): boolean {
    return this.#entries.has(address) && !tried.some((trial) => trial.address === address)
  }

  /** Addresses that are tried once more come first. Addresses that are down or suspected come last. */
  inOrder(addresses: readonly Address[], now: number, tried: readonly Address[] = []): Address[] {
    const isTrial = (address: Address) => this.#entries.has(address.address) && !this.isLast(address, tried)
    const usable = addresses.filter(({ address }) => !this.#entries.has(address))
    const waits = usable.map(({ address }) => this.#isWarmingUp(address, now))
    return [
      ...addresses.filter(isTrial),
      ...usable.filter((_, index) => !waits[index]),
      ...usable.filter((_, index) => waits[index]),
      ...addresses.filter((address) => this.isLast(address, tried)),
    ]
  }

  /** Random: the longer the address has been back in use, the less likely. */
  #isWarmingUp(address: string, now: number): boolean {
    const returnedMs = now - (this.#experience.get(address)?.returnedAt ?? -Infinity)
    return returnedMs < slowStartMs && runtime.jitter() > returnedMs / slowStartMs
  }

  /**
   * The address has greeted.
   * @param greetingMs time since the dial
   * @param pauseMs time until the first check if the address is too slow
   */
  greeted(address: Address, greetingMs: number, now: number, pauseMs: number): void {
    const before = this.#experience.get(address.address)
    const experience: Experience = {
      logins: noLogins(),
      returnedAt: -Infinity,
      ejections: 0,
      ...before,
      greetedAt: now,
      greetingMs: before ? averaged(before.greetingMs, greetingMs, greetingWeight) : greetingMs,
    }
    this.#experience.set(address.address, experience)
    const others = this.#othersInUse(address)
    const fastestMs = Math.min(...others.map((other) => other.greetingMs))
    if (this.#mayEject(address) && isSlow(experience.greetingMs, fastestMs))
      return this.markDown(
        address,
        slowReason(address, experience.greetingMs, fastestMs, 'to its greeting'),
        now,
        pauseMs,
      )
    if ((this.#entries.get(address.address)?.heldUntil ?? 0) > now) return
    if (this.isDown(address)) {
      experience.returnedAt = now
      experience.logins = noLogins()
    }
    this.#entries.delete(address.address)
  }

  /**
   * The server has accepted or refused a login.
   * @param acceptedMs how long it took to accept the login; undefined: it refused the login
   */
  loginAnswered(address: Address, acceptedMs: number | undefined, now: number, pauseMs: number): void {
    const logins = this.#noteLogin(address, false)
    if (!logins || acceptedMs === undefined) return
    logins.acceptedMs =
      logins.accepted++ === 0 ? acceptedMs : averaged(logins.acceptedMs, acceptedMs, loginWeight)
    const known = this.#othersInUse(address).filter((other) => other.logins.accepted >= tellingLogins)
    const fastestMs = Math.min(...known.map((other) => other.logins.acceptedMs))
    if (logins.accepted >= tellingLogins && known.length > 0 && isSlow(logins.acceptedMs, fastestMs))
      this.#eject(
        address,
        slowReason(address, logins.acceptedMs, fastestMs, 'to accept a login'),
        now,
        pauseMs,
      )
  }

  /**
   * The address has greeted, but did not answer a login or said that it cannot check it now. After several consecutive failures,
   * or if their share is high, the address counts as down, if another address fails far fewer logins.
   */
  loginFailed(address: Address, detail: string, now: number, pauseMs: number): void {
    const logins = this.#noteLogin(address, true)
    if (!logins) return
    const { failed, failedShare, count } = logins
    const doBetter = this.#othersInUse(address).some(
      (other) => other.logins.failed === 0 && other.logins.failedShare < failedShare / 2,
    )
    if (!doBetter) return
    if (failed >= failedLoginsMax)
      this.#eject(address, `${placeOf(address)}: ${failed} failed logins in a row: ${detail}`, now, pauseMs)
    else if (failedShare > failedShareMax && count >= tellingLogins)
      this.#eject(
        address,
        `${placeOf(address)}: ${Math.round(failedShare * 100)} % of the logins fail: ${detail}`,
        now,
        pauseMs,
      )
  }

  #noteLogin({ address }: Address, isFailed: boolean): Logins | undefined {
    const logins = this.#experience.get(address)?.logins
    if (!logins) return undefined
    logins.count++
    logins.failed = isFailed ? logins.failed + 1 : 0
    logins.failedShare = averaged(logins.failedShare, isFailed ? 1 : 0, loginWeight)
    return logins
  }

  /** Takes the address out of use because of its logins. The time grows if this happens repeatedly. */
  #eject(address: Address, reason: string, now: number, pauseMs: number): void {
    // Other logins in progress may fail after the address is down already.
    if (this.isDown(address) || !this.#mayEject(address)) return
    const experience = this.#experience.get(address.address)!
    const isRepeated = now - experience.returnedAt < recordMs
    experience.ejections = isRepeated ? experience.ejections + 1 : 1
    const heldMs = jittered(Math.min(pauseMs * experience.ejections, heldMaxMs))
    this.markDown(address, reason, now, heldMs)
    this.#entries.get(address.address)!.heldUntil = now + heldMs
  }

  /** At least half of the addresses, and at least one other, stay in use. If more fail, the addresses are not the cause. */
  #mayEject(address: Address): boolean {
    if (this.isDown(address)) return true
    const known = new Set([...this.#experience.keys(), ...this.#entries.keys()])
    const others = this.#othersInUse(address).length
    return others > 0 && others * 2 >= known.size
  }

  /** Other addresses that have greeted and are not down. */
  #othersInUse({ address }: Address): Experience[] {
    return [...this.#experience].flatMap(([other, experience]) =>
      other === address || this.#entries.has(other) ? [] : experience,
    )
  }

  /** The address could not be used. It is checked after `pauseMs`, and then after pauses that double. */
  markDown(address: Address, reason: string, now: number, pauseMs: number): void {
    const present = this.#entries.get(address.address)
    const outage = { ...address, since: present?.outage?.since ?? runtime.wall(), reason }
    if (present?.outage) Object.assign(present, { outage })
    else
      this.#entries.set(address.address, {
        address,
        outage,
        checkAt: now + pauseMs,
        pauseMs: pauseMs * 2,
        heldUntil: 0,
      })
  }

  /**
   * A dial was abandoned before the address had answered. The next check finds out whether it answers.
   * @param trustedMs an address that has greeted within this time is not suspected
   * @param untilCheckMs time until the check
   */
  suspect(address: Address, now: number, trustedMs: number, untilCheckMs: number): void {
    const greetedAt = this.#experience.get(address.address)?.greetedAt ?? -Infinity
    if (now - greetedAt >= trustedMs && !this.#entries.has(address.address))
      this.#entries.set(address.address, {
        address,
        outage: undefined,
        checkAt: now + untilCheckMs,
        pauseMs: pauseMaxMs,
        heldUntil: 0,
      })
  }

  /** Returns the addresses to check now, and schedules their next checks. */
  takeDue(now: number): Address[] {
    const due = [...this.#entries.values()].filter(({ checkAt }) => checkAt <= now)
    for (const entry of due) {
      entry.checkAt = now + jittered(entry.pauseMs)
      entry.pauseMs = Math.max(entry.pauseMs, Math.min(entry.pauseMs * 2, pauseMaxMs))
    }
    return due.map(({ address }) => address)
  }

  /** Removes all other addresses: the names no longer resolve to them. */
  keepOnly(addresses: readonly Address[]): void {
    if (this.#entries.size === 0 && this.#experience.size <= addresses.length) return
    const present = new Set(addresses.map(({ address }) => address))
    for (const known of [this.#entries, this.#experience])
      for (const address of known.keys()) if (!present.has(address)) known.delete(address)
  }
}

const averaged = (average: number, last: number, weight: number): number =>
  average * (1 - weight) + last * weight

const isSlow = (ms: number, fastestMs: number): boolean => ms > Math.max(slowFromMs, fastestMs * slowFactor)

const slowReason = (address: Address, ms: number, fastestMs: number, what: string): string =>
  `${placeOf(address)}: slow: ${Math.round(ms)} ms ${what}, ${Math.round(fastestMs)} ms at another address`

const placeOf = ({ host, address }: Address): string => (host === address ? host : `${host} (${address})`)
