/**
 * Which addresses of one server do not answer, fail logins, or are far slower than the others. Logins try them last, unless
 * all are so. Health checks try them in the background, after pauses that double, and move them back when they answer. Then
 * they get logins gradually. An address that greets and fails logins, or accepts them slowly, stays away for a time that
 * grows with each repetition: its greeting proves nothing.
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
  /** Undefined: a dial was abandoned before the address had answered. */
  outage: AddressOutage | undefined
  checkAt: number
  /** Until the check after the next one. */
  pauseMs: number
  /** A greeting does not end the outage before. */
  heldUntil: number
}

/** What an address that has greeted is known for. Times are from runtime.now(). */
interface Experience {
  greetedAt: number
  /** From the dial to the greeting, in milliseconds; recent dials count more. */
  greetingMs: number
  logins: Logins
  /** When it came back after an outage; -Infinity: it had none. */
  returnedAt: number
  /** How often it was taken out of use for its logins, one soon after the other. */
  ejections: number
}

/** Of an address since it has been in use. Recent ones count more. */
interface Logins {
  count: number
  /** In a row, without an answer or with one that says that the server cannot judge them. */
  failed: number
  failedShare: number
  accepted: number
  /** From sending a login to its acceptance, in milliseconds. */
  acceptedMs: number
}

const noLogins = (): Logins => ({ count: 0, failed: 0, failedShare: 0, accepted: 0, acceptedMs: 0 })

const pauseMaxMs = 60_000
/** Failed logins in a row after which an address counts as down. */
const failedLoginsMax = 5
/** The same for their share, once there are enough of them to tell. */
const failedShareMax = 0.3
const tellingLogins = 20
/** An address is slow if it takes this many times as long as another one, and at least `slowFromMs`. */
const slowFactor = 5
const slowFromMs = 1_000
/** The weight of the newest value in an average. There are more logins than greetings. */
const greetingWeight = 0.3
const loginWeight = 0.1
/** An address that has come back is first in a growing share of the dials for this long. */
const slowStartMs = 30_000
/** One that is in use for this long without failing logins has a clean record. */
const recordMs = 600_000
/** How long an address is kept out of use for its logins, at most. */
const heldMaxMs = 300_000

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
   * Whether it is tried last: it is down, or suspected.
   * @param tried addresses that are tried as if they were not down
   */
  isLast({ address }: Address, tried: readonly Address[] = []): boolean {
    return this.#entries.has(address) && !tried.some((trial) => trial.address === address)
  }

  /** Those that are tried once more come first, so that they are; those that are down or suspected come last. */
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
   * The server has answered a login, and could judge it.
   * @param acceptedMs how long it took to accept it; undefined: it has refused it
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
   * The address has greeted and then not answered a login, or said that it cannot judge it now. After some in a row, or if
   * their share is high, it is tried last, if there is another one that does better.
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

  /** Takes the address out of use for its logins, for longer each time that this happens soon after the last time. */
  #eject(address: Address, reason: string, now: number, pauseMs: number): void {
    // Logins that were under way fail too.
    if (this.isDown(address) || !this.#mayEject(address)) return
    const experience = this.#experience.get(address.address)!
    const isRepeated = now - experience.returnedAt < recordMs
    experience.ejections = isRepeated ? experience.ejections + 1 : 1
    const heldMs = jittered(Math.min(pauseMs * experience.ejections, heldMaxMs))
    this.markDown(address, reason, now, heldMs)
    this.#entries.get(address.address)!.heldUntil = now + heldMs
  }

  /** At least half of the addresses stay in use, and one of those is another one: if more fail, the fault is not theirs. */
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

  /** The address could not be used. It is checked after `pauseMs`, and then after twice the pause each time. */
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
        heldUntil: 0,
      })
  }

  /** The addresses to check now. The time of the next check of each begins to run. */
  takeDue(now: number): Address[] {
    const due = [...this.#entries.values()].filter(({ checkAt }) => checkAt <= now)
    for (const entry of due) {
      entry.checkAt = now + jittered(entry.pauseMs)
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

const averaged = (average: number, last: number, weight: number): number =>
  average * (1 - weight) + last * weight

const isSlow = (ms: number, fastestMs: number): boolean => ms > Math.max(slowFromMs, fastestMs * slowFactor)

const slowReason = (address: Address, ms: number, fastestMs: number, what: string): string =>
  `${placeOf(address)}: slow: ${Math.round(ms)} ms ${what}, ${Math.round(fastestMs)} ms at another address`

const placeOf = ({ host, address }: Address): string => (host === address ? host : `${host} (${address})`)
