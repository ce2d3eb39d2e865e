/**
 * Connections by identity, to find the one for a login. An idle one can be taken at once; one that is being reset can be
 * claimed, because the user's next click often comes before the last one's reset has ended.
 */
import type { ServerConnection } from '../server/server-connection.ts'
import { isSameSecret } from './key.ts'
import type { States } from './states.ts'

export interface Wanted {
  identity: string
  digest: string
  /** Extensions that must be enabled, no more and no less: a space-separated sorted list. */
  enabled: string
}

export class Warm {
  readonly #states: States
  /** Every connection, in whatever state: a list that changes only when one is opened or closed is the cheapest. */
  readonly #of = new Map<string, ServerConnection[]>()
  readonly #claims = new Map<ServerConnection, (clean: boolean) => void>()

  constructor(states: States) {
    this.#states = states
  }

  add(upstream: ServerConnection): void {
    const list = this.#of.get(upstream.identity)
    if (list) list.push(upstream)
    else this.#of.set(upstream.identity, [upstream])
  }

  remove(upstream: ServerConnection): void {
    const list = this.#of.get(upstream.identity)
    const index = list?.indexOf(upstream) ?? -1
    if (!list || index < 0) return
    if (list.length === 1) this.#of.delete(upstream.identity)
    else list.splice(index, 1)
  }

  /** The idle one used last: it is the likeliest to be alive, and lets the others grow old. */
  findIdle(wanted: Wanted): ServerConnection | undefined {
    let last: ServerConnection | undefined
    for (const candidate of this.#of.get(wanted.identity) ?? none)
      if (
        this.#states.idle.has(candidate) &&
        fits(candidate, wanted) &&
        (last === undefined || candidate.lastUsedAt >= last.lastUsedAt)
      )
        last = candidate
    return last
  }

  /** Those of this user that are idle. */
  idleOf(identity: string): ServerConnection[] {
    return (this.#of.get(identity) ?? none).filter((upstream) => this.#states.idle.has(upstream))
  }

  /** Whether this user has a connection that this server has opened for the same secret, and would still. */
  knows({ identity, digest }: Wanted, generation: number, now: number): boolean {
    return (this.#of.get(identity) ?? none).some(
      (own) => own.generation === generation && own.expiresAt > now && isSameSecret(own.secretDigest, digest),
    )
  }

  /** Waits for a connection that is being reset; undefined: there is none, or it did not become clean. */
  async claim(wanted: Wanted): Promise<ServerConnection | undefined> {
    const upstream = this.#of
      .get(wanted.identity)
      ?.find(
        (candidate) =>
          this.#states.resetting.has(candidate) && !this.#claims.has(candidate) && fits(candidate, wanted),
      )
    if (!upstream) return undefined
    const clean = await new Promise<boolean>((resolve) => this.#claims.set(upstream, resolve))
    return clean ? upstream : undefined
  }

  isClaimed(upstream: ServerConnection): boolean {
    return this.#claims.has(upstream)
  }

  /** Whoever has claimed this connection, whose reset has ended, and is to be told whether it is clean. */
  takeClaim(upstream: ServerConnection): ((clean: boolean) => void) | undefined {
    if (this.#claims.size === 0) return undefined
    const claim = this.#claims.get(upstream)
    this.#claims.delete(upstream)
    return claim
  }
}

const none: readonly ServerConnection[] = []

/** Whether it may serve this login, if it is the same user's. */
export function fits(upstream: ServerConnection, wanted: Wanted): boolean {
  return upstream.enabledKey === wanted.enabled && isSameSecret(upstream.secretDigest, wanted.digest)
}
