/**
 * How many connections an upstream may have, in all and for one user, and who waits for one. A place is taken before a
 * connection is dialed and left when it is closed; waiting is bounded in number and time and ends in the order it began.
 *
 * Where only idle connections stand in the way, one of them gives way to a newcomer, but never to a wrong password: until
 * the server has judged a login, its connection stands in a spare place beyond the limits.
 */
import type { UpstreamConfig } from '@imapfleet/config'
import { Tally } from './tally.ts'

/** Once the server has judged the login: `admit`, or `giveUp`. */
export type Granted =
  | 'taken'
  /** Beyond the limits until then. */
  | 'spare'

export type Place =
  | Granted
  /** A connection of the same user has become idle. */
  | 'look-again'
  | 'too-many-of-user'
  | 'queue-full'
  | 'timed-out'
  /** Whoever waited has gone. */
  | 'left'

/** Whose limit is meant. */
export type Limited = 'user' | 'upstream'

/** A login that wants a connection. */
export interface Claim {
  readonly upstream: string
  readonly identity: string
  readonly limits: Pick<
    UpstreamConfig,
    'connectionsMax' | 'connectionsPerUserMax' | 'connectionsSpareMax' | 'queueMax' | 'queueTimeoutMs'
  >
  /** False when whoever waited has gone. */
  isWanted(): boolean
  /** Whether its secret was found right before, so that the server need not judge it first. */
  isProven(): boolean
  /** Whether more than `beyond` connections of this user, or of this upstream, are idle. */
  hasIdle(of: Limited, beyond: number): boolean
  /** Closes the one of them that has been idle for longest, and thereby leaves its place. */
  free(of: Limited): void
}

interface Waiter {
  claim: Claim
  settle: (place: Place) => void
}

const limited = ['user', 'upstream'] as const

export class Room {
  /** Connections of each upstream and user, being dialed ones included. */
  readonly #used = new Tally()
  readonly #usedBy = new Tally()
  /** Those beyond the limits, not counted above. */
  readonly #spare = new Tally()
  readonly #spareBy = new Tally()
  readonly #waiting = new Map<string, Waiter[]>()
  #isServing = false

  get waitingTotal(): number {
    let total = 0
    for (const waiters of this.#waiting.values()) total += waiters.length
    return total
  }

  /** Takes a place, or waits for one. */
  take(claim: Claim): Place | Promise<Place> {
    const { upstream, limits } = claim
    const place = this.#enter(claim)
    if (place) return place
    const isUserFull = () => this.#excess('user', claim) >= 0
    const waiters = this.#waiting.get(upstream) ?? []
    if (waiters.length >= limits.queueMax) return isUserFull() ? 'too-many-of-user' : 'queue-full'
    this.#waiting.set(upstream, waiters)
    return new Promise((resolve) => {
      const waiter: Waiter = {
        claim,
        settle: (given) => {
          clearTimeout(timer)
          const index = waiters.indexOf(waiter)
          if (index >= 0) waiters.splice(index, 1)
          resolve(given)
        },
      }
      const timer = setTimeout(
        () => waiter.settle(isUserFull() ? 'too-many-of-user' : 'timed-out'),
        limits.queueTimeoutMs,
      )
      waiters.push(waiter)
    })
  }

  /** The login has succeeded. False: its spare place is left, for what was idle has come into use meanwhile. */
  admit(claim: Claim, place: Granted): boolean {
    if (place === 'taken') return true
    const hasRoom = limited.every((of) => this.#excess(of, claim) < 0 || claim.hasIdle(of, 0))
    if (hasRoom) this.#occupy(claim)
    this.giveUp(claim, 'spare')
    return hasRoom
  }

  /** The login was refused, or could not be judged: there is no connection. */
  giveUp({ upstream, identity }: Claim, place: Granted): void {
    if (place === 'taken') return this.leave(upstream, identity)
    this.#spare.remove(upstream)
    this.#spareBy.remove(identity)
    this.serve(upstream)
  }

  /** A connection is closed. */
  leave(upstream: string, identity: string): void {
    this.#used.remove(upstream)
    this.#usedBy.remove(identity)
    this.serve(upstream)
  }

  /** A connection of this user has become idle: whoever of them waits longest looks again. False: nobody does. */
  wake(upstream: string, identity: string): boolean {
    const waiter = this.#waiting
      .get(upstream)
      ?.find(({ claim }) => claim.identity === identity && claim.isWanted())
    waiter?.settle('look-again')
    return waiter !== undefined
  }

  /** Gives whoever waits, the longest waiting first, the places that there are for them now. */
  serve(upstream: string): void {
    const waiters = this.#waiting.get(upstream)
    // Whoever gives way to a waiter leaves a place that is taken already.
    if (!waiters?.length || this.#isServing) return
    this.#isServing = true
    try {
      for (const waiter of [...waiters]) {
        const place = waiter.claim.isWanted() ? this.#enter(waiter.claim) : 'left'
        if (place) waiter.settle(place)
      }
    } finally {
      this.#isServing = false
    }
  }

  #enter(claim: Claim): Granted | undefined {
    const { upstream, identity, limits } = claim
    const full = limited.filter((of) => this.#excess(of, claim) >= 0)
    // One idle connection for each of those that are being judged.
    if (!full.every((of) => claim.hasIdle(of, this.#spareOf(of, claim)))) return undefined
    if (full.length === 0 || limits.connectionsSpareMax === 0 || claim.isProven()) {
      this.#occupy(claim)
      return 'taken'
    }
    if (this.#spare.of(upstream) >= limits.connectionsSpareMax) return undefined
    this.#spare.add(upstream)
    this.#spareBy.add(identity)
    return 'spare'
  }

  /** Enters before anybody gives way, so that the place is not left to the next one who waits. */
  #occupy(claim: Claim): void {
    this.#used.add(claim.upstream)
    this.#usedBy.add(claim.identity)
    for (const of of limited) if (this.#excess(of, claim) > 0) claim.free(of)
  }

  /** By how many connections a limit is exceeded; 0: it is reached. */
  #excess(of: Limited, { upstream, identity, limits }: Claim): number {
    if (of === 'upstream') return this.#used.of(upstream) - limits.connectionsMax
    const max = limits.connectionsPerUserMax === 0 ? Infinity : limits.connectionsPerUserMax
    return this.#usedBy.of(identity) - max
  }

  #spareOf(of: Limited, { upstream, identity }: Claim): number {
    return of === 'user' ? this.#spareBy.of(identity) : this.#spare.of(upstream)
  }
}
