/**
 * Limits on connections that were learned from refusals of servers: per user, or for the whole server. A learned limit only
 * decides when idle connections are evicted. It never refuses a login. It expires, because the configuration of the server may
 * change, and because other clients of the server count towards its limit.
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
  /** The lowest limit of each server and scope, for operators. */
  readonly #latest = new Map<string, LearnedLimit>()

  /** Whether no limit is known, which is the usual case. */
  get isEmpty(): boolean {
    return this.#limits.size === 0
  }

  /**
   * The server refused one more connection than this number. Some of the connections may be dials that it also refuses, so a
   * lower number that is already known stays.
   * @param user undefined: a limit for the whole server
   * @returns whether the limit is the lowest of this server and scope
   */
  learn(server: string, user: string | undefined, connections: number, now: number): boolean {
    const scope = user === undefined ? 'server' : 'user'
    const limit = { scope, server, connections, expiresAt: now + expireAfterMs } as const
    lower(this.#limits, keyOf(server, user), limit, now)
    if (this.#limits.size > usersMax) this.#limits.delete(this.#limits.keys().next().value!)
    return lower(this.#latest, shownKeyOf(server, user), limit, now)
  }

  /** How many connections the server allows. Undefined: no limit is known. */
  of(server: string, user: string | undefined, now: number): number | undefined {
    const limit = this.#limits.get(keyOf(server, user))
    return limit && limit.expiresAt > now ? limit.connections : undefined
  }

  /** The server has accepted this many connections: removes lower limits. */
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

/** Moves the entry to the end, with the lower of both limits. Returns whether the new limit is lower, or the first. */
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
