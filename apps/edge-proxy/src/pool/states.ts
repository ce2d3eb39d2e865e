/**
 * Where every upstream connection stands. A state is membership in a set; `move` is the only writer, and every gauge is
 * the size of a set.
 *
 *   dialing ──▶ leased ──▶ resetting ──▶ idle ──▶ leased …
 *      └──────────┴───────────┴──────────┴──▶ dropped (in no set, socket closed)
 */
import type { Upstream } from '../upstream/upstream.ts'

export type UpstreamState =
  /** In use by exactly one session. */
  | 'leased'
  /** Being made clean and proven, by nobody's session. */
  | 'resetting'
  /** Clean, waiting for its user. */
  | 'idle'

const legal: Record<UpstreamState | 'new', readonly UpstreamState[]> = {
  new: ['leased'],
  leased: ['resetting', 'idle'],
  resetting: ['idle', 'leased'],
  idle: ['leased', 'resetting'],
}

/** The connections of one user, or of one upstream. */
type Meant = { identity: string } | { name: string }

export class States {
  readonly leased = new Set<Upstream>()
  readonly resetting = new Set<Upstream>()
  /** Oldest first: a set keeps the order in which its members came. */
  readonly idle = new Set<Upstream>()
  /** Most at once since `forgetPeaks`. */
  readonly peaks: Record<UpstreamState, number> = { leased: 0, resetting: 0, idle: 0 }
  #dialing = 0

  /** Connections being opened; they have no Upstream yet. */
  get dialing(): number {
    return this.#dialing
  }

  stateOf(upstream: Upstream): UpstreamState | undefined {
    if (this.leased.has(upstream)) return 'leased'
    if (this.resetting.has(upstream)) return 'resetting'
    return this.idle.has(upstream) ? 'idle' : undefined
  }

  move(upstream: Upstream, to: UpstreamState): void {
    const from = this.stateOf(upstream)
    if (!legal[from ?? 'new'].includes(to))
      throw new Error(`upstream may not go from ${from ?? 'new'} to ${to}`)
    if (from) this[from].delete(upstream)
    this[to].add(upstream)
    if (this[to].size > this.peaks[to]) this.peaks[to] = this[to].size
  }

  forgetPeaks(): void {
    for (const state of ['leased', 'resetting', 'idle'] as const) this.peaks[state] = this[state].size
  }

  /** Whether more than `beyond` connections of this user, or of this upstream, are idle. */
  hasIdle(of: Meant, beyond: number): boolean {
    let count = 0
    for (const idle of this.idle) if (isMeant(idle, of) && ++count > beyond) return true
    return false
  }

  /** The one of this user, or of this upstream, that has been idle for longest. */
  oldestIdle(of: Meant): Upstream | undefined {
    let oldest: Upstream | undefined
    for (const idle of this.idle)
      if (isMeant(idle, of) && (oldest === undefined || idle.lastUsedAt < oldest.lastUsedAt)) oldest = idle
    return oldest
  }

  /** Takes a connection out of the world and closes it. False: it was gone already. */
  drop(upstream: Upstream): boolean {
    const from = this.stateOf(upstream)
    if (!from) return false
    this[from].delete(upstream)
    upstream.link.close()
    return true
  }

  dialBegins(): void {
    this.#dialing++
  }

  dialEnds(): void {
    this.#dialing--
  }

  *all(): IterableIterator<[Upstream, UpstreamState]> {
    for (const state of ['leased', 'resetting', 'idle'] as const)
      for (const upstream of this[state]) yield [upstream, state]
  }
}

function isMeant(upstream: Upstream, of: Meant): boolean {
  return 'identity' in of ? upstream.identity === of.identity : upstream.name === of.name
}
