/**
 * How many connections an upstream may have, in all and for one user, and who waits for one. A place is taken before a
 * connection is dialed and left when it is closed; waiting is bounded in number and time and ends in the order it began.
 *
 * Where only idle connections stand in the way, one of them gives way to a newcomer, but never to a wrong password: while
 * the server judges logins, there may be a few connections more than the limits allow to those that are logged in.
 */
import type { UpstreamConfig } from '@imapfleet/config'
import { Tally } from '../net/tally.ts'
import type { ServerConnection } from '../server/server-connection.ts'

export type Place =
  /** Until the login is judged: then `admit`, or `giveUp`. */
  | 'taken'
  /** A connection that fits has become idle. */
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
  /** Whether it could be served by this one, which is idle. */
  fits(idle: ServerConnection): boolean
  /** How many connections of this user, or of this upstream, are idle. */
  idle(of: Limited): number
  /** Closes the one of them that has been idle for longest, and thereby leaves its place. */
  free(of: Limited): void
}

interface Waiter {
  claim: Claim
  settle: (place: Place) => void
}

const limited = ['user', 'upstream'] as const

export class Room {
  /** Logged-in connections of each upstream and user: never more than the limits. */
  readonly #used = new Tally()
  readonly #usedBy = new Tally()
  /** Logins under way. */
  readonly #judged = new Tally()
  readonly #judgedBy = new Tally()
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
    if (this.#enter(claim)) return 'taken'
    const isUserFull = () => this.#excess('user', claim) >= 0
    const waiters = this.#waiting.get(upstream) ?? []
    if (waiters.length >= limits.queueMax) return isUserFull() ? 'too-many-of-user' : 'queue-full'
    this.#waiting.set(upstream, waiters)
    return new Promise((resolve) => {
      const waiter: Waiter = {
        claim,
        settle: (place) => {
          clearTimeout(timer)
          const index = waiters.indexOf(waiter)
          if (index >= 0) waiters.splice(index, 1)
          resolve(place)
        },
      }
      const timer = setTimeout(
        () => waiter.settle(isUserFull() ? 'too-many-of-user' : 'timed-out'),
        limits.queueTimeoutMs,
      )
      waiters.push(waiter)
    })
  }

  /** The login has succeeded. False: its place is left, for what was idle has come into use meanwhile. */
  admit(claim: Claim): boolean {
    const { upstream, identity } = claim
    const over = limited.filter((of) => this.#logged(of, claim) >= this.#max(of, claim))
    const hasRoom = over.every((of) => claim.idle(of) > 0)
    if (hasRoom) {
      this.#used.add(upstream)
      this.#usedBy.add(identity)
    }
    this.#judged.remove(upstream)
    this.#judgedBy.remove(identity)
    if (hasRoom) this.#makeRoom(claim, (of) => this.#logged(of, claim) > this.#max(of, claim))
    else this.serve(upstream)
    return hasRoom
  }

  /** The login was refused, or could not be judged: there is no connection. */
  giveUp({ upstream, identity }: Claim): void {
    this.#judged.remove(upstream)
    this.#judgedBy.remove(identity)
    this.serve(upstream)
  }

  /** A logged-in connection is closed. */
  leave(upstream: string, identity: string): void {
    this.#used.remove(upstream)
    this.#usedBy.remove(identity)
    this.serve(upstream)
  }

  /** A connection has become idle: it is for whoever waits longest of those whom it fits, or gives way to another. */
  rested(idle: ServerConnection): void {
    const waiters = this.#waiting.get(idle.name)
    if (!waiters?.length) return
    const waiter = waiters.find(({ claim }) => claim.isWanted() && claim.fits(idle))
    if (waiter) waiter.settle('look-again')
    else this.serve(idle.name)
  }

  /** Gives whoever waits, the longest waiting first, the places that there are for them now. */
  serve(upstream: string): void {
    const waiters = this.#waiting.get(upstream)
    // Whoever gives way to a waiter leaves a place that is taken already.
    if (!waiters?.length || this.#isServing) return
    this.#isServing = true
    try {
      for (const waiter of [...waiters])
        if (!waiter.claim.isWanted()) waiter.settle('left')
        else if (this.#enter(waiter.claim)) waiter.settle('taken')
    } finally {
      this.#isServing = false
    }
  }

  #enter(claim: Claim): boolean {
    const { connectionsSpareMax } = claim.limits
    const full = limited.filter((of) => this.#excess(of, claim) >= 0)
    // One idle connection to give way for each login beyond the limit.
    if (!full.every((of) => claim.idle(of) > this.#excess(of, claim))) return false
    const givesWayNow = full.length > 0 && (connectionsSpareMax === 0 || claim.isProven())
    if (!givesWayNow && full.some((of) => this.#excess(of, claim) >= connectionsSpareMax)) return false
    // Before anybody gives way, so that the place is not left to the next one who waits.
    this.#judged.add(claim.upstream)
    this.#judgedBy.add(claim.identity)
    if (givesWayNow) this.#makeRoom(claim, (of) => this.#excess(of, claim) > 0)
    return true
  }

  #makeRoom(claim: Claim, isNeeded: (of: Limited) => boolean): void {
    for (const of of limited) if (isNeeded(of)) claim.free(of)
  }

  /** By how many connections and logins under way a limit is exceeded; 0: it is reached. */
  #excess(of: Limited, claim: Claim): number {
    const underWay = of === 'user' ? this.#judgedBy.of(claim.identity) : this.#judged.of(claim.upstream)
    return this.#logged(of, claim) + underWay - this.#max(of, claim)
  }

  #logged(of: Limited, { upstream, identity }: Claim): number {
    return of === 'user' ? this.#usedBy.of(identity) : this.#used.of(upstream)
  }

  #max(of: Limited, { limits }: Claim): number {
    if (of === 'upstream') return limits.connectionsMax
    return limits.connectionsPerUserMax === 0 ? Infinity : limits.connectionsPerUserMax
  }
}
