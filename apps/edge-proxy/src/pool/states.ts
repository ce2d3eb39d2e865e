/**
 * Where every upstream connection stands. A state is membership in a set; `move` is the only writer, and every gauge is
 * the size of a set.
 *
 *   dialing ──▶ leased ──▶ resetting ──▶ idle ──▶ leased …
 *      └──────────┴───────────┴──────────┴──▶ dropped (in no set, socket closed)
 */
import type { ServerConnection } from '../server/server-connection.ts'

export type ConnectionState =
  /** In use by exactly one session. */
  | 'leased'
  /** Being made clean and proven, by nobody's session. */
  | 'resetting'
  /** Clean, waiting for its user. */
  | 'idle'

const legal: Record<ConnectionState | 'new', readonly ConnectionState[]> = {
  new: ['leased'],
  leased: ['resetting', 'idle'],
  resetting: ['idle', 'leased'],
  idle: ['leased', 'resetting'],
}

const none: ReadonlySet<ServerConnection> = new Set()

export class States {
  readonly leased = new Set<ServerConnection>()
  readonly resetting = new Set<ServerConnection>()
  /** Oldest first: a set keeps the order in which its members came. */
  readonly idle = new Set<ServerConnection>()
  /** Most at once since `forgetPeaks`. */
  readonly peaks: Record<ConnectionState, number> = { leased: 0, resetting: 0, idle: 0 }
  readonly #idleAt = new Map<string, Set<ServerConnection>>()
  #dialing = 0

  /** Connections being opened; they have no ServerConnection yet. */
  get dialing(): number {
    return this.#dialing
  }

  stateOf(upstream: ServerConnection): ConnectionState | undefined {
    if (this.leased.has(upstream)) return 'leased'
    if (this.resetting.has(upstream)) return 'resetting'
    return this.idle.has(upstream) ? 'idle' : undefined
  }

  move(upstream: ServerConnection, to: ConnectionState): void {
    const from = this.stateOf(upstream)
    if (!legal[from ?? 'new'].includes(to))
      throw new Error(`upstream may not go from ${from ?? 'new'} to ${to}`)
    if (from) this.#remove(upstream, from)
    this[to].add(upstream)
    if (to === 'idle') {
      const idle = this.#idleAt.get(upstream.name)
      if (idle) idle.add(upstream)
      else this.#idleAt.set(upstream.name, new Set([upstream]))
    }
    if (this[to].size > this.peaks[to]) this.peaks[to] = this[to].size
  }

  forgetPeaks(): void {
    for (const state of ['leased', 'resetting', 'idle'] as const) this.peaks[state] = this[state].size
  }

  /** Those of one upstream that are idle. */
  idleAt(name: string): ReadonlySet<ServerConnection> {
    return this.#idleAt.get(name) ?? none
  }

  /** Takes a connection out of the world and closes it. False: it was gone already. */
  drop(upstream: ServerConnection): boolean {
    const from = this.stateOf(upstream)
    if (!from) return false
    this.#remove(upstream, from)
    upstream.link.close()
    return true
  }

  #remove(upstream: ServerConnection, from: ConnectionState): void {
    this[from].delete(upstream)
    if (from === 'idle') this.#idleAt.get(upstream.name)?.delete(upstream)
  }

  dialBegins(): void {
    this.#dialing++
  }

  dialEnds(): void {
    this.#dialing--
  }

  *all(): IterableIterator<[ServerConnection, ConnectionState]> {
    for (const state of ['leased', 'resetting', 'idle'] as const)
      for (const upstream of this[state]) yield [upstream, state]
  }
}
