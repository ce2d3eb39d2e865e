/**
 * The limits on connections that servers have shown by their refusals: of one user, or of one server as a whole. A learned
 * limit only decides when idle connections are evicted; it refuses no login. It expires, because the server may have been
 * configured anew, and because other clients of the server take part in its limit.
 */
import { userKeyOf } from './key.ts'

export type LimitScope = 'user' | 'server'

interface LearnedLimit {
  readonly scope: LimitScope
  readonly server: string
  readonly connections: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

const expireAfterMs = 300_000
const usersMax = 10_000

export class LearnedLimits {
  /** By server, or by server and user, oldest first. */
  readonly #limits = new Map<string, LearnedLimit>()
  /** The lowest one of each server and scope, for operators. */
  readonly #latest = new Map<string, LearnedLimit>()

  /** Whether there are none, which is usual. */
  get isEmpty(): boolean {
    return this.#limits.size === 0
  }

  /**
   * The server refused one more connection than these. Some of them may be logins that it refuses too, so a lower number
   * that it has shown stays.
   * @param user undefined: the limit is that of the server
   * @returns whether it is lower than any learned of the server, or the first
   */
  learn(server: string, user: string | undefined, connections: number, now: number): boolean {
    const scope = user === undefined ? 'server' : 'user'
    const limit = { scope, server, connections, expiresAt: now + expireAfterMs } as const
    lower(this.#limits, keyOf(server, user), limit, now)
    if (this.#limits.size > usersMax) this.#limits.delete(this.#limits.keys().next().value!)
    return lower(this.#latest, shownKeyOf(server, user), limit, now)
  }

  /** How many connections the server allows; undefined: it has not refused one lately. */
  of(server: string, user: string | undefined, now: number): number | undefined {
    const limit = this.#limits.get(keyOf(server, user))
    return limit && limit.expiresAt > now ? limit.connections : undefined
  }

  /** The server has accepted so many: a lower limit is wrong. */
  accepted(server: string, user: string | undefined, connections: number): void {
    forgetLower(this.#limits, keyOf(server, user), connections)
    forgetLower(this.#latest, shownKeyOf(server, user), connections)
  }

  forgetExpired(now: number): void {
    for (const limits of [this.#limits, this.#latest])
      for (const [key, { expiresAt }] of limits) if (expiresAt <= now) limits.delete(key)
  }

  /** The lowest limit learned of each server and scope. */
  latest(): Iterable<LearnedLimit> {
    return this.#latest.values()
  }
}

const keyOf = (server: string, user: string | undefined): string =>
  user === undefined ? server : `${server}\0${userKeyOf(user)}`

const shownKeyOf = (server: string, user: string | undefined): string =>
  `${user === undefined ? 'server' : 'user'} ${server}`

/** Puts the limit, or the lower one that is still known, at the end. Returns whether it is lower or the first. */
function lower(limits: Map<string, LearnedLimit>, key: string, limit: LearnedLimit, now: number): boolean {
  const known = limits.get(key)
  const isLower = known === undefined || known.expiresAt <= now || limit.connections < known.connections
  limits.delete(key)
  limits.set(key, isLower ? limit : { ...limit, connections: known.connections })
  return isLower
}

function forgetLower(limits: Map<string, LearnedLimit>, key: string, connections: number): void {
  const known = limits.get(key)
  if (known && known.connections < connections) limits.delete(key)
}
