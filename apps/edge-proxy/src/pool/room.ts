/**
 * How many connections an upstream may have, in all and for one user, and who waits for one. A place is taken before a
 * connection is dialed and left when it is closed; waiting is bounded in number and time and ends in the order it began.
 */
import type { UpstreamConfig } from '@imapfleet/config'

export type Place = 'taken' | 'too-many-of-user' | 'queue-full' | 'timed-out' | 'left'

interface Waiter {
  identity: string
  isWanted: () => boolean
  isUserFull: () => boolean
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
    if (this.#isUserFull(identity, limits)) asker.free('user')
    if (this.#isUserFull(identity, limits)) return 'too-many-of-user'
    const isFull = () => (this.#used.get(upstream) ?? 0) >= limits.connectionsMax
    if (isFull()) asker.free('upstream')
    if (!isFull()) {
      this.#enter(upstream, identity)
      return 'taken'
    }
    const waiters = this.#waiting.get(upstream) ?? []
    if (waiters.length >= limits.queueMax) return 'queue-full'
    this.#waiting.set(upstream, waiters)
    return new Promise((resolve) => {
      const waiter: Waiter = {
        identity,
        isUserFull: () => this.#isUserFull(identity, limits),
        isWanted: asker.isWanted,
        settle: (place) => {
          clearTimeout(timer)
          const index = waiters.indexOf(waiter)
          if (index >= 0) waiters.splice(index, 1)
          resolve(place)
        },
      }
      const timer = setTimeout(() => waiter.settle('timed-out'), limits.queueTimeoutMs)
      waiters.push(waiter)
    })
  }

  /** A connection is closed, or was never made: the longest waiting one takes its place. */
  leave(upstream: string, identity: string): void {
    decrease(this.#used, upstream)
    decrease(this.#usedBy, identity)
    const waiters = this.#waiting.get(upstream)
    for (let next = waiters?.[0]; next; next = waiters?.[0]) {
      if (!next.isWanted()) {
        next.settle('left')
        continue
      }
      if (next.isUserFull()) {
        next.settle('too-many-of-user')
        continue
      }
      this.#enter(upstream, next.identity)
      return next.settle('taken')
    }
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
