/**
 * How many connections an upstream may have, in all and for one user, and who waits for one. A place is taken before a
 * connection is dialed and left when it is closed; waiting is bounded in number and time and ends in the order it began.
 */
import type { UpstreamConfig } from '@imapfleet/config'

export type Place =
  | 'taken'
  /** A connection of the same user has become idle. */
  | 'look-again'
  | 'too-many-of-user'
  | 'queue-full'
  | 'timed-out'
  /** Whoever waited has gone. */
  | 'left'

interface Waiter {
  identity: string
  isWanted: () => boolean
  /** Whether there is a place for it now. */
  fits: () => boolean
  settle: (place: Place) => void
}

type Limits = Pick<UpstreamConfig, 'connectionsMax' | 'connectionsPerUserMax' | 'queueMax' | 'queueTimeoutMs'>

export class Room {
  /** Connections of each upstream, being dialed ones included. */
  readonly #used = new Map<string, number>()
  readonly #usedBy = new Map<string, number>()
  readonly #waiting = new Map<string, Waiter[]>()

  get waitingTotal(): number {
    let total = 0
    for (const waiters of this.#waiting.values()) total += waiters.length
    return total
  }

  /** Whether somebody waits for a place at this upstream. */
  isWaitedFor(upstream: string): boolean {
    return (this.#waiting.get(upstream)?.length ?? 0) > 0
  }

  /**
   * Takes a place, or waits for one.
   * @param asker `free` closes an idle connection of this upstream, or of this user, and thereby leaves its place;
   *   `isWanted` is false when whoever waited has gone
   */
  take(
    upstream: string,
    identity: string,
    limits: Limits,
    asker: { free: (of: 'upstream' | 'user') => void; isWanted: () => boolean },
  ): Place | Promise<Place> {
    const isFull = () => (this.#used.get(upstream) ?? 0) >= limits.connectionsMax
    const isUserFull = () => this.#isUserFull(identity, limits)
    if (isUserFull()) asker.free('user')
    if (isFull()) asker.free('upstream')
    if (!isFull() && !isUserFull()) {
      this.#enter(upstream, identity)
      return 'taken'
    }
    const waiters = this.#waiting.get(upstream) ?? []
    if (waiters.length >= limits.queueMax) return isUserFull() ? 'too-many-of-user' : 'queue-full'
    this.#waiting.set(upstream, waiters)
    return new Promise((resolve) => {
      const waiter: Waiter = {
        identity,
        fits: () => !isFull() && !isUserFull(),
        isWanted: asker.isWanted,
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

  /** A connection is closed, or was never made: the longest waiting one that may have its place takes it. */
  leave(upstream: string, identity: string): void {
    decrease(this.#used, upstream)
    decrease(this.#usedBy, identity)
    for (const waiter of [...(this.#waiting.get(upstream) ?? [])]) {
      if (!waiter.isWanted()) waiter.settle('left')
      else if (waiter.fits()) {
        this.#enter(upstream, waiter.identity)
        return waiter.settle('taken')
      }
    }
  }

  /** A connection of this user has become idle: whoever of them waits longest looks again. False: nobody does. */
  wake(upstream: string, identity: string): boolean {
    const waiter = this.#waiting
      .get(upstream)
      ?.find((candidate) => candidate.identity === identity && candidate.isWanted())
    waiter?.settle('look-again')
    return waiter !== undefined
  }

  #isUserFull(identity: string, { connectionsPerUserMax }: Limits): boolean {
    return connectionsPerUserMax > 0 && (this.#usedBy.get(identity) ?? 0) >= connectionsPerUserMax
  }

  #enter(upstream: string, identity: string): void {
    this.#used.set(upstream, (this.#used.get(upstream) ?? 0) + 1)
    this.#usedBy.set(identity, (this.#usedBy.get(identity) ?? 0) + 1)
  }
}

function decrease(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1
  if (left === 0) counts.delete(key)
  else counts.set(key, left)
}
