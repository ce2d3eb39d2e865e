/**
 * Connections that wait for their user, found by identity and secret. Idle ones can be taken at once; one that is being
 * reset can be claimed, because the user's next click often comes before the last one's reset has ended.
 */
import type { Upstream } from '../upstream/upstream.ts'
import { isSameSecret } from './key.ts'

export interface Wanted {
  identity: string
  digest: Buffer
  /** Extensions that must be enabled, no more and no less: a space-separated sorted list. */
  enabled: string
}

export class Warm {
  readonly #idle = new Map<string, Upstream[]>()
  readonly #resetting = new Map<string, Upstream[]>()
  readonly #claims = new Map<Upstream, (clean: boolean) => void>()

  addIdle(upstream: Upstream): void {
    add(this.#idle, upstream)
  }

  removeIdle(upstream: Upstream): void {
    remove(this.#idle, upstream)
  }

  /** The one used last: it is the likeliest to be alive, and lets the others grow old. */
  findIdle(wanted: Wanted): Upstream | undefined {
    const list = this.#idle.get(wanted.identity)
    if (!list) return undefined
    for (let index = list.length - 1; index >= 0; index--) if (fits(list[index]!, wanted)) return list[index]
    return undefined
  }

  resetBegins(upstream: Upstream): void {
    add(this.#resetting, upstream)
  }

  /** The reset has ended; true: somebody had claimed the connection, and is told whether it is clean. */
  resetEnds(upstream: Upstream): ((clean: boolean) => void) | undefined {
    remove(this.#resetting, upstream)
    const claim = this.#claims.get(upstream)
    this.#claims.delete(upstream)
    return claim
  }

  /** Waits for a connection that is being reset; undefined: there is none, or it did not become clean. */
  async claim(wanted: Wanted): Promise<Upstream | undefined> {
    const upstream = this.#resetting
      .get(wanted.identity)
      ?.find((candidate) => !this.#claims.has(candidate) && fits(candidate, wanted))
    if (!upstream) return undefined
    const clean = await new Promise<boolean>((resolve) => this.#claims.set(upstream, resolve))
    return clean ? upstream : undefined
  }
}

function fits(upstream: Upstream, wanted: Wanted): boolean {
  return upstream.enabledKey === wanted.enabled && isSameSecret(upstream.secretDigest, wanted.digest)
}

function add(lists: Map<string, Upstream[]>, upstream: Upstream): void {
  const list = lists.get(upstream.identity)
  if (list) list.push(upstream)
  else lists.set(upstream.identity, [upstream])
}

function remove(lists: Map<string, Upstream[]>, upstream: Upstream): void {
  const list = lists.get(upstream.identity)
  const index = list?.indexOf(upstream) ?? -1
  if (!list || index < 0) return
  if (list.length === 1) lists.delete(upstream.identity)
  else list.splice(index, 1)
}
